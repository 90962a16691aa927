/* spool_aside.c - what does not belong in the spool, and what was lost. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "spool_own.h"

#define COUNTS_LEN 84 /* four numbers of 20 digits, a line each */

static int open_counts(struct spool *s, int flags)
{
	struct stat st;
	int fd;

	fd = openat(s->dir, "counts",
		    flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0660);
	if (fd < 0)
		return -errno;
	/* Root writes here and the reporter's user may replace it: another
	 * name of some other file is refused. */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

static void counts_text(const struct spool_counts *c,
			char ret[static COUNTS_LEN + 1])
{
	snprintf(ret, COUNTS_LEN + 1,
		 "%020" PRIu64 "\n%020" PRIu64 "\n%020" PRIu64 "\n%020" PRIu64
		 "\n",
		 c->dropped[0], c->dropped[1], c->dropped[2], c->aside);
}

/* Exactly what counts_text() makes; else, as at the first time, zeros. */
static void read_counts(int fd, struct spool_counts *ret)
{
	char text[COUNTS_LEN + 1] = "", again[COUNTS_LEN + 1];
	struct spool_counts c;

	memset(ret, 0, sizeof(*ret));
	if (pread(fd, text, COUNTS_LEN, 0) != COUNTS_LEN ||
	    sscanf(text, "%20" SCNu64 " %20" SCNu64 " %20" SCNu64 " %20" SCNu64,
		   &c.dropped[0], &c.dropped[1], &c.dropped[2], &c.aside) != 4)
		return;
	counts_text(&c, again);
	if (!memcmp(text, again, sizeof(text)))
		*ret = c;
}

/* The other program may hold the lock for ever: wait 50 ms, then count
 * without it rather than not at all. */
static void lock_for_a_while(int fd)
{
	for (int i = 0; i < 50 && flock(fd, LOCK_EX | LOCK_NB); i++)
		usleep(1000);
}

void spool_count(struct spool *s, int severity)
{
	struct spool_counts c;
	char text[COUNTS_LEN + 1];
	uint64_t *n;
	int fd;

	fd = open_counts(s, O_RDWR | O_CREAT);
	if (fd < 0)
		return;
	/* 0660 whatever the umask: scanner and reporter both count. */
	(void)!fchmod(fd, 0660);
	lock_for_a_while(fd);
	read_counts(fd, &c);
	n = severity < 0 ? &c.aside : &c.dropped[severity];
	*n += *n < UINT64_MAX;
	counts_text(&c, text);
	if (pwrite(fd, text, COUNTS_LEN, 0) == COUNTS_LEN)
		fsync(fd);
	close(fd);
}

int spool_counts(struct spool *s, struct spool_counts *ret)
{
	int fd = open_counts(s, O_RDONLY);

	memset(ret, 0, sizeof(*ret));
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	read_counts(fd, ret);
	close(fd);
	return 0;
}

static int open_aside(struct spool *s)
{
	int fd;

	if (mkdirat(s->dir, "aside", 0770) && errno != EEXIST)
		return -errno;
	fd = openat(s->dir, "aside",
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static size_t files_in(int dir)
{
	struct dirent *d;
	size_t n = 0;
	DIR *stream;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		if (fd >= 0)
			close(fd);
		return SPOOL_ASIDE;
	}
	while ((d = readdir(stream)))
		n += d->d_name[0] != '.';
	closedir(stream);
	return n;
}

int spool_set_aside(struct spool *s, const char *name)
{
	int aside, err = 0;

	aside = open_aside(s);
	if (aside < 0)
		return aside;
	if (files_in(aside) >= SPOOL_ASIDE) {
		if (unlinkat(s->dir, name, 0))
			err = -errno;
	} else if (renameat(s->dir, name, aside, name)) {
		err = -errno;
	}
	close(aside);
	if (!err)
		spool_count(s, -1);
	return err;
}
