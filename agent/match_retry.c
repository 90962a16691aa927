/* match_retry.c - what is done when the matcher fails.
 *
 * It may have been killed by chance, or by what it was shown.  So all that it
 * had been shown of the process is shown to a fresh one.  If that one fails,
 * too, the rule is looked for at which it does: half of the rules are switched
 * off, then half of the rest, each time in a fresh matcher over the same
 * bytes.  Nothing that a matcher says is believed in this, only whether it
 * lives; and the fault must be gone with all rules off. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "io.h"
#include "match_own.h"
#include "text.h"

#define SHOWN_MAX 8192 /* windows that are remembered, 64 KiB at most each */
#define RETRIES	  4    /* in one process; what fails then is not scanned */
#define PROBE_MS  3000 /* at one half of the rules */

struct retry {
	struct match *m;
	bool at_end;
	struct wire_look look; /* over which it failed, */
	uint8_t *bytes;	       /* and its memory */
	size_t used;
};

/* ---- which rules are off --------------------------------------------- */

static bool is_off(const struct match_culprit *c)
{
	return c->here || c->n == MATCH_QUARANTINE;
}

const char *match_off(const struct match *m, size_t i)
{
	for (uint32_t k = 0; k < m->n_culprits; k++)
		if (m->culprits[k].n == MATCH_QUARANTINE && i-- == 0)
			return m->rules[m->culprits[k].rule].name;
	return NULL;
}

int match_tell(struct match *m, uint32_t from, uint32_t to)
{
	struct wire_only only = { .from = from, .to = to };

	for (uint32_t i = 0; i < m->n_culprits; i++)
		if (is_off(&m->culprits[i]))
			only.skipped[only.n++] = m->culprits[i].rule;
	m->message.only = only;
	m->told = true;
	return wire_send(m->child.socket, &m->message, WIRE_ONLY, sizeof(only));
}

static struct match_culprit *culprit_of(struct match *m, uint32_t rule)
{
	struct match_culprit *c = m->culprits;

	for (uint32_t i = 0; i < m->n_culprits; i++)
		if (c[i].rule == rule)
			return &c[i];
	if (m->n_culprits == WIRE_SKIPPED)
		return NULL;
	c = &m->culprits[m->n_culprits++];
	*c = (struct match_culprit){ .rule = rule };
	return c;
}

/* One process counts once, however often it is looked at. */
static bool blame(struct match *m, uint32_t rule)
{
	struct match_culprit *c = culprit_of(m, rule);
	const struct proc *p = mem_proc(m->mem);

	if (!c || c->here)
		return false;
	c->here = true;
	for (uint32_t i = 0; i < c->n; i++)
		if (c->seen[i].pid == p->pid &&
		    c->seen[i].start_ticks == p->start_ticks)
			return true;
	c->seen[c->n].pid = p->pid;
	c->seen[c->n++].start_ticks = p->start_ticks;
	return true;
}

int match_retry_forget(struct match *m, struct why *why)
{
	char name[160];
	int off = 0;

	for (uint32_t i = 0; i < m->n_culprits; i++) {
		struct match_culprit *c = &m->culprits[i];
		bool was = is_off(c);

		c->here = false;
		if (was && !is_off(c))
			m->told = false;
		if (is_off(c))
			off = why_set(why, -ENODATA,
				      "rule %s is off: davylamp-match failed "
				      "at it in %d processes",
				      text_escape_str(m->rules[c->rule].name,
						      name, sizeof(name)),
				      MATCH_QUARANTINE);
	}
	m->n_shown = 0;
	m->shown_all = true;
	m->retries = 0;
	return off;
}

/* ---- once more ------------------------------------------------------- */

void match_retry_remember(struct match *m)
{
	uint32_t n = m->look.n;

	if (match_grow(&m->shown, m->n_shown, &m->shown_room, n,
		       sizeof(*m->shown), SHOWN_MAX)) {
		m->shown_all = false;
		return;
	}
	memcpy(m->shown + m->n_shown, m->look.window, n * sizeof(*m->shown));
	m->n_shown += n;
}

/* Fetches a window's bytes again.  -EAGAIN: it is not as it was. */
static int fetch(struct match *m, const struct wire_window *w)
{
	uint64_t at;
	ssize_t n = mem_stretch(m->mem, w->address, w->address + w->len,
				m->memory + m->used, WIRE_WINDOW, &at);

	if (n < 0)
		return (int)n;
	if (n != w->len || at != w->address)
		return -EAGAIN;
	m->look.window[m->look.n] = *w;
	m->look.window[m->look.n++].offset = (uint32_t)m->used;
	m->used += ((size_t)n + 63) / 64 * 64;
	return 0;
}

static int show_shown(struct match *m, struct why *why)
{
	int err = m->shown_all ? 0 : -EAGAIN;

	m->look.n = 0;
	m->used = 0;
	for (size_t i = 0; i < m->n_shown && !err; i++) {
		err = fetch(m, &m->shown[i]);
		if (err || (i + 1 < m->n_shown && m->look.n < WIRE_WINDOWS &&
			    m->used + WIRE_WINDOW <= WIRE_BYTES))
			continue;
		err = match_show(m, why);
		m->look.n = 0;
		m->used = 0;
	}
	return err;
}

/* A fresh one, shown what the last one had taken. */
static int begin_again(struct match *m, struct why *why)
{
	int err = match_restart(m);

	if (err)
		return why_set(why, -EPIPE,
			       "davylamp-match can not be started again: %s",
			       m->down.text);
	if (!m->told)
		err = match_tell(m, 0, (uint32_t)m->n_rules);
	return err ?: show_shown(m, why);
}

/* And what it failed over. */
static int put_again(struct retry *r, struct why *why)
{
	struct match *m = r->m;

	if (r->at_end)
		return match_take_hits(m, why);
	memcpy(m->memory, r->bytes, r->used);
	m->look = r->look;
	m->used = r->used;
	return match_show(m, why);
}

static int try_again(struct retry *r, struct why *why)
{
	int err = begin_again(r->m, why) ?: put_again(r, why);

	if (!err && !r->at_end)
		match_retry_remember(r->m);
	return err == -ENODATA ? 0 : err;
}

/* ---- the rule -------------------------------------------------------- */

static bool out_of_time(const struct match *m)
{
	return m->deadline_ns && io_now_ns() >= m->deadline_ns;
}

/* Does it fail with rules @from to @to - 1 alone? */
static bool fails_with(struct retry *r, uint32_t from, uint32_t to)
{
	struct match *m = r->m;
	struct why why;

	if (out_of_time(m) || match_restart(m) || match_tell(m, from, to))
		return false;
	if (r->at_end && show_shown(m, &why))
		return false;
	switch (put_again(r, &why)) {
	case -EPIPE:
	case -EBADMSG:
	case -ETIMEDOUT:
		return true;
	default:
		return false;
	}
}

static bool find_culprit(struct retry *r, uint32_t *ret)
{
	struct match *m = r->m;
	uint32_t from = 0, to = (uint32_t)m->n_rules;
	int patience = m->answer_ms;
	bool found;

	if (patience > PROBE_MS)
		m->answer_ms = PROBE_MS;
	found = !fails_with(r, 0, 0) && fails_with(r, from, to);
	while (found && to - from > 1) {
		uint32_t half = from + (to - from) / 2;

		if (fails_with(r, from, half))
			to = half;
		else if (fails_with(r, half, to))
			from = half;
		else
			found = false; /* it takes two of them, or chance */
	}
	m->answer_ms = patience;
	*ret = from;
	return found;
}

/* ---- all of it ------------------------------------------------------- */

/* Twice: without the rule at which it fails, if there is one. */
static int go_on_without(struct retry *r, int err, struct why *why)
{
	struct match *m = r->m;
	struct why how = *why;
	char name[160];
	uint32_t rule;

	if (find_culprit(r, &rule) && blame(m, rule) &&
	    try_again(r, &(struct why){ "" }) == 0)
		return why_set(why, err, "rule %s was not looked for: %s",
			       text_escape_str(m->rules[rule].name, name,
					       sizeof(name)),
			       how.text);
	/* Without these windows. */
	if (!r->at_end && begin_again(m, &(struct why){ "" }))
		match_restart(m);
	return why_set(why, err, "%s, twice: not all was scanned", how.text);
}

int match_retry(struct match *m, bool at_end, int err, struct why *why)
{
	struct retry r = { .m = m, .at_end = at_end, .look = m->look };

	r.used = m->used;
	r.bytes = malloc(r.used + 1);
	m->n_hits = 0;
	if (!r.bytes || m->retries++ >= RETRIES || out_of_time(m)) {
		match_restart(m);
		m->n_shown = 0;
		m->shown_all = false;
		free(r.bytes);
		return err;
	}
	memcpy(r.bytes, m->memory, r.used);
	err = try_again(&r, why);
	if (err == -EPIPE || err == -EBADMSG || err == -ETIMEDOUT)
		err = go_on_without(&r, err, why);
	else if (err == -EAGAIN)
		why_set(why, err,
			"davylamp-match had to be started again, and "
			"memory had changed by then");
	if (err && at_end) /* nothing of this process is left for the next */
		match_restart(m);
	free(r.bytes);
	return err;
}
