/* sensor_bpf.c - what happens, by the BPF programs of bpf/sensor.bpf.c.
 *
 * Every SENSOR_SETTLE_MS the table that was not written to since the last time
 * is emptied: what is still in it has lived for that long at least, and for
 * twice that at most.  Then the other one rests. */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../bpf/sensor.h"
#include "dns.h"
#include "io.h"
#include "peers.h"
#include "sensor_code.h"
#include "sensor_load.h"
#include "sensor_own.h"
#include "sensor_programs.h"

struct bpf {
	struct sensor_programs programs;
	struct ring_buffer *rings;
	struct sensor_code *code; /* whom we told of lately */
	volatile struct sensor_shared *shared;
	size_t cpus; /* of the counters, in use */
	int tables[2];
	bool used[2];		     /* something may be in it */
	struct sensor_counters seen; /* sums, at the last look */
	uint64_t misses;
	struct sensor_way *way; /* inside read */
};

/* ---- what is shared -------------------------------------------------- */

static int share(struct bpf *b)
{
	int fd = bpf_object__find_map_fd_by_name(b->programs.object, ".bss");
	void *p = mmap(NULL, sizeof(*b->shared), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	b->shared = p;
	b->cpus = (size_t)libbpf_num_possible_cpus();
	if (b->cpus > SENSOR_CPUS) /* or it is not known */
		b->cpus = SENSOR_CPUS;
	b->tables[0] =
		bpf_object__find_map_fd_by_name(b->programs.object, "even");
	b->tables[1] =
		bpf_object__find_map_fd_by_name(b->programs.object, "odd");
	return 0;
}

static struct sensor_counters sum(const struct bpf *b)
{
	struct sensor_counters all = { 0 };

	for (size_t i = 0; i < b->cpus; i++) {
		const volatile struct sensor_counters *c =
			&b->shared->counters[i];

		all.forks += c->forks;
		all.execs += c->execs;
		all.exits += c->exits;
		all.code += c->code;
		all.connects += c->connects;
		all.names += c->names;
		all.full += c->full;
		all.lost += c->lost;
	}
	return all;
}

/* ---- events ---------------------------------------------------------- */

static int on_ring_connect(void *user, void *data, size_t len)
{
	struct bpf *b = user;
	const struct sensor_connect *c = data;
	struct event e = { .kind = EVENT_CONNECT };

	if (len < sizeof(*c))
		return 0;
	e.pid = (pid_t)c->pid;
	e.start_ticks = c->start_ns / b->way->tick_ns;
	e.at_ns = c->at_ns;
	e.cgroup = c->cgroup;
	e.peer.family = c->family;
	e.peer.port = c->port;
	e.peer.protocol = IPPROTO_TCP;
	memcpy(e.peer.address, c->address, sizeof(e.peer.address));
	peers_normalize(&e.peer);
	b->way->tell(b->way->user, &e);
	return 0;
}

struct naming {
	struct bpf *b;
	struct event e;
};

static void on_name(void *user, const char *name, int family,
		    const uint8_t *address)
{
	struct naming *n = user;

	n->e.peer.family = (uint16_t)family;
	memset(n->e.peer.address, 0, sizeof(n->e.peer.address));
	memcpy(n->e.peer.address, address, family == AF_INET ? 4 : 16);
	snprintf(n->e.name, sizeof(n->e.name), "%s", name);
	n->b->way->tell(n->b->way->user, &n->e);
}

static int on_ring_answer(void *user, void *data, size_t len)
{
	const struct sensor_answer *a = data;
	struct naming n = { user, { .kind = EVENT_NAME } };

	if (len < sizeof(*a) || a->len > sizeof(a->bytes))
		return 0;
	n.e.at_ns = a->at_ns;
	n.e.cgroup = a->cgroup;
	dns_answers(a->bytes, a->len, on_name, &n);
	return 0;
}

static void tell_entry(struct bpf *b, uint32_t pid,
		       const struct sensor_entry *s)
{
	struct event e = {
		.pid = (pid_t)pid,
		.start_ticks = s->start_ns / b->way->tick_ns,
		.at_ns = s->at_ns,
		.cgroup = s->cgroup,
	};

	if (s->what & (SENSOR_FORK | SENSOR_EXEC)) {
		e.kind = EVENT_BORN;
		b->way->tell(b->way->user, &e);
	}
	if (s->what & SENSOR_CODE) {
		e.kind = EVENT_CODE;
		if (sensor_code_is_news(b->code, &e))
			b->way->tell(b->way->user, &e);
	}
}

#define BATCH 256

static int empty(struct bpf *b, int table)
{
	struct sensor_entry e[BATCH];
	uint32_t pid[BATCH], from = 0;

	for (int err = 0, first = 1; !err; first = 0) {
		uint32_t n = BATCH;

		err = bpf_map_lookup_and_delete_batch(
			table, first ? NULL : &from, &from, pid, e, &n, NULL);
		if (err && err != -ENOENT)
			return err;
		for (uint32_t i = 0; i < n; i++)
			tell_entry(b, pid[i], &e[i]);
	}
	return 0;
}

/* Empties the table that rests and lets it take over. */
static int turn(struct bpf *b, const struct sensor_counters *now)
{
	unsigned resting = ~b->shared->epoch & 1;
	int err = b->used[resting] ? empty(b, b->tables[resting]) : 0;

	b->used[resting] = false;
	__atomic_add_fetch(&b->shared->epoch, 1, __ATOMIC_SEQ_CST);
	/* What was counted since may stand in either. */
	if (now->forks != b->seen.forks || now->execs != b->seen.execs ||
	    now->code != b->seen.code)
		b->used[0] = b->used[1] = true;
	return err;
}

static int read_bpf(void *it, struct sensor_way *w)
{
	struct bpf *b = it;
	struct sensor_counters now = sum(b);
	uint64_t missed = b->misses;
	struct event e;
	int err;

	b->way = w;
	err = turn(b, &now);
	if (err)
		return err;
	while (sensor_code_is_due(b->code, io_now_ns(), &e))
		w->tell(w->user, &e);
	ring_buffer__consume(b->rings);
	if (now.exits != b->seen.exits) /* else nothing went on */
		missed = sensor_programs_misses(&b->programs);
	if (now.full != b->seen.full || missed != b->misses) {
		w->state->missed +=
			now.full - b->seen.full + missed - b->misses;
		e = (struct event){ .kind = EVENT_LOST, .at_ns = io_now_ns() };
		w->tell(w->user, &e);
	}
	b->seen = now;
	b->misses = missed;
	return 0;
}

static void count_bpf(void *it, struct sensor_way *w)
{
	const struct bpf *b = it;
	struct sensor_counters now = sum(b);

	w->state->forks = now.forks;
	w->state->execs = now.execs;
	w->state->exits = now.exits;
	w->state->dropped = now.lost;
	sensor_programs_cost(&b->programs, w->state);
}

/* ---- start and end --------------------------------------------------- */

static void close_bpf(void *it)
{
	struct bpf *b = it;

	ring_buffer__free(b->rings);
	if (b->shared)
		munmap((void *)b->shared, sizeof(*b->shared));
	sensor_programs_close(&b->programs);
	sensor_code_free(b->code);
	free(b);
}

static int open_rings(struct bpf *b)
{
	int connects = bpf_object__find_map_fd_by_name(b->programs.object,
						       "connects"),
	    answers = bpf_object__find_map_fd_by_name(b->programs.object,
						      "answers");

	b->rings = ring_buffer__new(connects, on_ring_connect, b, NULL);
	if (!b->rings)
		return -errno;
	return ring_buffer__add(b->rings, answers, on_ring_answer, b);
}

static int open_bpf(struct sensor_way *w, void **ret, struct why *why)
{
	int err = sensor_load_possible(why);
	struct bpf *b;

	if (err)
		return err;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	err = sensor_programs_load(&b->programs, w->o, w->state, why);
	if (!err)
		err = sensor_code_new(&b->code);
	if (!err) {
		err = share(b);
		err = err ? err : open_rings(b);
		if (err)
			why_set(why, err, "what BPF programs share: %s",
				strerror(-err));
	}
	if (!err)
		err = sensor_programs_attach(&b->programs, w->state, why);
	if (err) {
		close_bpf(b);
		w->state->n_programs = 0;
	} else {
		*ret = b;
	}
	return err;
}

const struct sensor_kind sensor_bpf = {
	SENSOR_SETTLE_MS, open_bpf, read_bpf, count_bpf, close_bpf,
};
