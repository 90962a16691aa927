/* ledger.c - what follows from what was seen. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "io.h"
#include "ledger_own.h"
#include "report_json.h"
#include "verdict.h"

#define CLEAN_SCANS  2
#define SEEN_STEP_NS (LEDGER_DAY_NS / 24) /* how old the file's may get */

int ledger_open(const char *directory, const char *instance,
		struct ledger **ret, struct why *why)
{
	struct ledger *l = calloc(1, sizeof(*l));
	ssize_t n;
	int err;

	if (!l)
		return -ENOMEM;
	l->dir = l->file = -1;
	l->now_ns = io_now_ns;
	snprintf(l->instance, sizeof(l->instance), "%s", instance);
	n = io_read_at(-1, "/proc/sys/kernel/random/boot_id", l->boot,
		       sizeof(l->boot));
	if (n < 0) {
		err = why_set(why, (int)n, "boot_id: %s", strerror((int)-n));
		goto fail;
	}
	l->boot[strcspn(l->boot, "\n")] = 0;
	err = ledger_file_open(l, directory, why);
	if (err)
		goto fail;
	*ret = l;
	return 0;
fail:
	ledger_close(l);
	return err;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < LEDGER_MAX; i++)
		free(l->entries[i].finding);
	if (l->file >= 0)
		close(l->file);
	if (l->dir >= 0)
		close(l->dir);
	free(l);
}

void ledger_set_clock(struct ledger *l, uint64_t (*now_ns)(void))
{
	l->now_ns = now_ns ? now_ns : io_now_ns;
}

/* ---- entries --------------------------------------------------------- */

static bool is_of(const struct ledger_entry *e, const struct ledger_process *p)
{
	return e->id[0] && !e->ended && e->pid == p->pid &&
	       (e->start_ticks == p->start_ticks || !p->start_ticks);
}

/* The open finding of this category of this very process, or NULL. */
static struct ledger_entry *find(struct ledger *l, enum category category,
				 const struct ledger_process *p)
{
	for (size_t i = 0; i < LEDGER_MAX; i++) {
		struct ledger_entry *e = &l->entries[i];

		if (is_of(e, p) && e->category == category &&
		    !strncmp(e->exe, p->exe, LEDGER_EXE - 1))
			return e;
	}
	return NULL;
}

/* One that is to be closed, of a program that began others and now itself
 * again, or NULL. */
static struct ledger_entry *find_ended(struct ledger *l, enum category category,
				       const struct ledger_process *p)
{
	char id[SPOOL_ID + 1];

	ledger_id(l, category, p, id);
	for (size_t i = 0; i < LEDGER_MAX; i++)
		if (l->entries[i].ended && !strcmp(l->entries[i].id, id))
			return &l->entries[i];
	return NULL;
}

static void drop_finding(struct ledger *l, struct ledger_entry *e)
{
	if (e->finding)
		l->live_bytes -= strlen(e->finding);
	free(e->finding);
	e->finding = NULL;
}

static void forget(struct ledger *l, struct ledger_entry *e)
{
	drop_finding(l, e);
	memset(e, 0, sizeof(*e));
}

static int close_one(struct ledger *l, struct spool *s, struct ledger_entry *e,
		     struct why *why)
{
	json_object *finding =
		report_json_parse(e->finding, strlen(e->finding));
	int err = finding ? ledger_event_put(s, "close", e, finding, why)
			  : -ENOMEM;

	json_object_put(finding);
	if (!err)
		err = ledger_file_add(l, e, true);
	if (!err)
		forget(l, e);
	return err;
}

/* A free place, or the one of the oldest of the lowest below @severity. */
static struct ledger_entry *place(struct ledger *l, struct spool *s,
				  enum severity severity, struct why *why)
{
	struct ledger_entry *v = NULL;

	for (size_t i = 0; i < LEDGER_MAX; i++) {
		struct ledger_entry *e = &l->entries[i];

		if (!e->id[0])
			return e;
		if (e->severity < severity &&
		    (!v || e->severity < v->severity ||
		     (e->severity == v->severity && e->seen_ns < v->seen_ns)))
			v = e;
	}
	if (!v) {
		l->counts.refused++;
		why_set(why, -ENOSPC, "%d findings are open: no more is opened",
			LEDGER_MAX);
		return NULL;
	}
	if (close_one(l, s, v, why))
		return NULL;
	l->counts.displaced++;
	return v;
}

/* @finding as @e keeps it: cut, and as text. */
static int keep(struct ledger *l, struct ledger_entry *e, json_object *fit)
{
	char *text = strdup(
		json_object_to_json_string_ext(fit, JSON_C_TO_STRING_PLAIN));

	if (!text)
		return -ENOMEM;
	drop_finding(l, e);
	e->finding = text;
	l->live_bytes += strlen(text);
	e->refreshed_ns = e->seen_ns = l->now_ns();
	e->clean = 0;
	return 0;
}

/* Spools @event with @fit, then says so in the file.  Where that fails it
 * follows at the end of the pass. */
static int tell(struct ledger *l, struct spool *s, const char *event,
		struct ledger_entry *e, json_object *fit, struct why *why)
{
	int err = ledger_event_put(s, event, e, fit, why);

	if (err)
		return err;
	e->pending = false;
	e->dirty = ledger_file_add(l, e, false) != 0;
	return 0;
}

/* It is still there. */
static int again(struct ledger *l, struct spool *s, struct ledger_entry *e,
		 enum severity severity, json_object *finding, struct why *why)
{
	enum severity was = e->severity;
	uint64_t now = l->now_ns();
	json_object *fit;
	int err;

	e->dirty |= e->clean || now - e->seen_ns > SEEN_STEP_NS;
	e->told = true;
	e->clean = 0;
	e->seen_ns = now;
	/* What was idle and works now can not wait for tomorrow. */
	if (now - e->refreshed_ns < LEDGER_DAY_NS && severity <= e->severity)
		return 0;
	if (severity > e->severity)
		e->severity = severity;
	fit = ledger_event_fit(e, finding, why);
	err = fit ? tell(l, s, "refresh", e, fit, why) : -ENOMEM;
	if (!err)
		err = keep(l, e, fit);
	if (err)
		e->severity = was; /* what is worse is still to be told */
	e->dirty = true;
	json_object_put(fit);
	return err;
}

static void fill(struct ledger *l, struct ledger_entry *e,
		 enum category category, enum severity severity,
		 const struct ledger_process *p)
{
	e->category = category;
	e->severity = severity;
	e->pid = p->pid;
	e->start_ticks = p->start_ticks;
	e->told = e->pending = true;
	snprintf(e->boot, sizeof(e->boot), "%s", l->boot);
	snprintf(e->exe, sizeof(e->exe), "%s", p->exe);
	ledger_id(l, category, p, e->id);
}

/* First the intention in the file, then the event, then that it is done: a
 * finding that was spooled is never forgotten, and so can be closed. */
static int open_one(struct ledger *l, struct spool *s, enum category category,
		    enum severity severity, const struct ledger_process *p,
		    json_object *finding, struct why *why)
{
	struct ledger_entry *e = find_ended(l, category, p);
	json_object *fit = NULL;
	int err;

	if (e) {
		e->ended = false;
		return again(l, s, e, severity, finding, why);
	}
	e = place(l, s, severity, why);
	if (!e)
		return -ENOSPC;
	fill(l, e, category, severity, p);
	fit = ledger_event_fit(e, finding, why);
	err = fit ? keep(l, e, fit) : -ENOMEM;
	if (!err)
		err = ledger_file_add(l, e, false);
	if (!err) {
		err = tell(l, s, "open", e, fit, why);
		if (err)
			(void)ledger_file_add(l, e, true);
	}
	json_object_put(fit);
	if (err)
		forget(l, e);
	return err;
}

/* Whether the spool ever got it is not known: tell it again. */
static int open_pending(struct ledger *l, struct spool *s,
			struct ledger_entry *e, struct why *why)
{
	json_object *finding =
		report_json_parse(e->finding, strlen(e->finding));
	int err = finding ? tell(l, s, "open", e, finding, why) : -ENOMEM;

	json_object_put(finding);
	return err;
}

/* ---- seeing ---------------------------------------------------------- */

/* Another program runs in the process now: what the old one did is over. */
static void end_other_programs(struct ledger *l, const struct ledger_process *p)
{
	for (size_t i = 0; i < LEDGER_MAX; i++) {
		struct ledger_entry *e = &l->entries[i];

		if (is_of(e, p) && strncmp(e->exe, p->exe, LEDGER_EXE - 1))
			e->ended = true;
	}
}

/* Opens the combined finding, then closes the single ones. */
static int combine(struct ledger *l, struct spool *s, enum severity severity,
		   const struct ledger_process *p, json_object *finding,
		   struct why *why)
{
	static const enum category single[] = { CATEGORY_YARA, CATEGORY_HASH };
	struct ledger_entry *e;
	json_object *all = NULL;
	int err = json_object_deep_copy(finding, &all, NULL) ? -ENOMEM : 0;

	for (int i = 0; i < 2 && !err; i++) {
		e = find(l, single[i], p);
		if (!e)
			continue;
		err = ledger_event_merge(all, e->finding, false);
		if (e->severity > severity)
			severity = e->severity;
	}
	if (!err)
		err = open_one(l, s, CATEGORY_COMBINED, severity, p, all, why);
	json_object_put(all);
	for (int i = 0; i < 2 && !err; i++) {
		e = find(l, single[i], p);
		if (e)
			e->ended = true; /* closed here, or in the next pass */
		if (e)
			err = close_one(l, s, e, why);
	}
	return err;
}

int ledger_seen(struct ledger *l, struct spool *s, enum category category,
		enum severity severity, const struct ledger_process *p,
		json_object *finding, struct why *why)
{
	struct ledger_entry *combined = find(l, CATEGORY_COMBINED, p), *other;
	struct ledger_entry *own = find(l, category, p);

	end_other_programs(l, p);
	if (combined && category == CATEGORY_COMBINED)
		return again(l, s, combined, severity, finding, why);
	if (combined) {
		/* One kind alone: what the other saw stays in it. */
		json_object *all = NULL;
		int err;

		if (json_object_deep_copy(finding, &all, NULL))
			return -ENOMEM;
		err = ledger_event_merge(all, combined->finding, true);
		if (!err)
			err = again(l, s, combined, severity, all, why);
		json_object_put(all);
		return err;
	}
	if (category == CATEGORY_COMBINED)
		return combine(l, s, severity, p, finding, why);
	other = find(l,
		     category == CATEGORY_YARA ? CATEGORY_HASH : CATEGORY_YARA,
		     p);
	if (other && l->now_ns() - other->seen_ns <= LEDGER_DAY_NS)
		return combine(l, s, severity, p, finding, why);
	if (own)
		return again(l, s, own, severity, finding, why);
	return open_one(l, s, category, severity, p, finding, why);
}

void ledger_look(struct ledger *l, const struct ledger_process *p,
		 enum ledger_outcome outcome)
{
	for (size_t i = 0; i < LEDGER_MAX; i++) {
		struct ledger_entry *e = &l->entries[i];

		if (!is_of(e, p))
			continue;
		e->told = outcome != LEDGER_ENDED;
		e->ended = outcome == LEDGER_ENDED;
		if (outcome == LEDGER_CLEAN && e->clean < CLEAN_SCANS) {
			e->clean++;
			e->dirty = true;
		}
	}
}

int ledger_end_pass(struct ledger *l, struct spool *s, bool listed_all,
		    struct why *why)
{
	int err = 0;

	for (size_t i = 0; i < LEDGER_MAX; i++) {
		struct ledger_entry *e = &l->entries[i];
		int rc = 0;

		if (!e->id[0])
			continue;
		if (listed_all && !e->told)
			e->ended = true;
		if (e->pending)
			rc = open_pending(l, s, e, why);
		if (!rc && (e->ended || e->clean >= CLEAN_SCANS))
			rc = close_one(l, s, e, why);
		else if (!rc && e->dirty)
			rc = ledger_file_add(l, e, false);
		e->dirty = e->dirty && rc;
		e->told = false;
		err = err ? err : rc;
	}
	return err;
}

int ledger_end_gone(struct ledger *l, struct spool *s,
		    bool (*alive)(void *user, pid_t pid, uint64_t start_ticks),
		    void *user, struct why *why)
{
	int err = 0;

	for (size_t i = 0; i < LEDGER_MAX; i++) {
		struct ledger_entry *e = &l->entries[i];
		int rc = 0;

		if (!e->id[0])
			continue;
		if (strcmp(e->boot, l->boot) ||
		    !alive(user, e->pid, e->start_ticks))
			e->ended = true;
		if (e->ended && e->pending)
			rc = open_pending(l, s, e, why);
		if (e->ended && !rc)
			rc = close_one(l, s, e, why);
		err = err ? err : rc;
	}
	return err;
}

void ledger_counts(const struct ledger *l, struct ledger_counts *ret)
{
	*ret = l->counts;
	for (size_t i = 0; i < LEDGER_MAX; i++)
		ret->open += l->entries[i].id[0] != 0;
}
