/* self.c - our programs: where they are, and which processes are ours. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "io.h"
#include "proc.h"
#include "self.h"
#include "text.h"

/* Beside us, or where `make install` puts it, seen from bin/. */
static const char *const places[] = { ".", "../libexec/davylamp" };

int self_program(const char *name, char *ret, size_t cap, struct why *why)
{
	char self[4096], shown[256];
	ssize_t n = io_link_at(AT_FDCWD, "/proc/self/exe", self, sizeof(self));
	char *slash = n > 0 ? strrchr(self, '/') : NULL;

	if (!slash)
		return why_set(why, -ENOENT,
			       "/proc/self/exe can not be read: mount /proc");
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if ((size_t)snprintf(ret, cap, "%s/%s/%s", self, places[i],
				     name) < cap &&
		    access(ret, X_OK) == 0)
			return 0;
	return why_set(why, -ENOENT,
		       "%s is neither in '%s' nor in %s from there; install "
		       "davylamp whole, or keep its programs in one directory",
		       name, text_escape_str(self, shown, sizeof(shown)),
		       places[1]);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int children[SELF_CHILDREN]; /* pidfd + 1; 0: free */

/* Puts @to where @from is. */
static int replace(int from, int to)
{
	int err = -ENOSPC;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < SELF_CHILDREN && err; i++)
		if (children[i] == from) {
			children[i] = to;
			err = 0;
		}
	pthread_mutex_unlock(&lock);
	return err;
}

int self_remember(int pidfd)
{
	return replace(0, pidfd + 1);
}

void self_forget(int pidfd)
{
	replace(pidfd + 1, 0);
}

bool self_is(const struct proc *p)
{
	bool is = !p->saved && p->pid == getpid();

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < SELF_CHILDREN && !is; i++)
		is = children[i] && proc_is(p, children[i] - 1);
	pthread_mutex_unlock(&lock);
	return is;
}
