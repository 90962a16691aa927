/* gpu.c - does a process compute on a graphics card?
 *
 * Names are no answer: in a mount namespace of its own anybody gives a device
 * another one.  Its number stays, and the kernel says whose that is.  The files
 * are reached by way of the process's own /proc/PID/map_files, and nothing is
 * asked of who serves them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "gpu.h"
#include "io.h"

/* These are for computing; /dev/dri, which every desktop program maps, is
 * not. */
static const char *const drivers[] = { "nvidia-uvm", "kfd" };

#define DRIVERS (sizeof(drivers) / sizeof(drivers[0]))

struct majors {
	size_t n;
	unsigned number[DRIVERS];
};

/* "Character devices:\n  1 mem\n508 nvidia-uvm\n\nBlock devices:\n..." */
static void parse_devices(const char *text, struct majors *ret)
{
	const char *end = strstr(text, "Block devices:");
	unsigned number;
	char name[32];

	ret->n = 0;
	for (const char *line = text; line && line != end && *line;) {
		if (sscanf(line, "%u %31s", &number, name) == 2)
			for (size_t i = 0; i < DRIVERS; i++)
				if (!strcmp(name, drivers[i]) &&
				    ret->n < DRIVERS)
					ret->number[ret->n++] = number;
		line = strchr(line, '\n');
		line += line != NULL;
	}
}

static bool is_one(const struct majors *m, int dir, const char *name)
{
	struct statx st;

	if (statx(dir, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE,
		  &st) ||
	    !S_ISCHR(st.stx_mode))
		return false;
	for (size_t i = 0; i < m->n; i++)
		if (st.stx_rdev_major == m->number[i])
			return true;
	return false;
}

/* All of them, or decoys would do: 65,530 take a fifth of a second. */
static bool is_mapped(const struct majors *m, const struct proc *p,
		      const struct maps *maps)
{
	size_t n;
	const struct region *r = maps_regions(maps, &n);

	for (size_t i = 0; i < n; i++) {
		char name[64];

		if (!r[i].inode || r[i].flags & REGION_ANON ||
		    (i && r[i].inode == r[i - 1].inode &&
		     r[i].dev == r[i - 1].dev))
			continue;
		snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64,
			 r[i].start, r[i].end);
		if (is_one(m, p->dir, name))
			return true;
	}
	return false;
}

struct files {
	const struct majors *majors;
	int dir;
};

static int take_file(void *user, const char *name)
{
	const struct files *f = user;

	return is_one(f->majors, f->dir, name);
}

/* Who has lost its first thread has no map_files any more. */
static bool is_open(const struct majors *m, const struct proc *p)
{
	struct files f = { m, openat(p->dir, "fd",
				     O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	bool found = f.dir >= 0 && io_each(f.dir, take_file, &f) == 1;

	if (f.dir >= 0)
		close(f.dir);
	return found;
}

static bool computes_by(const struct majors *m, const struct proc *p,
			const struct maps *maps)
{
	return m->n &&
	       (is_mapped(m, p, maps) || (p->tid != p->pid && is_open(m, p)));
}

static bool is_named(const struct maps *maps)
{
	size_t n;
	const struct region *r = maps_regions(maps, &n);

	for (size_t i = 0; i < n; i++)
		if (r[i].flags & REGION_GPU)
			return true;
	return false;
}

bool gpu_computes(const struct proc *p, const struct maps *maps)
{
	struct majors majors;
	char text[16384];

	if (is_named(maps))
		return true;
	if (p->saved ||
	    io_read_at(AT_FDCWD, "/proc/devices", text, sizeof(text)) <= 0)
		return false;
	parse_devices(text, &majors);
	return computes_by(&majors, p, maps);
}
