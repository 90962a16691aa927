/* A matcher that was taken over says anything, at any time.  The input is
 * what it sends: for each message its type, how many of its words are not
 * zero, for each of these where and what, and whether the size is right. */
#include <assert.h>
#include "io.c"
#include "match.c"
#include "match_learn.c"
#include "match_look.c"
#include "match_retry.c"
#include "text.c"
#include "wire.c"

static const uint8_t *rest;
static size_t n_rest;

static uint32_t byte(void)
{
	return n_rest ? n_rest--, *rest++ : 0;
}

/* The next message of the input; its length. */
static size_t next_message(struct wire_message *m)
{
	uint32_t type = byte(), n = byte() % 32;
	ssize_t size;
	size_t words;

	memset(m, 0, sizeof(*m));
	m->type = type;
	size = size_of(m, sizeof(*m));
	words = size >= 64 ? (size_t)size / 4 : 16;
	while (n--) {
		uint32_t at = (byte() | byte() << 8) % (uint32_t)words;
		uint32_t value = (uint32_t)(int8_t)byte();

		memcpy((uint8_t *)m + BODY + at * 4, &value, 4);
	}
	size = size_of(m, sizeof(*m));
	if (byte() & 1 || size < 0) /* wrong */
		size = (ssize_t)((byte() | byte() << 8) % (sizeof(*m) - BODY));
	return BODY + (size_t)size;
}

/* Instead of a process: all that it will ever say is in the socket. */
int installed_find(enum installed_kind kind, struct installed *ret,
		   struct why *why)
{
	(void)kind;
	(void)why;
	*ret = (struct installed){ 0 };
	return 0;
}

int match_child_start(struct match_child *c, const struct match_options *o,
		      int memfd, int kept, struct why *why)
{
	static struct wire_message m;
	int pair[2];

	(void)o;
	(void)memfd;
	(void)kept;
	(void)why;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair))
		abort();
	while (n_rest) {
		const uint8_t *from = rest;
		size_t n = n_rest, len = next_message(&m);

		if (send(pair[1], &m, len, 0) < 0) { /* full: for the next */
			rest = from;
			n_rest = n;
			break;
		}
	}
	shutdown(pair[1], SHUT_WR);
	c->pid = 1;
	c->pidfd = pair[1];
	c->socket = pair[0];
	return 0;
}

void match_child_stop(struct match_child *c)
{
	if (c->socket >= 0) {
		close(c->socket);
		close(c->pidfd);
	}
	*c = MATCH_CHILD_NONE;
	c->pid = 0;
}

const char *match_child_death(const struct match_child *c, char *ret,
			      size_t cap)
{
	(void)c;
	snprintf(ret, cap, "fell silent");
	return ret;
}

ssize_t mem_stretch(struct mem *m, uint64_t from, uint64_t to, uint8_t *buf,
		    size_t cap, uint64_t *ret_at)
{
	size_t n = to - from < cap ? to - from : cap;

	(void)m;
	memset(buf, 'x', n);
	*ret_at = from;
	return (ssize_t)n;
}

const struct proc *mem_proc(const struct mem *m)
{
	static const struct proc p = { .pid = 1 };

	(void)m;
	return &p;
}

static void check_hits(const struct hit *hits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert(hits[i].n_strings <= HIT_STRINGS);
		assert(memchr(hits[i].rule->name, 0, 128));
		assert(memchr(hits[i].rule->slow, 0, 160));
		assert(hits[i].rule->where < WHERE_COUNT);
		for (size_t k = 0; k < hits[i].n_strings; k++) {
			assert(memchr(hits[i].strings[k].name, 0, 48));
			assert(hits[i].strings[k].n_bytes <= HIT_BYTES);
		}
	}
}

static void use(struct match *m)
{
	const struct suspect s = { 0x1001, 0x1001 + 200000, 255 };
	const struct hit *hits = NULL;
	struct why why = { "" };
	size_t n = 0;

	for (int round = 0; round < 3; round++) {
		int err = match_look(m, NULL, &s, &why);

		if (!err)
			err = match_end(m, &hits, &n, &why);
		if (!err || err == -ENODATA)
			check_hits(hits, n);
		assert(memchr(why.text, 0, sizeof(why.text)));
	}
	match_drop(m);
}

/* One for all inputs: its table of hits is large. */
static struct match *make(void)
{
	struct match *m = calloc(1, sizeof(*m));

	m->child = MATCH_CHILD_NONE;
	m->shown_all = m->told = true;
	m->hits = calloc(MATCH_HITS_MAX, sizeof(*m->hits));
	if (!m->hits || make_memory(m))
		abort();
	return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct match *m;
	struct why why = { "" };

	if (!m)
		m = make();
	rest = data;
	n_rest = len;
	match_child_start(&m->child, NULL, -1, -1, &why);
	if (match_learn(m, &why) == 0)
		use(m);
	match_stop(m);
	match_retry_forget(m, &why);
	m->n_culprits = 0;
	m->told = true;
	return 0;
}
