/* spool_put.c - write, fsync, rename, fsync the directory. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "spool_own.h"

/* ---- putting --------------------------------------------------------- */

/* The oldest of the lowest severity, none above @severity. */
static struct spool_entry *victim(struct spool_entry *list, size_t n,
				  enum severity severity)
{
	struct spool_entry *v = NULL;

	for (size_t i = 0; i < n; i++)
		if (list[i].size && list[i].severity <= severity &&
		    (!v || list[i].severity < v->severity))
			v = &list[i];
	return v;
}

static bool has_room(const struct spool *s, size_t len)
{
	return s->used_bytes + spool_cost(len) <= s->max_bytes &&
	       s->n < SPOOL_EVENTS;
}

static int make_room(struct spool *s, enum severity severity, size_t len)
{
	struct spool_entry *list = NULL, *v;
	char name[SPOOL_NAME];
	size_t n;
	int err;

	if (has_room(s, len))
		return 0;
	err = spool_list(s, &list, &n);
	while (!err && !has_room(s, len)) {
		v = victim(list, n, severity);
		/* Counted first: a kill between the two hides no loss. */
		spool_count(s, v ? v->severity : (int)severity);
		if (!v) {
			err = -ENOSPC;
			break;
		}
		spool_name(v, name);
		if (unlinkat(s->dir, name, 0) && errno != ENOENT)
			err = -errno;
		s->used_bytes -= spool_cost(v->size);
		s->n--;
		v->size = 0;
	}
	free(list);
	return err;
}

static int write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;
	ssize_t n;

	for (; len; p += n, len -= (size_t)n) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

/* @bytes under @name, whole or not at all.  -ENOENT: start over. */
static int put_file(struct spool *s, const char *name, const void *bytes,
		    size_t len)
{
	char temp[32];
	uint64_t r;
	int fd, err;

	if (getrandom(&r, sizeof(r), 0) != sizeof(r))
		return -EIO;
	snprintf(temp, sizeof(temp), ".new-%016" PRIx64, r);
	fd = openat(s->dir, temp,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return errno == ENOENT ? -EIO : -errno;
	/* The reporter reads as another user of the directory's group. */
	if (flock(fd, LOCK_EX | LOCK_NB) || fchmod(fd, 0640)) {
		err = -errno;
		goto out;
	}
	err = write_all(fd, bytes, len);
	if (!err && fsync(fd))
		err = -errno;
	if (!err && renameat(s->dir, temp, s->dir, name))
		err = -errno;
	if (err)
		goto out;
	if (fsync(s->dir)) {
		err = -errno;
		unlinkat(s->dir, name, 0);
	}
out:
	if (err)
		unlinkat(s->dir, temp, 0);
	close(fd);
	return err;
}

int spool_put(struct spool *s, enum severity severity,
	      const char id[static SPOOL_ID + 1], const void *json, size_t len,
	      struct why *why)
{
	struct spool_entry e = { .severity = (uint8_t)severity };
	char name[SPOOL_NAME];
	int err;

	if (!len || len > SPOOL_EVENT_MAX)
		return why_set(why, -EMSGSIZE, "event of %zu bytes: 1 to %u",
			       len, SPOOL_EVENT_MAX);
	err = make_room(s, severity, len);
	if (err)
		goto fail;
	for (int tries = 0; tries < 3; tries++) {
		e.seq = s->next_seq;
		snprintf(e.id, sizeof(e.id), "%s", id);
		if (getrandom(&e.salt, sizeof(e.salt), 0) != sizeof(e.salt)) {
			err = -EIO;
			goto fail;
		}
		spool_name(&e, name);
		err = put_file(s, name, json, len);
		if (err != -ENOENT)
			break;
	}
	if (err)
		goto fail;
	s->next_seq++;
	s->n++;
	s->used_bytes += spool_cost(len);
	return 0;
fail:
	return why_set(why, err, "spool %s: a finding could not be kept: %s%s",
		       s->path, strerror(-err),
		       err == -ENOSPC  ? " (free disk space or raise [spool] "
					 "max_bytes)"
		       : err == -EROFS ? " (mount it writable or set [spool] "
					 "path)"
				       : "");
}

int spool_status_set(struct spool *s, const char *text, size_t len)
{
	int err = -ENOENT;

	for (int tries = 0; tries < 3 && err == -ENOENT; tries++)
		err = put_file(s, "status", text, len);
	return err;
}

int spool_status(struct spool *s, char *ret, size_t cap)
{
	int fd = openat(s->dir, "status",
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, ret, cap - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	ret[n] = 0;
	return 0;
}
