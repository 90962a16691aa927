/* installed.c - rules and hash sets that came as signed updates. */
#include <ctype.h>
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
#include "builtin.h"
#include "installed.h"
#include "owned.h"
#include "text.h"
#include "verify.h"

#define FILE_MAX     (4ULL << 30) /* bytes of an update */
#define INCOMING     ".incoming"  /* a directory, until it is verified */
#define OPEN_DIR     (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define OPEN_FOREIGN (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static const struct kind {
	const char *word, *dir, *file;
	uint64_t builtin;
} kinds[] = {
	[INSTALLED_RULES] = { "rules", INSTALLED_DIR "/rules", "rules.yar",
			      BUILTIN_RULES_VERSION },
	[INSTALLED_HASHES] = { "hashes", INSTALLED_DIR "/hashes", "pages.set",
			       BUILTIN_HASHES_VERSION },
};

/* A whole number in its one way to be written, up to @end; 0: none. */
static uint64_t version_of(const char *s, const char **end)
{
	uint64_t n = 0;

	*end = s;
	if (*s == '0')
		return 0;
	for (; isdigit((unsigned char)**end); (*end)++) {
		n = n * 10 + (uint64_t)(**end - '0');
		if (n > INSTALLED_VERSION_MAX)
			return 0;
	}
	return n;
}

bool installed_parse(enum installed_kind kind, const char *comment,
		     uint64_t *ret_version)
{
	char begin[32];
	const char *end;
	int n = snprintf(begin, sizeof(begin), "davylamp %s ",
			 kinds[kind].word);

	if (strncmp(comment, begin, (size_t)n))
		return false;
	*ret_version = version_of(comment + n, &end);
	return *ret_version && (!*end || *end == ' ');
}

/* ---- what is there --------------------------------------------------- */

static int check_owner(int dir, const char *name, mode_t type,
		       const char *shown, struct why *why)
{
	int fd = openat(dir, name, type == S_IFDIR
					   ? OPEN_DIR
					   : OPEN_FOREIGN | O_NOFOLLOW);
	int err = fd < 0 ? why_set(why, -errno, "%s: %s", shown,
				   strerror(errno))
			 : owned_check(fd, type, shown, why);

	if (fd >= 0)
		close(fd);
	return err;
}

/* The highest version in @dir; 0: none. */
static int highest(int dir, uint64_t *ret)
{
	int fd = openat(dir, ".", OPEN_DIR);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!d)
		return -errno;
	*ret = 0;
	while ((e = readdir(d))) {
		const char *end;
		uint64_t n = version_of(e->d_name, &end);

		if (!*end && n > *ret)
			*ret = n;
	}
	closedir(d);
	return 0;
}

static int find_in(int dir, const struct kind *k, struct installed *ret,
		   struct why *why)
{
	uint64_t version = 0;
	char name[64], path[128];
	int err = owned_check(dir, S_IFDIR, k->dir, why);

	if (!err)
		err = highest(dir, &version);
	if (err || version <= k->builtin)
		return err;
	snprintf(name, sizeof(name), "%" PRIu64, version);
	snprintf(path, sizeof(path), "%s/%s", k->dir, name);
	err = check_owner(dir, name, S_IFDIR, path, why);
	if (err)
		return err;
	snprintf(name, sizeof(name), "%" PRIu64 "/%s", version, k->file);
	snprintf(path, sizeof(path), "%s/%s", k->dir, name);
	err = check_owner(dir, name, S_IFREG, path, why);
	if (err)
		return err;
	ret->version = version;
	strcpy(ret->path, path);
	return 0;
}

int installed_find(enum installed_kind kind, struct installed *ret,
		   struct why *why)
{
	const struct kind *k = &kinds[kind];
	int err, dir = open(k->dir, OPEN_DIR);

	*ret = (struct installed){ .version = k->builtin };
	if (dir < 0)
		/* Who is not root may be kept out: what is built in will do. */
		return errno == ENOENT || (errno == EACCES && geteuid())
			       ? 0
			       : why_set(why, -errno, "%s: %s", k->dir,
						 strerror(errno));
	err = find_in(dir, k, ret, why);
	close(dir);
	return err;
}

/* ---- a new one ------------------------------------------------------- */

static int copy(const char *from, int dir, const char *to, uint64_t max,
		struct why *why)
{
	int in = open(from, OPEN_FOREIGN), out = -1, err = 0;
	char shown[256], buf[65536];
	struct stat st;
	uint64_t done = 0;
	ssize_t n = 1;

	text_escape_str(from, shown, sizeof(shown));
	if (in < 0 || fstat(in, &st))
		err = why_set(why, -errno, "%s: %s", shown, strerror(errno));
	else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max)
		err = why_set(why, -EINVAL,
			      "%s: is no regular file, or larger than %" PRIu64
			      " bytes",
			      shown, max);
	else if ((out = openat(dir, to,
			       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) <
		 0)
		err = why_set(why, -errno, "%s: %s", to, strerror(errno));
	while (!err && n && done <= max) {
		n = read(in, buf, sizeof(buf));
		if (n < 0 || write(out, buf, (size_t)n) != n)
			err = why_set(why, errno ? -errno : -ENOSPC,
				      "%s: %s", shown, strerror(errno));
		done += n > 0 ? (uint64_t)n : 0;
	}
	if (!err && fsync(out))
		err = why_set(why, -errno, "%s: %s", to, strerror(errno));
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return err;
}

static void remove_version(int dir, const char *name, const struct kind *k)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", name, k->file);
	unlinkat(dir, path, 0);
	snprintf(path, sizeof(path), "%s/%s.minisig", name, k->file);
	unlinkat(dir, path, 0);
	unlinkat(dir, name, AT_REMOVEDIR);
}

/* The copies are root's own now: what is verified is what will be used. */
static int verify_copies(int dir, const struct kind *k,
			 struct verify_answer *ret, struct why *why)
{
	char signature[64];
	int file = openat(dir, k->file, OPEN_FOREIGN), fd, err;

	snprintf(signature, sizeof(signature), "%s.minisig", k->file);
	fd = openat(dir, signature, OPEN_FOREIGN);
	err = file < 0 || fd < 0 ? -errno : verify_file(file, fd, ret, why);
	if (file >= 0)
		close(file);
	if (fd >= 0)
		close(fd);
	return err;
}

static int judge(enum installed_kind kind, const struct verify_answer *a,
		 const struct installed *now, uint64_t *ret_version,
		 struct why *why)
{
	char shown[256];

	if (!installed_parse(kind, a->comment, ret_version))
		return why_set(why, -EBADMSG,
			       "the trusted comment '%s' is not 'davylamp %s "
			       "VERSION'",
			       text_escape_str(a->comment, shown,
					       sizeof(shown)),
			       kinds[kind].word);
	if (*ret_version == now->version)
		return why_set(why, -EALREADY,
			       "version %" PRIu64 " is in use already",
			       *ret_version);
	if (*ret_version < now->version)
		return why_set(why, -ESTALE,
			       "version %" PRIu64 " is older than version "
			       "%" PRIu64 ", which is in use; versions do not "
			       "go back",
			       *ret_version, now->version);
	return 0;
}

/* Below the lock: nobody else installs. */
static int put(int dir, enum installed_kind kind, const char *path,
	       const char *signature,
	       int (*check)(const char *path, struct why *why),
	       struct installed *ret, char ret_key[static 17],
	       struct why *why)
{
	const struct kind *k = &kinds[kind];
	struct verify_answer a = { 0 };
	struct installed now;
	char to[128], name[32];
	uint64_t version = 0;
	int in, err = installed_find(kind, &now, why);

	if (err)
		return err;
	remove_version(dir, INCOMING, k); /* of one that was cut off */
	if (mkdirat(dir, INCOMING, 0755) ||
	    (in = openat(dir, INCOMING, OPEN_DIR)) < 0)
		return why_set(why, -errno, "%s/" INCOMING ": %s", k->dir,
			       strerror(errno));
	err = copy(path, in, k->file, FILE_MAX, why);
	snprintf(to, sizeof(to), "%s.minisig", k->file);
	if (!err)
		err = copy(signature, in, to, VERIFY_TEXT_MAX, why);
	if (!err)
		err = verify_copies(in, k, &a, why);
	if (!err)
		err = judge(kind, &a, &now, &version, why);
	snprintf(to, sizeof(to), "%s/" INCOMING "/%s", k->dir, k->file);
	if (!err)
		err = check(to, why);
	snprintf(name, sizeof(name), "%" PRIu64, version);
	if (!err && (fsync(in) || renameat(dir, INCOMING, dir, name) ||
		     fsync(dir)))
		err = why_set(why, -errno, "%s/%s: %s", k->dir, name,
			      strerror(errno));
	close(in);
	if (err) {
		remove_version(dir, INCOMING, k);
		return err;
	}
	if (now.path[0]) {
		snprintf(name, sizeof(name), "%" PRIu64, now.version);
		remove_version(dir, name, k);
	}
	memcpy(ret_key, a.key, sizeof(a.key));
	return installed_find(kind, ret, why);
}

int installed_put(enum installed_kind kind, const char *path,
		  const char *signature,
		  int (*check)(const char *path, struct why *why),
		  struct installed *ret, char ret_key[static 17],
		  struct why *why)
{
	const struct kind *k = &kinds[kind];
	int dir, err;

	umask(022);
	if (mkdir(INSTALLED_DIR, 0755) && errno != EEXIST)
		return why_set(why, -errno, INSTALLED_DIR ": %s",
			       strerror(errno));
	if (mkdir(k->dir, 0755) && errno != EEXIST)
		return why_set(why, -errno, "%s: %s", k->dir, strerror(errno));
	dir = open(k->dir, OPEN_DIR);
	if (dir < 0)
		return why_set(why, -errno, "%s: %s", k->dir, strerror(errno));
	err = owned_check(dir, S_IFDIR, k->dir, why);
	if (!err && flock(dir, LOCK_EX))
		err = why_set(why, -errno, "%s: %s", k->dir, strerror(errno));
	if (!err)
		err = put(dir, kind, path, signature, check, ret, ret_key,
			  why);
	close(dir);
	return err;
}
