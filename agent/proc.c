/* proc.c - which processes there are, and what one is. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "io.h"
#include "proc_own.h"

#define PIDS_MAX (4 << 20) /* PID_MAX_LIMIT, include/linux/threads.h */

struct pids {
	pid_t *list;
	size_t n, room;
};

pid_t proc_parse_pid(const char *text)
{
	pid_t pid = 0;

	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return 0;
		pid = pid * 10 + (*text - '0');
		if (pid > PIDS_MAX)
			return 0;
	}
	return pid;
}

static int take_pid(void *user, const char *name)
{
	struct pids *all = user;
	pid_t pid = proc_parse_pid(name);

	if (!pid)
		return 0;
	if (all->n == all->room) {
		size_t more = all->room ? all->room * 2 : 256;
		pid_t *p;

		if (more > PIDS_MAX)
			return -EOVERFLOW;
		p = realloc(all->list, more * sizeof(*p));
		if (!p)
			return -ENOMEM;
		all->list = p;
		all->room = more;
	}
	all->list[all->n++] = pid;
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

int proc_list(int procfs, pid_t **ret, size_t *ret_n)
{
	struct pids all = { 0 };
	int fd = openat(procfs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = io_each(fd, take_pid, &all);
	close(fd);
	if (err) {
		free(all.list);
		return err;
	}
	if (all.n)
		qsort(all.list, all.n, sizeof(*all.list), by_pid);
	*ret = all.list;
	*ret_n = all.n;
	return 0;
}

/* The name may hold spaces and parentheses: the last ')' ends it. */
int proc_parse_stat(const char *text, size_t len, struct proc *ret)
{
	const char *open = memchr(text, '(', len);
	const char *close = memrchr(text, ')', len);
	struct proc p = *ret;
	unsigned long flags;
	long threads;
	unsigned long long user, system, start;
	size_t n;

	if (!open || !close || close < open || text[len] != '\0')
		return -EBADMSG;
	if (sscanf(text, "%d", &p.pid) != 1 || p.pid <= 0)
		return -EBADMSG;
	if (sscanf(close,
		   ") %c %d %*d %*d %*d %*d %lu %*u %*u %*u %*u %llu %llu"
		   " %*d %*d %*d %*d %ld %*d %llu",
		   &p.state, &p.ppid, &flags, &user, &system, &threads,
		   &start) != 7)
		return -EBADMSG;
	n = (size_t)(close - open - 1);
	if (n >= sizeof(p.comm))
		n = sizeof(p.comm) - 1;
	memcpy(p.comm, open + 1, n);
	p.comm[n] = '\0';
	p.kernel = flags & 0x00200000; /* PF_KTHREAD, linux/sched.h */
	p.ending = flags & 0x00000004; /* PF_EXITING */
	p.threads = threads > 0 ? (uint32_t)threads : 0;
	p.cpu_ticks = user + system;
	p.start_ticks = start;
	*ret = p;
	return 0;
}

/* A saved text as if it had been read from its file. */
static ssize_t read_saved(const struct capture *c, enum capture_text which,
			  char *ret, size_t cap)
{
	size_t len;
	const char *text = capture_text(c, which, &len);

	if (len > cap - 1)
		len = cap - 1;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return (ssize_t)len;
}

ssize_t proc_read(const struct proc *p, enum capture_text which, char *ret,
		  size_t cap)
{
	static const char *const names[CAPTURE_TEXT_COUNT] = {
		[CAPTURE_STAT_FIRST] = "stat", [CAPTURE_STAT] = "stat",
		[CAPTURE_STATUS] = "status",   [CAPTURE_MAPS] = "maps",
		[CAPTURE_CMDLINE] = "cmdline", [CAPTURE_CGROUP] = "cgroup",
	};

	if (p->saved)
		return read_saved(p->saved, which, ret, cap);
	return names[which] ? io_read_at(p->dir, names[which], ret, cap)
			    : -ENOENT;
}

/* The effective uid: "Uid:\treal\teffective\t..." in proc_pid_status(5).
 * The name in its first line comes escaped from the kernel. */
static int read_uid(const struct proc *p, uid_t *ret)
{
	char text[4096];
	ssize_t n = proc_read(p, CAPTURE_STATUS, text, sizeof(text));
	const char *line;

	if (n < 0)
		return (int)n;
	line = strstr(text, "\nUid:");
	if (!line || sscanf(line, "\nUid: %*u %u", ret) != 1)
		return -EBADMSG;
	return 0;
}

static int saved_times(const struct capture *c, uint64_t *ret_first,
		       uint64_t *ret_last)
{
	size_t len;
	const char *text = capture_text(c, CAPTURE_TIMES, &len);

	if (sscanf(text, "%" SCNu64 " %" SCNu64, ret_first, ret_last) != 2 ||
	    *ret_first > *ret_last)
		return -EBADMSG;
	return 0;
}

/* What the process was at its capture's end. */
static int refresh_saved(struct proc *p)
{
	uint64_t first, last;
	struct proc now = *p;
	size_t len;
	const char *text = capture_text(p->saved, CAPTURE_STAT, &len);
	int err = proc_parse_stat(text, len, &now);

	if (!err)
		err = saved_times(p->saved, &first, &last);
	if (err)
		return err;
	now.seen_ns = last;
	*p = now;
	return 0;
}

int proc_of_capture(struct capture *c, struct proc *ret)
{
	struct proc p = { .dir = -1, .own = -1, .saved = c };
	uint64_t last;
	size_t len;
	const char *text = capture_text(c, CAPTURE_STAT_FIRST, &len);
	struct proc later;
	int err = proc_parse_stat(text, len, &p);

	if (!err)
		err = saved_times(c, &p.seen_ns, &last);
	if (!err)
		err = read_uid(&p, &p.uid);
	later = p;
	if (!err)
		err = refresh_saved(&later);
	if (!err && (later.pid != p.pid ||
		     later.start_ticks != p.start_ticks ||
		     later.cpu_ticks < p.cpu_ticks || p.state == 'Z'))
		err = -EBADMSG;
	p.tid = p.pid;
	if (!err)
		*ret = p;
	return err;
}

int proc_read_stat(int dir, const char *name, struct proc *ret)
{
	char text[1024];
	ssize_t n = io_read_at(dir, name, text, sizeof(text));

	if (n <= 0)
		return n == 0 || n == -ENOENT ? -ESRCH : (int)n;
	return proc_parse_stat(text, (size_t)n, ret);
}

int proc_refresh(struct proc *p)
{
	struct proc now = *p, thread = *p;
	int err;

	if (p->saved)
		return refresh_saved(p);
	err = proc_read_stat(p->own, "stat", &now);
	if (err)
		return err;
	if (p->dir != p->own && !proc_read_stat(p->dir, "stat", &thread))
		now.state = thread.state;
	if (now.start_ticks != p->start_ticks && p->start_ticks)
		return -ESRCH;
	now.seen_ns = io_now_ns();
	*p = now;
	return 0;
}

int proc_identify(int procfs, pid_t pid, struct proc *ret)
{
	struct proc p = { .dir = -1, .own = -1, .tid = pid };
	char name[32];
	int err;

	snprintf(name, sizeof(name), "%d/stat", pid);
	err = proc_read_stat(procfs, name, &p);
	if (err)
		return err;
	if (p.pid != pid)
		return -EXDEV;
	p.seen_ns = io_now_ns();
	*ret = p;
	return 0;
}

int proc_reread(struct proc *p)
{
	struct proc now = *p;
	int err = proc_refresh(&now) ?: read_uid(p, &now.uid);

	if (!err)
		*p = now;
	return err == -ENOENT ? -ESRCH : err;
}

int proc_open(int procfs, pid_t pid, struct proc *ret)
{
	struct proc p = { .dir = -1, .pid = pid, .tid = pid };
	char name[16];
	int err;

	ret->dir = -1;
	snprintf(name, sizeof(name), "%d", pid);
	p.dir = openat(procfs, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p.dir < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	p.own = p.dir;
	err = proc_refresh(&p);
	if (!err && p.pid != pid)
		err = -EXDEV;
	if (!err)
		err = read_uid(&p, &p.uid);
	if (!err && p.state == 'Z' && p.threads > 1)
		proc_find_thread(&p, false);
	if (err) {
		proc_close(&p);
		return err == -ENOENT ? -ESRCH : err;
	}
	*ret = p;
	return 0;
}

void proc_close(struct proc *p)
{
	if (p->dir < 0)
		return;
	if (p->own != p->dir)
		close(p->own);
	close(p->dir);
	p->dir = p->own = -1;
}

bool proc_is_dead(const struct proc *p)
{
	return (p->state == 'Z' || p->state == 'X') && p->threads <= 1;
}

bool proc_is(const struct proc *p, int pidfd)
{
	char name[32], text[512];
	const char *line;
	int dir, pid = -1;

	if (p->saved)
		return false;
	snprintf(name, sizeof(name), "%d", pidfd);
	dir = open("/proc/self/fdinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	if (io_read_at(dir, name, text, sizeof(text)) > 0 &&
	    (line = strstr(text, "\nPid:")))
		sscanf(line, "\nPid: %d", &pid);
	close(dir);
	return pid == p->pid;
}
