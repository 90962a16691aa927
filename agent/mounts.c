/* mounts.c - what is mounted, as proc_pid_mountinfo(5) has it. */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "mounts.h"

#define NUMBERS_MAX 65536
#define MAJORS	    (1U << 12)
#define MINORS	    (1U << 20)

void mounts_open(struct mounts *m, int dir, const char *path,
		 mounts_number_fn *number)
{
	*m = (struct mounts){ .fd = openat(dir, path, O_RDONLY | O_CLOEXEC),
			      .number = number };
}

void mounts_close(struct mounts *m)
{
	if (m->fd >= 0)
		close(m->fd);
	free(m->numbers);
	*m = (struct mounts){ .fd = -1 };
}

/* 36 35 98:0 /root /mount/point options... - type source options */
bool mounts_parse(char *line, struct mount *ret)
{
	char *type = strstr(line, " - "), *field = line;
	unsigned major, minor;

	if (!type || sscanf(line, "%*u %*u %u:%u ", &major, &minor) != 2 ||
	    major >= MAJORS || minor >= MINORS)
		return false;
	*type = '\0';
	type += strlen(" - ");
	for (int i = 0; i < 4; i++) {
		field = strchr(field, ' ');
		if (!field)
			return false;
		field++;
	}
	field[strcspn(field, " ")] = '\0';
	type[strcspn(type, " \n")] = '\0';
	*ret = (struct mount){ major << 20 | minor, field, type };
	return *type != '\0';
}

uint64_t mounts_covered_pid(const struct mount *m)
{
	unsigned long pid;
	char *end;

	if (strncmp(m->point, "/proc/", 6) ||
	    !isdigit((unsigned char)m->point[6]))
		return 0;
	pid = strtoul(m->point + 6, &end, 10);
	return (!*end || *end == '/') && pid <= INT_MAX ? pid : 0;
}

static void add(struct mounts *m, uint64_t number)
{
	if (m->n == m->room) {
		size_t more = m->room ? m->room * 2 : 64;
		uint64_t *p = more > NUMBERS_MAX
				      ? NULL
				      : realloc(m->numbers, more * sizeof(*p));

		if (!p)
			return;
		m->numbers = p;
		m->room = more;
	}
	m->numbers[m->n++] = number;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void read_all(struct mounts *m)
{
	int fd = dup(m->fd);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	struct mount mount;
	char *line = NULL;
	size_t cap = 0, all = 0;
	uint64_t number;
	ssize_t got;

	m->n = 0;
	if (!f) {
		if (fd >= 0)
			close(fd);
		return;
	}
	rewind(f); /* the descriptor that was copied, too */
	while (all < MOUNTS_BYTES && (got = getline(&line, &cap, f)) > 0) {
		all += (size_t)got;
		number = mounts_parse(line, &mount) ? m->number(&mount) : 0;
		if (number)
			add(m, number);
	}
	free(line);
	fclose(f);
	if (m->n)
		qsort(m->numbers, m->n, sizeof(*m->numbers), by_number);
}

void mounts_refresh(struct mounts *m)
{
	struct pollfd changed = { .fd = m->fd, .events = POLLPRI };

	if (m->fd < 0 || (m->read && poll(&changed, 1, 0) == 0))
		return;
	m->read = true;
	read_all(m);
}

bool mounts_has(const struct mounts *m, uint64_t number)
{
	return m->n && bsearch(&number, m->numbers, m->n, sizeof(*m->numbers),
			       by_number);
}
