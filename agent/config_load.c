/* config_load.c - which files make the configuration, and whether they may. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config_keys.h"
#include "text.h"

#define FILE_MAX  (64u << 10)
#define FILES_MAX 128 /* of one conf.d */

/* ---- safe? ----------------------------------------------------------- */

static int refuse_open(int fd, const char *path, const struct stat *st,
		       const char *mode, struct why *why)
{
	char shown[160];

	text_escape_str(path, shown, sizeof(shown));
	close(fd);
	return why_set(
		why, -EPERM,
		"%s: owner %u, mode %04o: must belong to root or to this "
		"user and be closed to others: chown root %s; chmod %s "
		"%s",
		shown, st->st_uid, st->st_mode & 07777, shown, mode, shown);
}

static bool is_safe(const struct stat *st, mode_t closed)
{
	return (!st->st_uid || st->st_uid == geteuid()) &&
	       !(st->st_mode & closed);
}

static int open_at(const char *path, int flags, struct stat *st,
		   struct why *why)
{
	char shown[160];
	int fd = open(path,
		      O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	int err;

	if (fd < 0 || fstat(fd, st)) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return why_set(why, err, "%s: %s",
			       text_escape_str(path, shown, sizeof(shown)),
			       strerror(-err));
	}
	return fd;
}

int config_open_safe(const char *path, bool secret, struct why *why)
{
	char shown[160];
	struct stat st = { 0 };
	int fd = open_at(path, 0, &st, why);

	if (fd < 0)
		return fd;
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return why_set(why, -EINVAL, "%s: not a regular file",
			       text_escape_str(path, shown, sizeof(shown)));
	}
	if (!is_safe(&st, secret ? S_IWGRP | S_IRWXO : S_IWGRP | S_IWOTH))
		return refuse_open(fd, path, &st, secret ? "g-w,o-rwx" : "go-w",
				   why);
	return fd;
}

/* ---- one file -------------------------------------------------------- */

static int read_all(int fd, const char *shown, char *text, size_t *ret_len,
		    struct why *why)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, text + len, FILE_MAX + 1 - len);
		if (n < 0 && errno != EINTR)
			return why_set(why, -errno, "%s: %s", shown,
				       strerror(errno));
		len += n > 0 ? (size_t)n : 0;
	} while (n && len <= FILE_MAX);
	if (len > FILE_MAX)
		return why_set(why, -EFBIG, "%s: over %u bytes", shown,
			       FILE_MAX);
	*ret_len = len;
	return 0;
}

/* Reads @path over @c; -ENOENT where it is missing. */
static int add_file(struct config *c, const char *path, struct why *why)
{
	char *text, shown[256];
	size_t len = 0;
	int fd = config_open_safe(path, false, why), err;

	if (fd < 0)
		return fd;
	text_escape_str(path, shown, sizeof(shown));
	text = malloc(FILE_MAX + 1);
	err = text ? read_all(fd, shown, text, &len, why) : -ENOMEM;
	if (!err)
		err = config_add(c, shown, text, len, why);
	free(text);
	close(fd);
	return err;
}

/* ---- the places ------------------------------------------------------ */

struct names {
	char *list[FILES_MAX];
	size_t n;
};

static void free_names(struct names *l)
{
	while (l->n)
		free(l->list[--l->n]);
}

static bool has_name(const struct names *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->list[i], name))
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_part(const char *name)
{
	size_t n = strlen(name);

	return *name != '.' && n > 5 && !strcmp(name + n - 5, ".conf");
}

/* The names of PLACE/conf.d/ *.conf, in order; none where it is missing. */
static int list_parts(const char *place, struct names *ret, struct why *why)
{
	char path[512];
	struct stat st = { 0 };
	struct dirent *d;
	DIR *dir;
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/conf.d", place);
	fd = open_at(path, O_DIRECTORY, &st, why);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (!is_safe(&st, S_IWGRP | S_IWOTH))
		return refuse_open(fd, path, &st, "go-w", why);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!err && (d = readdir(dir))) {
		if (!is_part(d->d_name))
			continue;
		if (ret->n == FILES_MAX)
			err = why_set(why, -E2BIG, "%s: over %d files", path,
				      FILES_MAX);
		else if (!(ret->list[ret->n] = strdup(d->d_name)))
			err = -ENOMEM;
		else
			ret->n++;
	}
	closedir(dir);
	qsort(ret->list, ret->n, sizeof(*ret->list), by_name);
	return err;
}

/* PLACE/davylamp.conf and its parts but for those that @masked has, too. */
static int add_place(struct config *c, const char *place,
		     const struct names *parts, const struct names *masked,
		     struct why *why)
{
	char path[512];
	int err;

	snprintf(path, sizeof(path), "%s/davylamp.conf", place);
	err = add_file(c, path, why);
	if (err == -ENOENT)
		err = 0;
	for (size_t i = 0; !err && i < parts->n; i++) {
		if (has_name(masked, parts->list[i]))
			continue;
		if (snprintf(path, sizeof(path), "%s/conf.d/%s", place,
			     parts->list[i]) >= (int)sizeof(path))
			err = why_set(why, -ENAMETOOLONG,
				      "%s/conf.d: too long "
				      "a name",
				      place);
		else
			err = add_file(c, path, why);
	}
	return err;
}

int config_load_places(const char *vendor, const char *admin,
		       struct config *ret, struct why *why)
{
	struct names theirs = { .n = 0 }, ours = { .n = 0 };
	const struct names none = { .n = 0 };
	struct config c;
	int err = config_begin(&c);

	if (err)
		return err;
	err = list_parts(vendor, &theirs, why);
	if (!err)
		err = list_parts(admin, &ours, why);
	if (!err)
		err = add_place(&c, vendor, &theirs, &ours, why);
	if (!err)
		err = add_place(&c, admin, &ours, &none, why);
	free_names(&theirs);
	free_names(&ours);
	if (err)
		config_free(&c);
	else
		*ret = c;
	return err;
}

int config_load(const char *path, struct config *ret, struct why *why)
{
	struct config c;
	int err;

	if (!path)
		return config_load_places(CONFIG_VENDOR, CONFIG_ADMIN, ret,
					  why);
	err = config_begin(&c);
	if (err)
		return err;
	err = add_file(&c, path, why);
	if (err)
		config_free(&c);
	else
		*ret = c;
	return err;
}
