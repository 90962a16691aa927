/* hashtree.c - walking a directory that may be full of traps: links, pipes,
 * devices whose mere opening does something, files that vanish. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hashelf.h"
#include "hashtree.h"
#include "text.h"

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

struct walk {
	const char *except;
	struct hashgood *good;
	struct hashtree_sum *sum;
	struct why *why;
};

static int failed(const struct walk *w, int error, const char *what)
{
	return why_set(w->why, error,
		       "%s: %s; read it as another user or "
		       "leave it out with --except",
		       what, strerror(-error));
}

static int add_file(const struct walk *w, int dir, const char *name,
		    const char *what)
{
	int error, fd = openat(dir, name, OPEN_FLAGS);
	struct digestlist list = { 0 };

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP
			       ? 0
			       : failed(w, -errno, what);
	error = hashelf_read(fd, what, &list, w->why);
	close(fd);
	if (error == -ENOEXEC)
		return 0;
	if (error == -EBADMSG) {
		w->sum->n_skipped++;
		return 0;
	}
	if (error)
		return error;
	w->sum->n_files++;
	error = hashgood_add(w->good, &list);
	digestlist_free(&list);
	return error ? failed(w, error, what) : 0;
}

static int add_directory(const struct walk *w, int fd, const char *what,
			 int depth);

static int add_entry(const struct walk *w, int dir, const char *name,
		     const char *above, int depth)
{
	char what[PATH_MAX], shown[256];
	struct stat st;
	int fd, error;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    (w->except && fnmatch(w->except, name, 0) == 0))
		return 0;
	snprintf(what, sizeof(what), "%.3800s/%s", above,
		 text_escape_str(name, shown, sizeof(shown)));
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : failed(w, -errno, what);
	if (S_ISREG(st.st_mode))
		return add_file(w, dir, name, what);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth == HASHTREE_DEPTH)
		return failed(w, -ELOOP, what);
	fd = openat(dir, name, OPEN_FLAGS | O_DIRECTORY);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR
			       ? 0
			       : failed(w, -errno, what);
	error = add_directory(w, fd, what, depth + 1);
	close(fd);
	return error;
}

static int add_directory(const struct walk *w, int fd, const char *what,
			 int depth)
{
	/* closedir() closes: not what the caller opened */
	int error = 0,
	    own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;

	if (!dir) {
		error = -errno;
		if (own >= 0)
			close(own);
		return failed(w, error, what);
	}
	while (!error && (errno = 0, entry = readdir(dir)))
		error = add_entry(w, fd, entry->d_name, what, depth);
	if (!error && errno)
		error = failed(w, -errno, what);
	closedir(dir);
	return error;
}

int hashtree_add(int dir, const char *what, const char *except,
		 struct hashgood *good, struct hashtree_sum *sum,
		 struct why *why)
{
	const struct walk w = {
		.except = except, .good = good, .sum = sum, .why = why
	};

	return add_directory(&w, dir, what, 0);
}
