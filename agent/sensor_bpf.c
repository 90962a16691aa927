/* sensor_bpf.c - what happens, by the BPF programs of bpf/sensor.bpf.c.
 *
 * Every SENSOR_SETTLE_MS the table that was not written to since the last time
 * is emptied: what is still in it has lived for that long at least, and for
 * twice that at most.  Then the other one rests. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "../bpf/sensor.h"
#include "builtin.h"
#include "dns.h"
#include "io.h"
#include "peers.h"
#include "sensor_code.h"
#include "sensor_load.h"
#include "sensor_own.h"

#define ENTRIES	 16384 /* of each table */
#define PLACES	 4096  /* connections that were told already */
#define CONNECTS (64U << 10) /* bytes of their ring: 1100 in half a second */
#define ANSWERS	 (256U << 10) /* 460 */

#define CGROUP2_SUPER_MAGIC 0x63677270 /* linux/magic.h */

/* What the programs are called, and which of them do the same. */
static const struct program {
	const char *program, *name, *how;
	bool needed;
} programs[] = {
	{ "on_fork", "fork", "tp_btf", true },
	{ "on_exec", "exec", "tp_btf", true },
	{ "on_exit", "exit", "tp_btf", true },
	{ "on_mmap", "mmap", "fentry", false },
	{ "on_mprotect", "mprotect", "fentry", false },
	{ "on_mmap_kprobe", "mmap", "kprobe", false },
	{ "on_mprotect_kprobe", "mprotect", "kprobe", false },
	{ "on_connect", "connect", "tp_btf", false },
	{ "on_answer", "dns", "cgroup_skb", false },
};

#define N_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

struct bpf {
	struct bpf_object *object;
	struct bpf_link *links[N_PROGRAMS];
	struct ring_buffer *rings;
	struct sensor_code *code; /* whom we told of lately */
	volatile struct sensor_shared *shared;
	int tables[2];
	bool used[2]; /* something may be in it */
	struct sensor_counters seen; /* sums, at the last look */
	uint64_t misses;
	struct sensor_way *way; /* inside read */
};

/* ---- programs ---------------------------------------------------------------- */

static struct sensor_program *row(struct sensor_state *s, const char *name)
{
	for (size_t i = 0; i < s->n_programs; i++)
		if (!strcmp(s->programs[i].name, name))
			return &s->programs[i];
	s->programs[s->n_programs] = (struct sensor_program){ name, "", "" };
	return &s->programs[s->n_programs++];
}

/* The first reason is the one that matters: the second way is a makeshift. */
static void set_why(struct sensor_state *s, const struct program *p,
		    const struct why *why)
{
	struct sensor_program *r = row(s, p->name);

	if (!r->why[0])
		snprintf(r->why, sizeof(r->why), "%.255s", why->text);
}

static const struct program *by_program(const char *name)
{
	for (size_t i = 0; i < N_PROGRAMS; i++)
		if (!strcmp(programs[i].program, name))
			return &programs[i];
	return NULL;
}

static void set_sizes(struct bpf *b, const struct sensor_options *o)
{
	const struct {
		const char *map;
		uint32_t n;
	} sizes[] = {
		{ "even", o->table_entries ? o->table_entries : ENTRIES },
		{ "odd", o->table_entries ? o->table_entries : ENTRIES },
		{ "told", PLACES },
		{ "connects", o->ring_bytes ? o->ring_bytes : CONNECTS },
		{ "answers", o->ring_bytes ? o->ring_bytes : ANSWERS },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		bpf_map__set_max_entries(
			bpf_object__find_map_by_name(b->object, sizes[i].map),
			sizes[i].n);
}

/* Programs that were refused before are left out, with all that go the same
 * way where none of those can be had. */
static int open_object(struct bpf *b, const struct sensor_options *o,
		       const bool refused[N_PROGRAMS], struct why *why)
{
	int err;

	bpf_object__close(b->object);
	b->object = NULL;
	err = sensor_load_open(builtin_sensor,
			       (size_t)(builtin_sensor_end - builtin_sensor),
			       &b->object, why);
	if (err)
		return err;
	set_sizes(b, o);
	for (size_t i = 0; i < N_PROGRAMS; i++)
		bpf_program__set_autoload(
			bpf_object__find_program_by_name(b->object,
							 programs[i].program),
			!refused[i]);
	return 0;
}

/* One program that is refused fails them all: it is left out then, as are the
 * others that go its way, and loading begins again. */
static int load(struct bpf *b, struct sensor_way *w, struct why *why)
{
	bool refused[N_PROGRAMS] = { false };

	for (size_t tries = 0; tries < N_PROGRAMS; tries++) {
		const struct program *p;
		char name[64];
		int err = open_object(b, w->o, refused, why);

		if (!err)
			err = sensor_load(b->object, name, why);
		if (!err)
			return 0;
		p = by_program(name);
		if (!p || p->needed)
			return err;
		for (size_t i = 0; i < N_PROGRAMS; i++) {
			if (programs[i].needed ||
			    strcmp(programs[i].how, p->how) ||
			    (&programs[i] != p && !strcmp(p->how, "tp_btf")))
				continue;
			refused[i] = true;
			set_why(w->state, &programs[i], why);
		}
	}
	return -ELOOP;
}

/* The root of cgroup2, wherever systemd put it. */
static int open_cgroup(void)
{
	static const char *const places[] = { "/sys/fs/cgroup",
					      "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < 2; i++) {
		int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && fstatfs(fd, &fs) == 0 &&
		    fs.f_type == CGROUP2_SUPER_MAGIC)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

static int attach_one(struct bpf *b, size_t i, struct why *why)
{
	struct bpf_program *p = bpf_object__find_program_by_name(
		b->object, programs[i].program);
	int cgroup = -1;

	if (bpf_program__fd(p) < 0)
		return -ENOENT; /* refused, as was said */
	if (!strcmp(programs[i].how, "cgroup_skb")) {
		cgroup = open_cgroup();
		if (cgroup < 0)
			return why_set(why, -ENODEV,
				       "no cgroup2 at /sys/fs/cgroup: mount "
				       "-t cgroup2 none "
				       "/sys/fs/cgroup/unified");
	}
	b->links[i] = sensor_attach(p, cgroup, why);
	if (cgroup >= 0)
		close(cgroup);
	return b->links[i] ? 0 : -EIO;
}

static int attach(struct bpf *b, struct sensor_state *s, struct why *why)
{
	for (size_t i = 0; i < N_PROGRAMS; i++) {
		struct sensor_program *r = row(s, programs[i].name);
		struct why no = { "" };

		if (r->how[0])
			continue; /* the better way works */
		if (!attach_one(b, i, &no)) {
			r->how = programs[i].how;
			r->why[0] = '\0';
			continue;
		}
		set_why(s, &programs[i], &no);
		if (programs[i].needed)
			return why_set(why, -EIO, "%s: %s", programs[i].name,
				       no.text);
	}
	return 0;
}

/* ---- what is shared ------------------------------------------------------------- */

static int share(struct bpf *b)
{
	int fd = bpf_object__find_map_fd_by_name(b->object, ".bss");
	void *p = mmap(NULL, sizeof(*b->shared), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	b->shared = p;
	b->tables[0] = bpf_object__find_map_fd_by_name(b->object, "even");
	b->tables[1] = bpf_object__find_map_fd_by_name(b->object, "odd");
	return 0;
}

static struct sensor_counters sum(const struct bpf *b)
{
	struct sensor_counters all = { 0 };

	for (size_t i = 0; i < SENSOR_CPUS; i++) {
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

/* How often a program was left out because it ran already on this CPU. */
static uint64_t misses(const struct bpf *b)
{
	uint64_t all = 0;

	for (size_t i = 0; i < N_PROGRAMS; i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);
		struct bpf_program *p = bpf_object__find_program_by_name(
			b->object, programs[i].program);

		if (programs[i].needed &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len))
			all += info.recursion_misses;
	}
	return all;
}

/* ---- events ------------------------------------------------------------------------ */

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
	uint64_t missed = misses(b);
	struct event e;
	int err;

	b->way = w;
	err = turn(b, &now);
	if (err)
		return err;
	while (sensor_code_is_due(b->code, io_now_ns(), &e))
		w->tell(w->user, &e);
	ring_buffer__consume(b->rings);
	if (now.full != b->seen.full || missed != b->misses) {
		w->state->missed += now.full - b->seen.full + missed -
				    b->misses;
		e = (struct event){ .kind = EVENT_LOST, .at_ns = io_now_ns() };
		w->tell(w->user, &e);
	}
	b->seen = now;
	b->misses = missed;
	return 0;
}

static void count_bpf(void *it, struct sensor_way *w)
{
	struct sensor_counters now = sum(it);

	w->state->forks = now.forks;
	w->state->execs = now.execs;
	w->state->exits = now.exits;
	w->state->dropped = now.lost;
}

/* ---- start and end -------------------------------------------------------------------- */

static void close_bpf(void *it)
{
	struct bpf *b = it;

	for (size_t i = 0; i < N_PROGRAMS; i++)
		bpf_link__destroy(b->links[i]);
	ring_buffer__free(b->rings);
	if (b->shared)
		munmap((void *)b->shared, sizeof(*b->shared));
	bpf_object__close(b->object);
	sensor_code_free(b->code);
	free(b);
}

static int open_rings(struct bpf *b)
{
	int connects = bpf_object__find_map_fd_by_name(b->object, "connects"),
	    answers = bpf_object__find_map_fd_by_name(b->object, "answers");

	b->rings = ring_buffer__new(connects, on_ring_connect, b, NULL);
	if (!b->rings)
		return -errno;
	return ring_buffer__add(b->rings, answers, on_ring_answer, b);
}

static int open_bpf(struct sensor_way *w, void **ret, struct why *why)
{
	struct bpf *b = calloc(1, sizeof(*b));
	int err = sensor_load_possible(why);

	if (!b)
		return -ENOMEM;
	w->state->n_programs = 0;
	for (size_t i = 0; i < N_PROGRAMS; i++)
		row(w->state, programs[i].name);
	if (!err)
		err = sensor_code_new(&b->code);
	if (!err)
		err = load(b, w, why);
	if (!err) {
		err = share(b);
		err = err ? err : open_rings(b);
		if (err)
			why_set(why, err, "what BPF programs share: %s",
				strerror(-err));
	}
	if (!err)
		err = attach(b, w->state, why);
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
