/* views_mounts.c - what is mounted over directories of processes.
 *
 * The list of mounts can be long; the kernel says when it changed (POLLPRI),
 * so it is read again only then. */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "views_mounts.h"

#define BYTES_MAX (64U << 20)
#define PIDS_MAX  65536

void views_mounts_open(struct views_mounts *m, int procfs)
{
	*m = (struct views_mounts){ .fd = openat(procfs, "self/mountinfo",
						 O_RDONLY | O_CLOEXEC) };
}

void views_mounts_close(struct views_mounts *m)
{
	if (m->fd >= 0)
		close(m->fd);
	free(m->pids);
	*m = (struct views_mounts){ .fd = -1 };
}

/* 36 35 98:0 /root /mount/point options... */
pid_t views_mounts_parse(const char *line)
{
	unsigned long pid;
	char *end;

	for (int i = 0; i < 4; i++) {
		line = strchr(line, ' ');
		if (!line)
			return 0;
		line++;
	}
	if (strncmp(line, "/proc/", 6) || !isdigit((unsigned char)line[6]))
		return 0;
	pid = strtoul(line + 6, &end, 10);
	return (*end == ' ' || *end == '/') && pid <= INT_MAX ? (pid_t)pid : 0;
}

static void add(struct views_mounts *m, pid_t pid)
{
	if (m->n == m->room) {
		size_t more = m->room ? m->room * 2 : 16;
		pid_t *p = more > PIDS_MAX
				   ? NULL
				   : realloc(m->pids, more * sizeof(*p));

		if (!p)
			return;
		m->pids = p;
		m->room = more;
	}
	m->pids[m->n++] = pid;
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* The beginning of a line is enough. */
static void read_all(struct views_mounts *m)
{
	char buf[16384], line[256];
	size_t all = 0, n = 0;
	ssize_t got;
	pid_t pid;

	m->n = 0;
	if (lseek(m->fd, 0, SEEK_SET))
		return;
	while (all < BYTES_MAX && (got = read(m->fd, buf, sizeof(buf))) > 0) {
		all += (size_t)got;
		for (ssize_t i = 0; i < got; i++) {
			if (buf[i] != '\n') {
				if (n < sizeof(line) - 1)
					line[n++] = buf[i];
				continue;
			}
			line[n] = '\0';
			n = 0;
			pid = views_mounts_parse(line);
			if (pid)
				add(m, pid);
		}
	}
	if (m->n)
		qsort(m->pids, m->n, sizeof(*m->pids), by_pid);
}

void views_mounts_refresh(struct views_mounts *m)
{
	struct pollfd changed = { .fd = m->fd, .events = POLLPRI };

	if (m->fd < 0 || (m->read && poll(&changed, 1, 0) == 0))
		return;
	m->read = true;
	read_all(m);
}

bool views_mounts_cover(const struct views_mounts *m, pid_t pid)
{
	return m->n && bsearch(&pid, m->pids, m->n, sizeof(pid), by_pid);
}
