/* looking.c - at which process the service looks, in a file that is mapped: a
 * store for each look, no call. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io.h"
#include "looking.h"

#define BOOT 40 /* a boot_id, and zeros */

struct looking {
	char boot[BOOT];
	struct looking_at at;
	struct looking_at once; /* who was not survived, and is tried again */
	struct looking_at refused[LOOKING_REFUSED];
	uint32_t next, n; /* place for the next one; in use */
};

static int open_file(const char *beside)
{
	char copy[4096], path[4096];
	struct stat st;
	int fd;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", beside) >=
		    sizeof(copy) ||
	    (size_t)snprintf(path, sizeof(path), "%s/looking", dirname(copy)) >=
		    sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
		  0600);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_nlink != 1) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* Makes it one of this boot, whatever it was. */
static void check(struct looking *l, const char boot[static BOOT])
{
	if (!memcmp(l->boot, boot, BOOT) && l->next < LOOKING_REFUSED &&
	    l->n <= LOOKING_REFUSED)
		return;
	memset(l, 0, sizeof(*l));
	memcpy(l->boot, boot, BOOT);
}

/* Refuses who is at hand if it was before.  False: it is tried again. */
static bool refuse(struct looking *l)
{
	if (!l->at.pid)
		return false;
	if (l->at.pid != l->once.pid ||
	    l->at.start_ticks != l->once.start_ticks) {
		l->once = l->at;
		return false;
	}
	l->refused[l->next] = l->at;
	l->next = (l->next + 1) % LOOKING_REFUSED;
	if (l->n < LOOKING_REFUSED)
		l->n++;
	return true;
}

int looking_open(const char *beside, struct looking **ret,
		 struct looking_at *ret_died)
{
	struct looking *l = MAP_FAILED;
	int fd = open_file(beside), err = 0;
	char boot[BOOT] = "";
	ssize_t n = io_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id",
			       boot, sizeof(boot));

	if (fd < 0)
		return fd;
	if (n < 0 || ftruncate(fd, sizeof(*l)))
		err = n < 0 ? (int)n : -errno;
	if (!err)
		l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
	if (!err && l == MAP_FAILED)
		err = -errno;
	close(fd);
	if (err)
		return err;
	check(l, boot);
	*ret_died = refuse(l) ? l->at : (struct looking_at){ 0 };
	looking_at(l, (struct looking_at){ 0 });
	*ret = l;
	return 0;
}

void looking_close(struct looking *l)
{
	if (!l)
		return;
	looking_at(l, (struct looking_at){ 0 });
	munmap(l, sizeof(*l));
}

struct looking_at looking_at(struct looking *l, struct looking_at at)
{
	struct looking_at was = { 0 };

	if (!l)
		return was;
	was = l->at;
	/* One that is half written names nobody. */
	__atomic_store_n(&l->at.pid, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&l->at.start_ticks, at.start_ticks, __ATOMIC_RELEASE);
	__atomic_store_n(&l->at.pid, at.pid, __ATOMIC_RELEASE);
	return was;
}

bool looking_refuses(const struct looking *l, pid_t pid, uint64_t start_ticks)
{
	const struct looking_at *r;

	for (size_t i = 0; (r = looking_refused(l, i)); i++)
		if (r->pid == pid && r->start_ticks == start_ticks)
			return true;
	return false;
}

const struct looking_at *looking_refused(const struct looking *l, size_t i)
{
	return l && i < l->n ? &l->refused[i] : NULL;
}
