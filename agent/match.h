/* match.h - the privileged side of davylamp-match.
 *
 * Starts the matcher, learns its rules and atoms, fills the shared memory
 * with windows and takes back the hits.  Nothing the matcher says is trusted
 * further than its form: numbers are checked, text is escaped when shown. */
#ifndef MATCH_H
#define MATCH_H

#include "flow.h"
#include "installed.h"
#include "mem.h"
#include "prefilter.h"
#include "why.h"

struct match;

struct match_options {
	const char *const *paths; /* rule files and directories */
	size_t n_paths;
	bool no_default_rules;
	const char *only; /* look for the rule of this name; NULL: for all */
	bool anywhere;	  /* and for that in all memory */
	bool yield;	  /* once it is ready, let everybody else go first */
	const char *installed; /* a file in place of the built-in rules; NULL:
				  the update that is in use, if any */
	/* While the matcher works: waits until @fd can be read or @until_ns
	 * (io_now_ns()) has come, and may do other things meanwhile; false:
	 * give up.  NULL: nothing else is to be done. */
	bool (*wait)(void *user, int fd, uint64_t until_ns);
	void *user;
};

#define MATCH_STRINGS_MAX 65536

/* A string of the rule that is looked for alone. */
struct match_string {
	char name[48];	 /* hostile */
	uint32_t number; /* as in struct atom */
	size_t n_matches, n_kept;
	struct hit_string kept[HIT_STRINGS];
};

/* What the matcher was shown since match_new(). */
struct match_work {
	uint64_t windows, bytes;
};

/* Starts a matcher and waits until its rules are compiled.  -EINVAL: the
 * rules are at fault; -EPERM: as installed_find(); other errors: it could not
 * be started, or had no memory; @why says all.
 * @options are borrowed for the life of *ret. */
int match_new(const struct match_options *options, struct match **ret,
	      struct why *why);

/* Ends the matcher. */
void match_free(struct match *);

/* What it knows; for the life of @m. */
const struct atom *match_atoms(const struct match *m, size_t *ret_n);
const struct rule *match_rules(const struct match *m, size_t *ret_n);
uint8_t match_every_page(const struct match *m);  /* bit per enum where */
const char *match_engine(const struct match *m);  /* "libyara 4.2.3" */
const char *match_version(const struct match *m); /* of the rules */

/* Which rules are the default: built in or an update. */
const struct installed *match_default(const struct match *m);

/* Why it could not be started anew when it had ended: without it nothing is
 * found by rules.  Tried again at each look.  NULL: it runs, or will. */
const char *match_down(const struct match *m);

/* The name of the @i-th rule that is off in all processes, as the matcher did
 * not survive it in several.  Hostile.  NULL: there are no more. */
const char *match_off(const struct match *m, size_t i);

/* CPU time of the matcher that runs, ns; 0 of none. */
uint64_t match_cpu_ns(const struct match *m);

/* From now on, wait for no answer longer than until @deadline_ns (io_now_ns();
 * 0: half a minute for each) and a moment, for what was found so far. */
void match_set_deadline(struct match *m, uint64_t deadline_ns);

/* Hands over the resident bytes of @s, read by @mem, which is borrowed until
 * match_end() or match_drop().  A matcher that fails is started anew and shown
 * all of it again.  -ESRCH: the process is gone; -EPIPE, -ETIMEDOUT, -EBADMSG:
 * it failed again, @why says at what and what was not looked at, the rest may
 * go on; -EAGAIN: it did not, but memory had changed meanwhile. */
int match_look(struct match *m, struct mem *mem, const struct suspect *s,
	       struct why *why);

/* The process is at its end: *ret points to the hits in what was looked at,
 * valid until the next match_look().  Not 0: that was not all of it, or not
 * with all rules, or more held than are kept (-ENODATA); @why says what. */
int match_end(struct match *m, const struct hit **ret, size_t *ret_n,
	      struct why *why);

/* After match_end(), with options.only: all its strings, found or not, until
 * the next match_end(). */
const struct match_string *match_strings(const struct match *m,
					 size_t *ret_n);

struct match_work match_work(const struct match *m);

/* Forgets what was handed over for a process that is gone. */
void match_drop(struct match *m);

#endif
