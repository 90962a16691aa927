/* match_look.c - one process, shown to davylamp-match window by window, and
 * what that says of it in the end. */
#include <errno.h>
#include <string.h>
#include "io.h"
#include "match_own.h"
#include "text.h"

#define GRACE_MS 2000 /* behind the deadline */

/* Milliseconds to wait for the next answer. */
static int patience(const struct match *m)
{
	uint64_t now = io_now_ns(), left;

	if (!m->deadline_ns)
		return m->answer_ms;
	left = m->deadline_ns > now ? (m->deadline_ns - now) / 1000000 : 0;
	return left + GRACE_MS < (uint64_t)m->answer_ms ? (int)left + GRACE_MS
							: m->answer_ms;
}

static int ask(struct match *m, uint32_t type, size_t len, uint32_t answer,
	       struct why *why)
{
	int got = wire_send(m->child.socket, &m->message, type, len);

	if (!got)
		got = match_receive(m, patience(m));
	else
		got = got == -EPIPE ? 0 : got;
	if (got == 1 && m->message.type == answer)
		return 0;
	return match_failed(m, got == 1 ? -EBADMSG : got, why);
}

int match_show(struct match *m, struct why *why)
{
	uint32_t n = m->look.n;

	memcpy(&m->message.look, &m->look, wire_look_size(n));
	m->began = true;
	return ask(m, WIRE_LOOK, wire_look_size(n), WIRE_LOOKED, why);
}

/* There may be none, after one that could not be started or was told to stop;
 * the memory still holds the windows. */
static int have_child(struct match *m, struct why *why)
{
	uint32_t n = m->look.n;

	if (m->child.pid <= 0 && match_restart(m))
		return why_set(why, -EPIPE,
			       "davylamp-match can not be started again: %s",
			       m->down.text);
	m->look.n = n;
	return m->told ? 0 : match_tell(m, 0, (uint32_t)m->n_rules);
}

static int flush(struct match *m, struct why *why)
{
	int err;

	if (m->look.n == 0)
		return 0;
	err = have_child(m, why);
	if (err == 0)
		err = match_show(m, why);
	if (!err)
		match_retry_remember(m);
	else if (err == -ECANCELED)
		match_stop(m); /* the next look starts another */
	else
		err = match_retry(m, false, err, why);
	m->look.n = 0;
	m->used = 0;
	return err;
}

void match_set_deadline(struct match *m, uint64_t deadline_ns)
{
	m->deadline_ns = deadline_ns;
}

int match_look(struct match *m, struct mem *mem, const struct suspect *s,
	       struct why *why)
{
	int failed = 0;

	m->mem = mem;
	for (uint64_t from = s->start; from < s->end;) {
		bool cut = s->end - from > WIRE_WINDOW;
		uint64_t to = cut ? from + WIRE_WINDOW : s->end;
		uint64_t at;
		ssize_t n;
		int err;

		if (m->look.n == WIRE_WINDOWS ||
		    m->used + WIRE_WINDOW > WIRE_BYTES) {
			err = flush(m, why);
			if (err == -ESRCH || err == -ECANCELED)
				return err;
			failed = failed ?: err;
		}
		n = mem_stretch(mem, from, to, m->memory + m->used, WIRE_WINDOW,
				&at);
		if (n < 0)
			return (int)n;
		if (n == 0) { /* nothing resident in there */
			from = to;
			continue;
		}
		m->look.window[m->look.n++] = (struct wire_window){
			.address = at,
			.offset = (uint32_t)m->used,
			.len = (uint32_t)n,
			.where = s->where,
		};
		m->work.windows++;
		m->work.bytes += (uint64_t)n;
		m->used += ((size_t)n + 63) / 64 * 64;
		from = at + (uint64_t)n;
		if (from == to && cut)
			from -= WIRE_SPAN;
	}
	return failed;
}

/* A rule holds once at most, so that this has an end. */
static int take_hit(struct match *m)
{
	const struct wire_hit *w = &m->message.hit;
	struct hit *h = &m->hits[m->n_hits];

	if (w->rule >= m->n_rules || w->n_strings > HIT_STRINGS ||
	    m->n_hits + m->n_dropped == m->n_rules)
		return -EBADMSG;
	if (m->n_hits == MATCH_HITS_MAX) {
		m->n_dropped++;
		return 0;
	}
	h->rule = &m->rules[w->rule];
	h->n_matches = w->n_matches;
	h->n_strings = w->n_strings;
	memcpy(h->strings, w->string, sizeof(h->strings));
	for (size_t i = 0; i < h->n_strings; i++) {
		struct hit_string *s = &h->strings[i];

		s->name[sizeof(s->name) - 1] = '\0';
		if (s->n_bytes > HIT_BYTES)
			return -EBADMSG;
	}
	m->n_hits++;
	return 0;
}

static int take_string(struct match *m)
{
	const struct wire_string *w = &m->message.string;
	struct match_string *s;
	int err = match_grow(&m->strings, m->n_strings, &m->strings_room, 1,
			     sizeof(*s), MATCH_STRINGS_MAX);

	if (err)
		return err;
	if (w->n_kept > HIT_STRINGS || !m->options.only)
		return -EBADMSG;
	s = &m->strings[m->n_strings];
	memcpy(s->name, w->name, sizeof(s->name));
	s->name[sizeof(s->name) - 1] = '\0';
	s->number = w->number;
	s->n_matches = w->n_matches;
	s->n_kept = w->n_kept;
	memcpy(s->kept, w->kept, sizeof(s->kept));
	for (size_t i = 0; i < s->n_kept; i++)
		if (s->kept[i].n_bytes > HIT_BYTES)
			return -EBADMSG;
	m->n_strings++;
	return 0;
}

int match_take_hits(struct match *m, struct why *why)
{
	int got = wire_send(m->child.socket, &m->message, WIRE_END, 0);

	m->n_hits = m->n_dropped = m->n_strings = 0;
	for (got = got == -EPIPE ? 0 : got ?: 1; got == 1;) {
		got = match_receive(m, patience(m));
		if (got == 1 && m->message.type == WIRE_DONE)
			break;
		if (got == 1 && m->message.type == WIRE_STRING)
			got = take_string(m) ?: 1;
		else if (got == 1)
			got = m->message.type == WIRE_HIT ? take_hit(m) ?: 1
							  : -EBADMSG;
	}
	if (got != 1)
		return match_failed(m, got, why);
	m->began = false;
	if (m->n_dropped)
		return why_set(why, -ENODATA, "more than %d rules hold",
			       MATCH_HITS_MAX);
	if (!m->message.done.incomplete)
		return 0;
	m->message.done.text[255] = '\0';
	text_escape_str(m->message.done.text, why->text, sizeof(why->text));
	return -ENODATA;
}

/* The hits of @m's process into m->hits, now that it has seen all. */
static int judge(struct match *m, struct why *why)
{
	int err = match_take_hits(m, why);

	if (err == -ECANCELED)
		match_stop(m);
	else if (err && err != -ENODATA)
		err = match_retry(m, true, err, why);
	return err;
}

int match_end(struct match *m, const struct hit **ret, size_t *ret_n,
	      struct why *why)
{
	struct why later = { "" };
	int err, more = 0;

	m->n_hits = 0;
	err = flush(m, why);
	/* It names its one rule's strings if it was shown nothing, too. */
	if (m->began || (!err && m->options.only && m->child.pid > 0))
		more = judge(m, &later);
	if (!more)
		more = match_retry_forget(m, &later);
	else
		match_retry_forget(m, &(struct why){ "" });
	if (!err && more)
		*why = later;
	*ret = m->hits;
	*ret_n = m->n_hits;
	return err ?: more;
}

const struct match_string *match_strings(const struct match *m, size_t *ret_n)
{
	*ret_n = m->n_strings;
	return m->strings;
}

void match_drop(struct match *m)
{
	struct why why;

	m->look.n = 0;
	m->used = 0;
	if (m->began && match_take_hits(m, &why) && m->began)
		match_restart(m);
	m->n_hits = 0;
	match_retry_forget(m, &why);
}
