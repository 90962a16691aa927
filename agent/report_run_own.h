/* report_run_own.h - shared by the files of report_run only.
 *
 *	report_run.c		one pass over the spool
 *	report_run_sinks.c	the sinks, their pace and what ails them */
#ifndef REPORT_RUN_OWN_H
#define REPORT_RUN_OWN_H

#include "report_meta.h"
#include "report_pace.h"
#include "report_run.h"
#include "scc.h"

#define REPORT_RUN_SINKS 4
#define REPORT_RUN_LAST	 8

struct report_run_sink {
	uint8_t bit;
	const char *name;
	bool local;
	enum scc_result (*send)(struct report_run *, struct report_event *,
				unsigned *, struct why *);
	bool on;
	struct report_pace pace;
	uint64_t taken;
	struct why trouble;
};

struct report_run {
	const struct config *config;
	struct spool *spool;
	struct http *http;
	struct report_auth *auth;
	struct scc scc;
	struct report_run_sink sinks[REPORT_RUN_SINKS];
	char resource[REPORT_META_MAX];
	struct report_pace resource_pace;
	struct why no_resource;
	uint64_t last[REPORT_RUN_LAST]; /* sequences that failed, the latest
					   last */
	unsigned n_last;
	uint64_t refused;
	char *text;    /* SPOOL_EVENT_MAX + 1 */
	uint64_t told; /* hash of the last status */
};

/* ms of CLOCK_BOOTTIME */
uint64_t report_run_now(void);

/* Prepares r->sinks; the first request is held back by up to @jitter_ms. */
void report_run_set_up(struct report_run *, uint64_t jitter_ms);

/* Sends @e to one sink, and draws what follows for its pace. */
enum scc_result report_run_send(struct report_run *, struct report_run_sink *,
				struct report_event *e);

#endif
