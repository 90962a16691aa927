/* report_run.c - each event through each sink.
 *
 * An event leaves the spool when every sink has it.  One that fails where
 * others would not (the server chokes on it) goes to the end of the line; the
 * events of one finding keep their order.  The high ones go first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "report_event.h"
#include "report_run_own.h"

#define PASS_MS 5000
#define NAP_MS	2000	/* waited for inside a pass */
#define CALM_MS 3600000 /* nothing to do: look again after this */

int report_run_open(const struct config *config, struct spool *spool,
		    uint64_t jitter_ms, struct report_run **ret,
		    struct why *why)
{
	struct report_run *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->config = config;
	r->spool = spool;
	snprintf(r->resource, sizeof(r->resource), "%.511s",
		 config->scc.resource);
	r->text = malloc(SPOOL_EVENT_MAX + 1);
	err = r->text ? http_open(&r->http, why) : -ENOMEM;
	if (!err)
		err = report_auth_open(config, r->http, &r->auth, why);
	if (err) {
		report_run_close(r);
		return err;
	}
	r->scc = (struct scc){ config, r->http, r->auth, 0 };
	report_run_set_up(r, jitter_ms);
	*ret = r;
	return 0;
}

void report_run_close(struct report_run *r)
{
	if (!r)
		return;
	report_auth_close(r->auth);
	http_close(r->http);
	free(r->text);
	free(r);
}

/* ---- one event ------------------------------------------------------- */

static void find_resource(struct report_run *r)
{
	uint64_t now = report_run_now();

	if (r->resource[0] || report_pace_wait(&r->resource_pace, now))
		return;
	r->no_resource.text[0] = 0;
	if (report_meta_resource(r->http, r->resource, &r->no_resource)) {
		r->resource[0] = 0;
		report_pace_down(&r->resource_pace, report_run_now(), 0);
	}
}

/* Waits out what the token bucket asks; false where it is more than a nap. */
static bool may_send(struct report_run_sink *s)
{
	uint64_t wait = report_pace_wait(&s->pace, report_run_now());

	if (wait > NAP_MS)
		return false;
	if (wait)
		usleep((useconds_t)wait * 1000);
	return true;
}

/* 0: it never failed; else its place in the line of those that did. */
static unsigned failed(const struct report_run *r, const struct spool_entry *e)
{
	for (unsigned i = 0; i < r->n_last; i++)
		if (r->last[i] == e->seq)
			return i + 1;
	return 0;
}

static void remember_failure(struct report_run *r, const struct spool_entry *e)
{
	unsigned at = failed(r, e);

	if (!at && r->n_last < REPORT_RUN_LAST)
		at = ++r->n_last;
	else if (!at)
		at = 1; /* the one that failed longest ago is first again */
	memmove(&r->last[at - 1], &r->last[at],
		(r->n_last - at) * sizeof(r->last[0]));
	r->last[r->n_last - 1] = e->seq;
}

/* Whether some sink lacks the event and may be asked now. */
static bool worth_reading(struct report_run *r, const struct spool_entry *e)
{
	uint64_t now = report_run_now();

	for (int i = 0; i < REPORT_RUN_SINKS; i++) {
		struct report_run_sink *s = &r->sinks[i];

		if (s->on && !(e->done & s->bit) &&
		    report_pace_wait(&s->pace, now) <= NAP_MS)
			return true;
	}
	return false;
}

/* Where it is now; @ret_refused: which will never take it. */
static uint8_t through_sinks(struct report_run *r, struct spool_entry *entry,
			     struct report_event *e, uint8_t *ret_refused)
{
	uint8_t done = entry->done;
	enum scc_result result;

	for (int i = 0; i < REPORT_RUN_SINKS; i++) {
		struct report_run_sink *s = &r->sinks[i];

		if (!s->on || done & s->bit || !may_send(s))
			continue;
		result = report_run_send(r, s, e);
		if (result == SCC_OK)
			done |= s->bit;
		else if (result == SCC_REFUSED)
			*ret_refused |= s->bit;
		else if (!s->local)
			remember_failure(r, entry);
	}
	return done;
}

static uint8_t wanted(const struct report_run *r)
{
	uint8_t bits = 0;

	for (int i = 0; i < REPORT_RUN_SINKS; i++)
		bits |= r->sinks[i].on ? r->sinks[i].bit : 0;
	return bits;
}

/* 1: it left the spool; 0: it waits; -errno: of the spool. */
static int deliver(struct report_run *r, struct spool_entry *entry)
{
	struct report_event e = { 0 };
	uint8_t done, refused = 0, all = wanted(r);
	size_t len;
	int err;

	err = spool_read(r->spool, entry, r->text, &len);
	if (err == -ENOENT)
		return 1;
	if (!err)
		err = report_event_parse(r->text, len, &e);
	/* json-c calls bad what it had no memory for. */
	if (err == -EBADMSG)
		err = report_event_parse(r->text, len, &e);
	if (err == -EBADMSG) {
		r->refused++;
		return spool_aside(r->spool, entry) ? 0 : 1;
	}
	if (err)
		return err;
	find_resource(r);
	report_event_set_resource(&e, r->resource);
	done = through_sinks(r, entry, &e, &refused);
	report_event_free(&e);
	if (refused && ((done | refused) & all) == all) {
		r->refused++;
		return spool_aside(r->spool, entry) ? 0 : 1;
	}
	if ((done & all) == all) {
		err = spool_remove(r->spool, entry);
		return err ? err : 1;
	}
	err = done == entry->done ? 0 : spool_mark(r->spool, entry, done);
	return err == -ENOENT ? 1 : err;
}

/* ---- one pass -------------------------------------------------------- */

struct turn {
	struct spool_entry *entry;
	unsigned failed;
};

static int by_id(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;
	int d = strcmp(x->entry->id, y->entry->id);

	return d ? d
		 : (x->entry->seq > y->entry->seq) -
			       (x->entry->seq < y->entry->seq);
}

static int by_turn(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->failed != y->failed)
		return x->failed < y->failed ? -1 : 1;
	if (x->entry->severity != y->entry->severity)
		return y->entry->severity - x->entry->severity;
	return (x->entry->seq > y->entry->seq) -
	       (x->entry->seq < y->entry->seq);
}

/* The first event of each finding, in the order of delivery. */
static size_t take_turns(const struct report_run *r, struct spool_entry *list,
			 size_t n, struct turn *turns)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		turns[i] = (struct turn){ &list[i], failed(r, &list[i]) };
	if (n)
		qsort(turns, n, sizeof(*turns), by_id);
	for (size_t i = 0; i < n; i++)
		if (!kept ||
		    strcmp(turns[kept - 1].entry->id, turns[i].entry->id))
			turns[kept++] = turns[i];
	if (kept)
		qsort(turns, kept, sizeof(*turns), by_turn);
	return kept;
}

/* When a sink that still lacks something may be asked again. */
static uint64_t next_wait(struct report_run *r)
{
	uint64_t wait = CALM_MS, now = report_run_now(), w;

	for (int i = 0; i < REPORT_RUN_SINKS; i++) {
		if (!r->sinks[i].on)
			continue;
		w = report_pace_wait(&r->sinks[i].pace, now);
		wait = w && w < wait ? w : wait;
	}
	return wait;
}

int report_run_pass(struct report_run *r, size_t *ret_left,
		    uint64_t *ret_wait_ms)
{
	struct spool_entry *list = NULL;
	struct turn *turns = NULL;
	uint64_t start = report_run_now();
	size_t n = 0, gone = 0, first;
	int err;

	err = spool_list(r->spool, &list, &n);
	if (err)
		return err;
	turns = calloc(n + 1, sizeof(*turns));
	first = turns ? take_turns(r, list, n, turns) : 0;
	for (size_t i = 0; i < first && report_run_now() - start < PASS_MS;
	     i++) {
		int rc = worth_reading(r, turns[i].entry)
				 ? deliver(r, turns[i].entry)
				 : 0;

		gone += rc > 0;
		err = rc < 0 ? rc : err;
	}
	*ret_left = n - gone;
	*ret_wait_ms = gone && n > gone ? 0 : next_wait(r);
	free(turns);
	free(list);
	return err;
}
