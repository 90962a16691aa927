/* spool.c - what is in the directory.
 *
 * A `.new-` file is locked by whoever writes it, and the kernel drops the
 * lock with the process: an unlocked one is a leftover.  Between its creation
 * and its lock a cleaner may take a live one away; the rename then says
 * ENOENT and the writer starts over. */
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

void spool_name(const struct spool_entry *e, char ret[static SPOOL_NAME])
{
	snprintf(ret, SPOOL_NAME, "%u-%016" PRIx64 "-%s-%08x.%x.json",
		 e->severity & 7u, e->seq, e->id, e->salt, e->done & 15u);
}

/* Exactly the names that spool_name() makes. */
static bool entry_parse(const char *name, struct spool_entry *ret)
{
	struct spool_entry e = { 0 };
	unsigned severity, done;
	char again[SPOOL_NAME];

	if (sscanf(name, "%1u-%16" SCNx64 "-%32[0-9a-f]-%8x.%1x.json",
		   &severity, &e.seq, e.id, &e.salt, &done) != 5 ||
	    severity > SEVERITY_HIGH || strlen(e.id) != SPOOL_ID)
		return false;
	e.severity = (uint8_t)severity;
	e.done = (uint8_t)done;
	spool_name(&e, again);
	if (strcmp(name, again))
		return false;
	*ret = e;
	return true;
}

/* ---- the directory --------------------------------------------------- */

static int make_parents(const char *path)
{
	char part[256];

	for (const char *s = path + 1; (s = strchr(s, '/')); s++) {
		snprintf(part, sizeof(part), "%.*s", (int)(s - path), path);
		if (mkdir(part, 0755) && errno != EEXIST)
			return -errno;
	}
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int open_checked(const char *path, int *ret, struct why *why)
{
	struct stat st;
	int fd, err;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return why_set(why, err, "spool %s: %s", path, strerror(-err));
	}
	if ((st.st_uid && st.st_uid != geteuid()) || st.st_mode & S_IWOTH) {
		close(fd);
		return why_set(
			why, -EPERM,
			"spool %s: owner %u, mode %o: must belong to root "
			"or to this user and be closed to others: "
			"chown root %s; chmod o-w %s",
			path, st.st_uid, st.st_mode & 07777, path, path);
	}
	*ret = fd;
	return 0;
}

/* ---- looking --------------------------------------------------------- */

/* A `.new-` file that nobody holds is what a killed writer left. */
static void sweep_new(struct spool *s, const char *name)
{
	int fd = openat(s->dir, name,
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		unlinkat(s->dir, name, 0);
	close(fd);
}

static bool is_ours(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") ||
	       !strcmp(name, "aside") || !strcmp(name, "counts") ||
	       !strcmp(name, "status") || !strcmp(name, "lost+found");
}

/* Whether @name is an event; what is neither that nor ours goes aside. */
static bool look_at(struct spool *s, const char *name, struct spool_entry *ret)
{
	struct stat st;

	if (is_ours(name))
		return false;
	if (!strncmp(name, ".new-", 5)) {
		sweep_new(s, name);
		return false;
	}
	if (fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return false;
	if (entry_parse(name, ret) && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    st.st_size <= SPOOL_EVENT_MAX) {
		ret->size = (uint32_t)st.st_size;
		return true;
	}
	spool_set_aside(s, name);
	return false;
}

static int by_seq(const void *a, const void *b)
{
	const struct spool_entry *x = a, *y = b;

	return x->seq != y->seq ? (x->seq > y->seq) - (x->seq < y->seq)
				: (x->salt > y->salt) - (x->salt < y->salt);
}

static int append(struct spool_entry **list, size_t *n, size_t *cap,
		  const struct spool_entry *e)
{
	struct spool_entry *more;

	if (*n == *cap) {
		*cap = *cap ? *cap * 2 : 64;
		more = reallocarray(*list, *cap, sizeof(**list));
		if (!more)
			return -ENOMEM;
		*list = more;
	}
	(*list)[(*n)++] = *e;
	return 0;
}

int spool_list(struct spool *s, struct spool_entry **ret, size_t *ret_n)
{
	struct spool_entry *list = NULL, e;
	uint64_t used = 0, next = s->next_seq;
	size_t n = 0, cap = 0;
	struct dirent *d;
	DIR *stream;
	int fd, err = 0;

	fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return -ENOMEM;
	}
	while (n < 2 * SPOOL_EVENTS && (errno = 0, d = readdir(stream))) {
		if (!look_at(s, d->d_name, &e))
			continue;
		err = append(&list, &n, &cap, &e);
		if (err)
			goto out;
		used += spool_cost(e.size);
		next = e.seq >= next && e.seq < UINT64_MAX ? e.seq + 1 : next;
	}
	err = -errno;
	if (err)
		goto out;
	if (n)
		qsort(list, n, sizeof(*list), by_seq);
	s->used_bytes = used;
	s->n = n;
	s->next_seq = next;
	*ret = list;
	*ret_n = n;
	list = NULL;
out:
	free(list);
	closedir(stream);
	return err;
}

int spool_open(const char *path, uint64_t max_bytes, struct spool **ret,
	       struct why *why)
{
	struct spool_entry *list = NULL;
	struct spool *s;
	size_t n;
	int err;

	if (path[0] != '/' || strlen(path) >= sizeof(s->path))
		return why_set(why, -EINVAL,
			       "[spool] path must be absolute and short");
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	snprintf(s->path, sizeof(s->path), "%s", path);
	s->max_bytes = max_bytes < SPOOL_MIN ? SPOOL_MIN : max_bytes;
	s->dir = -1;
	/* A spool that is there can be looked at on a read-only disk. */
	err = access(path, F_OK) ? make_parents(path) : 0;
	if (err) {
		why_set(why, err, "spool %s: can not be made: %s", path,
			strerror(-err));
		goto out;
	}
	err = open_checked(path, &s->dir, why);
	if (err)
		goto out;
	err = spool_list(s, &list, &n);
	if (err) {
		why_set(why, err, "spool %s: %s", path, strerror(-err));
		goto out;
	}
	*ret = s;
	s = NULL;
out:
	free(list);
	spool_close(s);
	return err;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	if (s->dir >= 0)
		close(s->dir);
	free(s);
}

/* ---- reading --------------------------------------------------------- */

int spool_read(struct spool *s, const struct spool_entry *e, char *ret,
	       size_t *ret_len)
{
	char name[SPOOL_NAME];
	size_t len = 0;
	ssize_t n;
	int fd, err = 0;

	spool_name(e, name);
	fd = openat(s->dir, name,
		    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ELOOP ? -EBADMSG : -errno;
	do {
		n = read(fd, ret + len, SPOOL_EVENT_MAX + 1 - len);
		if (n < 0 && errno != EINTR)
			err = -errno;
		len += n > 0 ? (size_t)n : 0;
	} while (n && !err && len <= SPOOL_EVENT_MAX);
	close(fd);
	if (!err && len != e->size)
		err = -EBADMSG;
	if (err)
		return err;
	ret[len] = 0;
	*ret_len = len;
	return 0;
}

int spool_mark(struct spool *s, struct spool_entry *e, uint8_t done)
{
	struct spool_entry to = *e;
	char old[SPOOL_NAME], new[SPOOL_NAME];

	to.done = done & 15;
	spool_name(e, old);
	spool_name(&to, new);
	if (strcmp(old, new) && renameat(s->dir, old, s->dir, new))
		return -errno;
	*e = to;
	return fsync(s->dir) ? -errno : 0;
}

int spool_remove(struct spool *s, const struct spool_entry *e)
{
	char name[SPOOL_NAME];

	spool_name(e, name);
	if (unlinkat(s->dir, name, 0) && errno != ENOENT)
		return -errno;
	return fsync(s->dir) ? -errno : 0;
}

int spool_aside(struct spool *s, const struct spool_entry *e)
{
	char name[SPOOL_NAME];

	spool_name(e, name);
	return spool_set_aside(s, name);
}

uint64_t spool_version(struct spool *s)
{
	struct stat st;

	if (fstat(s->dir, &st))
		return 0;
	return (uint64_t)st.st_mtim.tv_sec * 1000000000u +
	       (uint64_t)st.st_mtim.tv_nsec;
}
