/* ledger.h - the life of findings: which are open, and when they open, are
 * refreshed and close.
 *
 * A finding opens when its process is first seen, is refreshed when it is worse
 * than was told and else once a day at
 * most while it is seen, and closes when the process ended or two complete
 * scans of it in a row found nothing.  YARA and hash findings of one process
 * within 24 hours become one combined finding, and the single ones close.
 *
 * What opens is a line in the ledger's file before it is an event in the
 * spool, the rest after: a kill between the two repeats one event under the
 * same id, and forgets none.
 * Times are of CLOCK_BOOTTIME, ids hold the boot: no clock is trusted, and
 * what was open before a reboot closes after it.
 *
 * One pass: ledger_look() or ledger_seen() for every process there is, then
 * ledger_end_pass(). */
#ifndef LEDGER_H
#define LEDGER_H

#include <json-c/json.h>
#include "flow.h"
#include "spool.h"
#include "why.h"

#define LEDGER_MAX     512	   /* open findings */
#define LEDGER_FINDING (32u << 10) /* bytes of one, cut down to it */
#define LEDGER_EXE     128	   /* of an executable's identity */
#define LEDGER_DAY_NS  86400000000000ull

struct ledger;

/* A process, told from all others of this boot. */
struct ledger_process {
	pid_t pid;
	uint64_t start_ticks;
	const char *exe; /* what tells its executable from others, as
			  * "dev:inode:size:ctime" or a digest; borrowed */
};

/* What a look that found nothing says about a process. */
enum ledger_outcome {
	LEDGER_CLEAN,	/* complete */
	LEDGER_PARTIAL, /* there, but not all of it was looked at */
	LEDGER_ENDED,
};

struct ledger_counts {
	size_t open;	    /* findings now */
	uint64_t refused;   /* not opened, for the ledger was full */
	uint64_t displaced; /* closed to make room for a higher one */
};

/* Opens the file `findings` in @directory (made where missing, owned like a
 * spool) for this @instance (what tells this machine from others).  -EBUSY:
 * another davylamp has it.  0 or -errno with @why. */
int ledger_open(const char *directory, const char *instance,
		struct ledger **ret, struct why *why);
void ledger_close(struct ledger *);

/* The id of a finding: the first 32 hex digits of SHA-256 over instance,
 * category, executable, start (boot and ticks) and pid. */
void ledger_id(const struct ledger *, enum category,
	       const struct ledger_process *, char ret[static SPOOL_ID + 1]);

/* @finding (SCC v2 Finding; borrowed) was seen.  Spools what follows.  0, or
 * -errno of the spool or the file with @why: tell it again next pass. */
int ledger_seen(struct ledger *, struct spool *, enum category, enum severity,
		const struct ledger_process *, json_object *finding,
		struct why *why);

/* Nothing was found in a process; start_ticks 0 is any process of that pid. */
void ledger_look(struct ledger *, const struct ledger_process *,
		 enum ledger_outcome);

/* @listed_all: every process there is was told, so the others ended.  Spools
 * the closings.  0 or -errno with @why: they are tried again next pass. */
int ledger_end_pass(struct ledger *, struct spool *, bool listed_all,
		    struct why *why);

/* Between passes: closes what was found in processes that are no more, as
 * @alive says (never asked of another boot's, which are gone).  Spools the
 * closings.  0 or -errno with @why: they are tried again. */
int ledger_end_gone(struct ledger *, struct spool *,
		    bool (*alive)(void *user, pid_t pid, uint64_t start_ticks),
		    void *user, struct why *why);

void ledger_counts(const struct ledger *, struct ledger_counts *ret);

/* For tests: the clock, in ns; NULL is CLOCK_BOOTTIME again. */
void ledger_set_clock(struct ledger *, uint64_t (*now_ns)(void));

#endif
