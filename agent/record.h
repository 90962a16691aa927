/* record.h - what a pass saw becomes findings on their way: the one call a
 * command needs between the pass and the ledger, the spool and the reporter. */
#ifndef RECORD_H
#define RECORD_H

#include <json-c/json.h>
#include "config.h"
#include "flow.h"
#include "ledger.h"
#include "verdict.h"
#include "why.h"

struct record;

/* Opens spool and ledger as @config says.  0 or -errno with @why. */
int record_open(const struct config *config, struct record **ret,
		struct why *why);
void record_close(struct record *);

/* One look, as pass_events.look() gets it; @finding and its @json (borrowed)
 * only for VERDICT_FINDING.  0 or -errno with @why: what could not be kept
 * is tried again when it is seen again. */
int record_look(struct record *, const struct look *look, enum verdict verdict,
		const struct finding *finding, json_object *json,
		struct why *why);

/* Something that davylamp says of itself (finding_observation(); borrowed).  It
 * stays open until record_end_gone() asks for process 0 and is told no. */
int record_observation(struct record *, json_object *json, struct why *why);

/* A process is not looked at any more, on purpose: what was found in it is
 * over. */
void record_excluded(struct record *, const struct proc *);

/* A process that is there and can not be looked at: what was found in it
 * stays open. */
void record_absent(struct record *, pid_t pid);

/* The pass is over; @listed_all: no process was left out on purpose, so what
 * was not seen has ended.  0 or -errno with @why. */
int record_end(struct record *, bool listed_all, struct why *why);

/* Between passes: what was found in processes that are no more is over; as
 * ledger_end_gone(). */
int record_end_gone(struct record *,
		    bool (*alive)(void *user, pid_t pid, uint64_t start_ticks),
		    void *user, struct why *why);

void record_counts(struct record *, struct ledger_counts *ret_ledger,
		   struct spool_counts *ret_spool);

#endif
