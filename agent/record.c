/* record.c - from verdicts to events. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exefile.h"
#include "who.h"
#include "io.h"
#include "record.h"

struct record {
	struct spool *spool;
	struct ledger *ledger;
};

/* Of the machine, in the ids of findings.  They hold the boot as well, so
 * that two clones of one disk differ. */
static void instance(char *ret, size_t cap)
{
	static const char *const files[] = {
		"/sys/class/dmi/id/product_uuid", /* root only */
		"/etc/machine-id",
	};
	ssize_t n = -1;

	for (size_t i = 0; n <= 0 && i < sizeof(files) / sizeof(files[0]); i++)
		n = io_read_at(AT_FDCWD, files[i], ret, cap);
	if (n <= 0 && gethostname(ret, cap))
		ret[0] = 0;
	ret[cap - 1] = 0;
	ret[strcspn(ret, "\n")] = 0;
}

int record_open(const struct config *config, struct record **ret,
		struct why *why)
{
	struct record *r = calloc(1, sizeof(*r));
	char name[128];
	int err;

	if (!r)
		return -ENOMEM;
	instance(name, sizeof(name));
	err = spool_open(config->spool.path, config->spool.max_bytes, &r->spool,
			 why);
	if (!err)
		err = ledger_open(config->findings.state, name, &r->ledger,
				  why);
	if (err) {
		record_close(r);
		return err;
	}
	*ret = r;
	return 0;
}

void record_close(struct record *r)
{
	if (!r)
		return;
	ledger_close(r->ledger);
	spool_close(r->spool);
	free(r);
}

int record_look(struct record *r, const struct look *look, enum verdict verdict,
		const struct finding *finding, json_object *json,
		struct why *why)
{
	struct exefile exe = { .id = "unknown" };
	struct ledger_process p = { look->proc->pid, look->proc->start_ticks,
				    exe.id };

	if (verdict == VERDICT_FINDING) {
		(void)exefile_read_open(look->proc, look->who->exe_file, 0,
					&exe);
		return ledger_seen(r->ledger, r->spool, finding->category,
				   finding->severity, &p, json, why);
	}
	ledger_look(r->ledger, &p,
		    look->state == SCAN_VANISHED ? LEDGER_ENDED
		    : look->state == SCAN_COMPLETE && !look->shallow &&
				    verdict != VERDICT_UNKNOWN
			    ? LEDGER_CLEAN
			    : LEDGER_PARTIAL);
	return 0;
}

int record_observation(struct record *r, json_object *json, struct why *why)
{
	const struct ledger_process davylamp = { .exe = "davylamp" };

	return ledger_seen(r->ledger, r->spool, CATEGORY_OBSERVATION,
			   SEVERITY_LOW, &davylamp, json, why);
}

void record_excluded(struct record *r, const struct proc *proc)
{
	struct ledger_process p = { proc->pid, proc->start_ticks, "" };

	ledger_look(r->ledger, &p, LEDGER_ENDED);
}

void record_absent(struct record *r, pid_t pid)
{
	struct ledger_process p = { .pid = pid, .exe = "" };

	ledger_look(r->ledger, &p, LEDGER_PARTIAL);
}

int record_end(struct record *r, bool listed_all, struct why *why)
{
	return ledger_end_pass(r->ledger, r->spool, listed_all, why);
}

int record_end_gone(struct record *r,
		    bool (*alive)(void *user, pid_t pid, uint64_t start_ticks),
		    void *user, struct why *why)
{
	return ledger_end_gone(r->ledger, r->spool, alive, user, why);
}

void record_counts(struct record *r, struct ledger_counts *ret_ledger,
		   struct spool_counts *ret_spool)
{
	ledger_counts(r->ledger, ret_ledger);
	if (spool_counts(r->spool, ret_spool))
		*ret_spool = (struct spool_counts){ 0 };
}
