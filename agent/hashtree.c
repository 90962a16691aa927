/* hashtree.c - walking a directory that may be full of traps: links, pipes,
 * devices whose mere opening does something, files that vanish. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hashelf.h"
#include "hashqueue.h"
#include "hashtree.h"
#include "text.h"

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

struct walk {
	const char *except;
	struct hashgood *good;
	struct hashtree_sum *sum;
	struct why *why;
	struct hashqueue *queue;
	struct hashtree_tick tick;
	/* What the threads share with each other: */
	pthread_mutex_t lock;
	struct why *first_why;
	int error;
};

static int failed(const struct walk *w, int error, const char *what)
{
	return why_set(w->why, error,
		       "%s: %s; read it as another user or "
		       "leave it out with --except",
		       what, strerror(-error));
}

static void count_file(struct walk *w, int error, const char *what,
		       const struct digestlist *list, const struct why *why)
{
	if (error == -EBADMSG) {
		w->sum->n_skipped++;
	} else if (!error) {
		w->sum->n_files++;
		if (hashgood_add(w->good, list)) {
			w->error = -E2BIG;
			why_set(w->first_why, 0, "%s: one page too many",
				what);
		}
	} else if (error != -ENOEXEC && !w->error) {
		w->error = error;
		*w->first_why = *why;
	}
	if (w->tick.call)
		w->tick.call(w->tick.user, w->sum->n_files);
}

/* In any thread. */
static void read_file(void *user, int fd, size_t number, const char *what)
{
	struct walk *w = user;
	struct digestlist list = { 0 };
	struct why why = { "" };
	int error = hashelf_read_good(fd, what, &list, &why);

	(void)number;
	close(fd);
	pthread_mutex_lock(&w->lock);
	count_file(w, error, what, &list, &why);
	pthread_mutex_unlock(&w->lock);
	digestlist_free(&list);
}

static int add_file(const struct walk *w, int dir, const char *name,
		    const char *what)
{
	int fd = openat(dir, name, OPEN_FLAGS);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP
			       ? 0
			       : failed(w, -errno, what);
	hashqueue_put(w->queue, fd, 0, what);
	return 0;
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
		 struct hashtree_tick tick, struct why *why)
{
	struct why first_why = { "" };
	struct walk w = { .except = except,
			  .good = good,
			  .sum = sum,
			  .why = why,
			  .tick = tick,
			  .lock = PTHREAD_MUTEX_INITIALIZER,
			  .first_why = &first_why };
	int error;

	w.queue = hashqueue_new(read_file, &w);
	error = add_directory(&w, dir, what, 0);
	hashqueue_end(w.queue);
	if (!error && w.error) {
		error = w.error;
		*why = first_why;
	}
	return error;
}
