/* scan.h - one look at one process: the way of flow.h from end to end. */
#ifndef SCAN_H
#define SCAN_H

#include "filecache.h"
#include "flow.h"
#include "hashset.h"
#include "match.h"
#include "why.h"

struct scan;

struct scan_options {
	struct match_options rules;
	const struct hashset *set; /* borrowed */
	struct frames *frames;	   /* borrowed; NULL: none is skipped */
	struct filecache *cache;   /* borrowed; NULL: no pass is remembered */
	bool no_match;		   /* digests only: no matcher is started */
	/* Told of every place that the matcher is shown; may be NULL. */
	void (*suspect)(void *user, const struct batch *,
			const struct suspect *);
	void *user;
};

/* Starts a matcher and builds the tables.  Errors as match_new(). */
int scan_new(const struct scan_options *, struct scan **ret, struct why *why);

void scan_free(struct scan *);

/* For asking what rules are loaded; NULL after no_match. */
const struct match *scan_match(const struct scan *);

/* Copies bytes of the process that was looked at last, as mem_stretch(). */
ssize_t scan_read(struct scan *, uint64_t from, uint64_t to, uint8_t *buf,
		  size_t cap, uint64_t *ret_at);

/* Looks at @proc until @deadline_ns (io_now_ns(); 0: no limit).  The result is
 * filled in any case: what could not be done is its state and reason.  @tick
 * (may be NULL) is called with the bytes done, after each batch (1 MiB at
 * most) and before the time is looked at: it may sleep, and by saying false
 * it ends the look.  @proc is turned to another thread where its own ends. */
void scan_look(struct scan *, struct proc *proc, enum scan_depth depth,
	       uint64_t deadline_ns, bool (*tick)(void *user, uint64_t bytes),
	       void *user, struct look *ret);

#endif
