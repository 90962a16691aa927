/* match_own.h - what the parts of the matcher's privileged side share:
 *
 *	match.c		its life
 *	match_look.c	one process
 *	match_learn.c	what a fresh matcher introduces itself with
 *	match_retry.c	what is done when it fails
 */
#ifndef MATCH_OWN_H
#define MATCH_OWN_H

#include "match.h"
#include "match_child.h"
#include "wire.h"

#define MATCH_ANSWER_MS 30000 /* for 1 MiB of windows */
#define MATCH_HITS_MAX	4096  /* kept of one process; more are counted */

/* A rule that the matcher did not survive.  In one process: that is the
 * process's doing, and it is off there.  In so many: it is off everywhere. */
#define MATCH_QUARANTINE 3

struct match_culprit {
	uint32_t rule;
	uint32_t n; /* of @seen */
	struct {
		pid_t pid;
		uint64_t start_ticks;
	} seen[MATCH_QUARANTINE];
	bool here; /* in the process at hand */
};

struct match {
	struct match_options options;
	struct installed installed;
	struct match_child child;
	int memfd;
	int kept; /* the rules' text, as the first one read it: what is on
		     disk by now may be other rules, or none */
	struct why down; /* why no fresh one could be started; "": it could */
	uint8_t *memory;
	size_t used; /* bytes of @memory filled for @look */
	struct wire_look look;
	uint64_t deadline_ns;
	int answer_ms;	 /* what it may take for one LOOK */
	bool began;	 /* the matcher has windows of this process */
	struct mem *mem; /* of this process; the caller's */

	/* What it was shown of this process, for one that takes its place. */
	struct wire_window *shown;
	size_t n_shown, shown_room;
	bool shown_all; /* there was room for all of it */
	unsigned retries;

	struct match_culprit culprits[WIRE_SKIPPED];
	uint32_t n_culprits;
	bool told; /* the matcher knows of them */

	struct rule *rules;
	struct atom *atoms;
	size_t n_rules, n_atoms, rules_room, atoms_room;
	struct wire_ready ready;

	struct hit *hits;
	size_t n_hits, n_dropped;
	struct match_string *strings;
	size_t n_strings, strings_room;
	struct match_work work;
	struct wire_message message;
};

/* ---- match_learn.c */

/* Makes room for @more of @size in *@array, of which there may be @max. */
int match_grow(void *array, size_t n, size_t *room, size_t more, size_t size,
	       size_t max);

/* Takes rules, atoms and the word that it is ready.  0; -EINVAL: it refuses
 * the rules, @why says why; else see match_failed(). */
int match_learn(struct match *m, struct why *why);

/* ---- match.c */

/* Waits for a message, as wire_receive(); -ECANCELED: told to give up. */
int match_receive(struct match *m, int timeout_ms);

/* Says in @why how it failed, after wire_receive() returned @got; -errno. */
int match_failed(struct match *m, int got, struct why *why);

/* Ends it; with it goes what it was shown. */
void match_stop(struct match *m);

/* A fresh one, with the rules that the first one had: hits and the prefilter
 * refer to them.  -errno: there is none, then; m->down says why. */
int match_restart(struct match *m);

/* ---- match_look.c */

/* Shows it m->look, whose bytes are in m->memory.  Errors as match_look(). */
int match_show(struct match *m, struct why *why);

/* Asks for the hits.  Errors as match_end(). */
int match_take_hits(struct match *m, struct why *why);

/* ---- match_retry.c */

/* Tells it to look for rules @from to @to - 1 only, without what is off.  It
 * must be between two processes. */
int match_tell(struct match *m, uint32_t from, uint32_t to);

/* It took m->look: to be remembered. */
void match_retry_remember(struct match *m);

/* It failed with @err over m->look (@at_end: over the judgement, and m->look
 * is empty).  All that it had been shown is shown to a fresh one, once.  0:
 * and that did it (@at_end: m->hits is filled).  Else @err, and @why says what
 * was not looked at; a fresh one is there, with the rest. */
int match_retry(struct match *m, bool at_end, int err, struct why *why);

/* The process is at its end: only what is off everywhere stays off.  Says so
 * in @why; -ENODATA if anything is. */
int match_retry_forget(struct match *m, struct why *why);

#endif
