/* sensor_programs.c - loading and attaching what bpf/sensor.bpf.c has: as much
 * of it as this kernel takes. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "builtin.h"
#include "sensor_load.h"
#include "sensor_programs.h"

#define ENTRIES	 16384	      /* of each table */
#define PLACES	 4096	      /* connections that were told already */
#define CONNECTS (64U << 10)  /* bytes of their ring: 1100 in half a second */
#define ANSWERS	 (256U << 10) /* 460 */

#define CGROUP2_SUPER_MAGIC 0x63677270 /* linux/magic.h */

/* What the programs are called, and which of them do the same. */
static const struct program {
	const char *program, *name, *how;
	bool needed;
} programs[] = {
	/* The end first: what is put in before it is attached may stay. */
	{ "on_exit", "exit", "tp_btf", true },
	{ "on_fork", "fork", "tp_btf", true },
	{ "on_exec", "exec", "tp_btf", true },
	{ "on_mmap", "mmap", "fentry", false },
	{ "on_mprotect", "mprotect", "fentry", false },
	{ "on_mmap_kprobe", "mmap", "kprobe", false },
	{ "on_mprotect_kprobe", "mprotect", "kprobe", false },
	{ "on_connect", "connect", "tp_btf", false },
	{ "on_answer", "dns", "cgroup_skb", false },
};

#define N_PROGRAMS SENSOR_BPF_PROGRAMS

_Static_assert(sizeof(programs) / sizeof(programs[0]) == N_PROGRAMS,
	       "one link each");

/* ---- programs -------------------------------------------------------- */

static struct sensor_program *row(struct sensor_state *s, const char *name)
{
	for (size_t i = 0; i < s->n_programs; i++)
		if (!strcmp(s->programs[i].name, name))
			return &s->programs[i];
	s->programs[s->n_programs] =
		(struct sensor_program){ .name = name, .how = "" };
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

static void set_sizes(struct sensor_programs *all,
		      const struct sensor_options *o)
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
			bpf_object__find_map_by_name(all->object, sizes[i].map),
			sizes[i].n);
}

/* Programs that were refused before are left out, with all that go the same
 * way where none of those can be had. */
static int open_object(struct sensor_programs *all,
		       const struct sensor_options *o,
		       const bool refused[N_PROGRAMS], struct why *why)
{
	int err;

	bpf_object__close(all->object);
	all->object = NULL;
	err = sensor_load_open(builtin_sensor,
			       (size_t)(builtin_sensor_end - builtin_sensor),
			       &all->object, why);
	if (err)
		return err;
	set_sizes(all, o);
	for (size_t i = 0; i < N_PROGRAMS; i++)
		bpf_program__set_autoload(
			bpf_object__find_program_by_name(all->object,
							 programs[i].program),
			!refused[i]);
	return 0;
}

/* One program that is refused fails them all: it is left out then, as are the
 * others that go its way, and loading begins again. */
int sensor_programs_load(struct sensor_programs *all,
			 const struct sensor_options *o, struct sensor_state *s,
			 struct why *why)
{
	bool refused[N_PROGRAMS] = { false };

	*all = (struct sensor_programs){ .measuring = -1 };
	s->n_programs = 0;
	for (size_t i = 0; i < N_PROGRAMS; i++)
		row(s, programs[i].name);
	if (o->measure)
		all->measuring = bpf_enable_stats(BPF_STATS_RUN_TIME);

	for (size_t tries = 0; tries < N_PROGRAMS; tries++) {
		const struct program *p;
		char name[64] = "";
		int err = open_object(all, o, refused, why);

		if (!err)
			err = sensor_load(all->object, name, why);
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
			set_why(s, &programs[i], why);
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

static int attach_one(struct sensor_programs *all, size_t i, struct why *why)
{
	struct bpf_program *p = bpf_object__find_program_by_name(
		all->object, programs[i].program);
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
	all->links[i] = sensor_attach(p, cgroup, why);
	if (cgroup >= 0)
		close(cgroup);
	return all->links[i] ? 0 : -EIO;
}

int sensor_programs_attach(struct sensor_programs *all, struct sensor_state *s,
			   struct why *why)
{
	for (size_t i = 0; i < N_PROGRAMS; i++) {
		struct sensor_program *r = row(s, programs[i].name);
		struct why no = { "" };

		if (r->how[0])
			continue; /* the better way works */
		if (!attach_one(all, i, &no)) {
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

void sensor_programs_close(struct sensor_programs *all)
{
	for (size_t i = 0; i < N_PROGRAMS; i++)
		bpf_link__destroy(all->links[i]);
	bpf_object__close(all->object);
	if (all->measuring >= 0)
		close(all->measuring);
}

/* ---- asking the kernel ----------------------------------------------- */

static bool get_info(const struct sensor_programs *all, size_t i,
		     struct bpf_prog_info *ret)
{
	uint32_t len = sizeof(*ret);
	struct bpf_program *p = bpf_object__find_program_by_name(
		all->object, programs[i].program);

	memset(ret, 0, sizeof(*ret));
	return all->links[i] &&
	       !bpf_obj_get_info_by_fd(bpf_program__fd(p), ret, &len);
}

uint64_t sensor_programs_misses(const struct sensor_programs *all)
{
	struct bpf_prog_info info;
	uint64_t n = 0;

	for (size_t i = 0; i < N_PROGRAMS; i++)
		if (programs[i].needed && get_info(all, i, &info))
			n += info.recursion_misses;
	return n;
}

void sensor_programs_cost(const struct sensor_programs *all,
			  struct sensor_state *s)
{
	struct bpf_prog_info info;

	for (size_t i = 0; i < N_PROGRAMS; i++)
		if (get_info(all, i, &info)) {
			row(s, programs[i].name)->runs = info.run_cnt;
			row(s, programs[i].name)->run_ns = info.run_time_ns;
		}
}
