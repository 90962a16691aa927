/* localfs.c - which file systems this kernel answers for by itself. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "localfs.h"

#define DEVS_MAX  65536
#define MINOR_MAX (1U << 20)

/* By a program (fuse, fuse.sshfs, fuseblk; not fusectl), by another machine. */
static bool is_served(const char *type)
{
	static const char *const others[] = { "nfs",  "nfs4",	  "cifs",
					      "smb3", "9p",	  "ceph",
					      "afs",  "lustre",	  "virtiofs",
					      "coda", "orangefs", "beegfs",
					      "gpfs" };
	size_t n = strcspn(type, " \n");

	if (!strncmp(type, "fuse", 4))
		return n != strlen("fusectl") || strncmp(type, "fusectl", n);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strlen(others[i]) == n && !strncmp(type, others[i], n))
			return true;
	return false;
}

/* 36 35 0:98 /root /mount/point options... - type source options */
enum localfs_kind localfs_parse(const char *line, uint32_t *ret_dev)
{
	const char *type = strstr(line, " - ");
	unsigned major, minor;

	if (type && is_served(type + 3))
		return LOCALFS_SERVED;
	if (!type || sscanf(line, "%*u %*u %u:%u ", &major, &minor) != 2 ||
	    major >= 1U << 12 || minor >= MINOR_MAX || !(major | minor))
		return LOCALFS_NONE;
	*ret_dev = major << 20 | minor;
	return strncmp(type + 3, "overlay ", 8) ? LOCALFS_OWN : LOCALFS_OVERLAY;
}

static void add(struct localfs *l, uint32_t dev)
{
	if (l->n == l->room) {
		size_t more = l->room ? l->room * 2 : 64;
		uint32_t *p = more > DEVS_MAX
				      ? NULL
				      : realloc(l->devs, more * sizeof(*p));

		if (!p)
			return;
		l->devs = p;
		l->room = more;
	}
	l->devs[l->n++] = dev;
}

/* What they have in common is the device of the kernel's own mount of it. */
static uint32_t find_shm(void)
{
	int fd = memfd_create("davylamp", MFD_CLOEXEC);
	struct stat st;
	uint32_t dev = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0)
		dev = major(st.st_dev) << 20 | minor(st.st_dev);
	close(fd);
	return dev;
}

void localfs_open(struct localfs *l)
{
	*l = (struct localfs){
		.fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC),
		.shm = find_shm(),
	};
}

void localfs_close(struct localfs *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->devs);
	*l = (struct localfs){ .fd = -1 };
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Adds those of @kind. */
static void read_kind(struct localfs *l, FILE *f, enum localfs_kind kind)
{
	char *line = NULL;
	size_t cap = 0;

	rewind(f);
	while (getline(&line, &cap, f) > 0) {
		uint32_t dev;
		enum localfs_kind is = localfs_parse(line, &dev);

		l->served |= is == LOCALFS_SERVED;
		if (is == kind)
			add(l, dev);
	}
	free(line);
}

static void read_all(struct localfs *l)
{
	int fd = dup(l->fd);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	l->n = 0;
	l->served = false;
	if (!f) {
		if (fd >= 0)
			close(fd);
		return;
	}
	read_kind(l, f, LOCALFS_OWN);
	if (!l->served)
		read_kind(l, f, LOCALFS_OVERLAY);
	fclose(f);
	if (l->n)
		qsort(l->devs, l->n, sizeof(*l->devs), by_number);
}

void localfs_refresh(struct localfs *l)
{
	struct pollfd changed = { .fd = l->fd, .events = POLLPRI };

	if (l->fd < 0 || (l->read && poll(&changed, 1, 0) == 0))
		return;
	l->read = true;
	read_all(l);
}

bool localfs_has(const struct localfs *l, uint32_t dev)
{
	return dev >> 20 || dev == l->shm ||
	       (l->n && bsearch(&dev, l->devs, l->n, sizeof(dev), by_number));
}
