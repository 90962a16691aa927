/* report_run.h - what is in the spool, to everywhere it should go. */
#ifndef REPORT_RUN_H
#define REPORT_RUN_H

#include "config.h"
#include "spool.h"

/* Where an event has been, in its file's name. */
enum {
	REPORT_TO_FILE = 1,
	REPORT_TO_JOURNAL = 2,
	REPORT_TO_PUBSUB = 4,
	REPORT_TO_SCC = 8,
};

struct report_run;

/* 0 or -errno with @why.  @config and @spool must outlive it.  @jitter_ms:
 * most that the first request is held back. */
int report_run_open(const struct config *config, struct spool *spool,
		    uint64_t jitter_ms, struct report_run **ret,
		    struct why *why);
void report_run_close(struct report_run *);

/* Delivers what can be delivered now; for about 5 s, then looks at the spool
 * again.  @ret_left: events still there.  @ret_wait_ms: when to come back if
 * nothing new arrives.  0 or -errno of the spool itself. */
int report_run_pass(struct report_run *, size_t *ret_left,
		    uint64_t *ret_wait_ms);

/* What stood in the way last, by sink; "" if nothing does. */
const char *report_run_trouble(const struct report_run *);

/* Leaves counts and troubles in the spool's status file. */
void report_run_status(struct report_run *);

#endif
