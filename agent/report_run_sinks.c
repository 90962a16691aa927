/* report_run_sinks.c - where events go, how fast, and what stands in the way.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "report_event.h"
#include "report_pubsub.h"
#include "report_run_own.h"
#include "report_sink.h"

uint64_t report_run_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static enum scc_result to_file(struct report_run *r, struct report_event *e,
			       unsigned *after_s, struct why *why)
{
	(void)after_s;
	return report_sink_file(r->config, e, why) ? SCC_DOWN : SCC_OK;
}

static enum scc_result to_journal(struct report_run *r, struct report_event *e,
				  unsigned *after_s, struct why *why)
{
	(void)r;
	(void)after_s;
	return report_sink_journal(REPORT_SINK_JOURNAL, e, why) ? SCC_DOWN
								: SCC_OK;
}

static enum scc_result to_pubsub(struct report_run *r, struct report_event *e,
				 unsigned *after_s, struct why *why)
{
	return report_pubsub(&r->scc, e, after_s, why);
}

static enum scc_result to_scc(struct report_run *r, struct report_event *e,
			      unsigned *after_s, struct why *why)
{
	json_object *v;

	/* Its resource can not be changed later: none is worse than late. */
	if (!json_object_object_get_ex(e->finding, "resourceName", &v)) {
		*why = r->no_resource;
		return SCC_DOWN;
	}
	return scc_deliver(&r->scc, e, after_s, why);
}

void report_run_set_up(struct report_run *r, uint64_t jitter_ms)
{
	const struct config *c = r->config;
	const struct report_run_sink sinks[REPORT_RUN_SINKS] = {
		{ .bit = REPORT_TO_FILE,
		  .name = "file",
		  .local = true,
		  .send = to_file,
		  .on = strcmp(c->findings.file, "none") },
		{ .bit = REPORT_TO_JOURNAL,
		  .name = "journal",
		  .local = true,
		  .send = to_journal,
		  .on = c->findings.journal },
		{ .bit = REPORT_TO_PUBSUB,
		  .name = "pubsub",
		  .send = to_pubsub,
		  .on = c->pubsub.topic[0] },
		{ .bit = REPORT_TO_SCC,
		  .name = "scc",
		  .send = to_scc,
		  .on = c->scc.source[0] },
	};
	uint64_t seed = report_run_now(), now = seed;

	(void)!getrandom(&seed, sizeof(seed), 0);
	for (int i = 0; i < REPORT_RUN_SINKS; i++) {
		struct report_run_sink *s = &r->sinks[i];

		*s = sinks[i];
		report_pace_init(&s->pace,
				 s->local ? 60000000 : c->scc.writes_per_minute,
				 now, seed + (uint64_t)i);
		if (!s->local)
			report_pace_jitter(&s->pace, now, jitter_ms);
	}
	report_pace_init(&r->resource_pace, 60, now, seed + REPORT_RUN_SINKS);
}

enum scc_result report_run_send(struct report_run *r, struct report_run_sink *s,
				struct report_event *e)
{
	unsigned before = r->scc.requests, after_s = 0;
	enum scc_result result;
	struct why why = { "" };

	result = s->send(r, e, &after_s, &why);
	/* A conflict costs two writes, and the bucket knows. */
	do
		report_pace_sent(&s->pace);
	while (!s->local && ++before < r->scc.requests);
	s->trouble = why;
	switch (result) {
	case SCC_OK:
		s->taken++;
		s->trouble.text[0] = 0;
		report_pace_ok(&s->pace);
		break;
	case SCC_REFUSED:
		report_pace_ok(&s->pace);
		break;
	case SCC_BUSY:
		report_pace_busy(&s->pace, report_run_now(), after_s * 1000ull);
		break;
	default:
		report_pace_down(&s->pace, report_run_now(), after_s * 1000ull);
	}
	return result;
}

/* ---- for people ------------------------------------------------------ */

const char *report_run_trouble(const struct report_run *r)
{
	for (int i = REPORT_RUN_SINKS - 1; i >= 0; i--)
		if (r->sinks[i].on && r->sinks[i].trouble.text[0])
			return r->sinks[i].trouble.text;
	return "";
}

/* FNV-1a: a status that says the same again is not written again. */
static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 0x100000001b3;
	return h;
}

void report_run_status(struct report_run *r)
{
	char text[4096];
	time_t now = time(NULL);
	size_t start, n;
	struct tm tm;

	gmtime_r(&now, &tm);
	start = strftime(text, sizeof(text), "time %Y-%m-%dT%H:%M:%SZ\n", &tm);
	n = start + (size_t)snprintf(text + start, sizeof(text) - start,
				     "refused %" PRIu64 "\n", r->refused);
	for (int i = 0; i < REPORT_RUN_SINKS; i++) {
		const struct report_run_sink *s = &r->sinks[i];

		if (!s->on)
			continue;
		n += (size_t)snprintf(
			text + n, sizeof(text) - n,
			"%s %" PRIu64 " delivered since start%s%s\n", s->name,
			s->taken, s->trouble.text[0] ? "; now: " : "",
			s->trouble.text);
	}
	if (hash(text + start) == r->told)
		return;
	r->told = hash(text + start);
	(void)spool_status_set(r->spool, text, n);
}
