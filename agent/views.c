/* views.c - which processes there are, seen from more than one side.
 *
 * A census takes the lists one after the other, while processes begin and end.
 * What one list lacks is called hidden only after a second look: it was there
 * before and after a list was read again that still lacks it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "mounts.h"
#include "proc.h"
#include "views.h"
#include "sensor_tasks.h"

#define PROC_SUPER_MAGIC 0x9fa0 /* linux/magic.h */
#define SUSPECTS_MAX	 4096	/* looked at again in one census */

struct pids {
	pid_t *list;
	size_t n;
};

struct views {
	int public, private; /* procfs; private may be -1 */
	struct sensor_tasks *tasks;
	struct mounts mounts; /* the processes they cover */
	const pid_t *only;
	size_t n_only;
	struct seen *list;
	size_t n, room;
	uint64_t tick_ns;
	struct why no_private, no_tasks;
};

/* ---- a procfs of our own --------------------------------------------- */

/* It is attached nowhere: only this descriptor knows it, and nobody can mount
 * anything over what is in it.  Since Linux 5.8 it has options of its own, so
 * hidepid of the host's /proc has no say either. */
static int open_private(struct why *why)
{
	int fs, err, mount = -1;

	fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
	if (fs < 0 ||
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		err = errno;
	else {
		mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
				     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					     MOUNT_ATTR_NODEV |
					     MOUNT_ATTR_NOEXEC);
		err = errno;
	}
	if (fs >= 0)
		close(fs);
	if (mount < 0)
		why_set(why, -err, "%s: %s", strerror(err),
			err == ENOSYS ? "needs Linux 5.2"
				      : "needs CAP_SYS_ADMIN");
	return mount;
}

static int open_public(struct why *why)
{
	struct statfs fs;
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return why_set(why, -errno, "/proc: %s", strerror(errno));
	if (fstatfs(fd, &fs) || fs.f_type != PROC_SUPER_MAGIC) {
		close(fd);
		return why_set(why, -ENODEV,
			       "/proc is no procfs: mount -t proc proc /proc");
	}
	return fd;
}

int views_open(const struct views_options *o, struct views **ret,
	       struct why *why)
{
	struct views *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->only = o->only;
	v->n_only = o->n_only;
	v->mounts.fd = v->private = -1;
	v->tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	v->public = open_public(why);
	if (!o->no_private)
		v->private = open_private(&v->no_private);
	else
		why_set(&v->no_private, 0, "switched off");
	if (v->public < 0 && v->private < 0) {
		int err = v->public;

		views_close(v);
		return err;
	}
	if (o->no_tasks)
		why_set(&v->no_tasks, 0, "switched off");
	else
		sensor_tasks_open(&v->tasks, &v->no_tasks);
	mounts_open(&v->mounts, views_procfs(v), "self/mountinfo",
		    mounts_covered_pid);
	*ret = v;
	return 0;
}

void views_close(struct views *v)
{
	if (!v)
		return;
	if (v->public >= 0)
		close(v->public);
	if (v->private >= 0)
		close(v->private);
	sensor_tasks_close(v->tasks);
	mounts_close(&v->mounts);
	free(v->list);
	free(v);
}

/* ---- lists ----------------------------------------------------------- */

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static bool has(const struct pids *p, pid_t pid)
{
	return p->n && bsearch(&pid, p->list, p->n, sizeof(pid), by_pid);
}

static void pids_free(struct pids *p)
{
	free(p->list);
	*p = (struct pids){ 0 };
}

/* As libc has it: whatever this host preloads into programs is in the way.
 * By its name, for such libraries look at that. */
static int list_by_libc(struct pids *ret)
{
	DIR *d = opendir("/proc");
	size_t room = 0;
	struct dirent *e;

	*ret = (struct pids){ 0 };
	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		long pid = strtol(e->d_name, NULL, 10);

		if (pid <= 0)
			continue;
		if (ret->n == room) {
			pid_t *p;

			room = room ? room * 2 : 512;
			p = realloc(ret->list, room * sizeof(*p));
			if (!p) {
				closedir(d);
				pids_free(ret);
				return -ENOMEM;
			}
			ret->list = p;
		}
		ret->list[ret->n++] = (pid_t)pid;
	}
	closedir(d);
	if (ret->n)
		qsort(ret->list, ret->n, sizeof(*ret->list), by_pid);
	return 0;
}

static bool is_wanted(const struct views *v, pid_t pid)
{
	size_t i = 0;

	while (i < v->n_only && v->only[i] != pid)
		i++;
	return !v->n_only || i < v->n_only;
}

static struct seen *add(struct views *v, const struct seen *s)
{
	if (v->n == v->room) {
		size_t more = v->room ? v->room * 2 : 512;
		struct seen *p = realloc(v->list, more * sizeof(*p));

		if (!p)
			return NULL;
		v->list = p;
		v->room = more;
	}
	v->list[v->n] = *s;
	return &v->list[v->n++];
}

/* What procfs lists.  Where nobody compares that with the task list, it need
 * not be asked: those that are wanted are looked up one by one. */
static int list_procfs(const struct views *v, struct pids *ret)
{
	pid_t last = 0;

	if (!v->n_only || v->tasks)
		return proc_list(views_procfs(v), &ret->list, &ret->n);
	ret->list = malloc(v->n_only * sizeof(*ret->list));
	ret->n = 0;
	if (!ret->list)
		return -ENOMEM;
	memcpy(ret->list, v->only, v->n_only * sizeof(*ret->list));
	qsort(ret->list, v->n_only, sizeof(*ret->list), by_pid);
	for (size_t i = 0; i < v->n_only; i++) {
		if (ret->list[i] != last)
			ret->list[ret->n++] = ret->list[i];
		last = ret->list[i];
	}
	return 0;
}

/* What procfs says of one process.  Where something is mounted over it that
 * may be of another one, or nothing. */
static int read_seen(const struct views *v, pid_t pid, struct seen *ret)
{
	struct proc p;
	int err = proc_identify(views_procfs(v), pid, &p);

	if (err)
		return err;
	*ret = (struct seen){ .pid = pid,
			      .ppid = p.ppid,
			      .start_ticks = p.start_ticks,
			      .cpu_ns = p.cpu_ticks * v->tick_ns,
			      .kernel = p.kernel };
	return 0;
}

/* ---- the union ------------------------------------------------------- */

static int by_seen_pid(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct seen *find(const struct seen *list, size_t n, pid_t pid)
{
	struct seen key = { .pid = pid };

	return n ? bsearch(&key, list, n, sizeof(key), by_seen_pid) : NULL;
}

static bool is_covered(const struct views *v, pid_t pid)
{
	return mounts_has(&v->mounts, (uint32_t)pid);
}

/* A process that procfs lists and the task list does not: it began between. */
static int add_listed(struct views *v, const struct pids *listed)
{
	size_t known = v->n;

	for (size_t i = 0; i < listed->n; i++) {
		pid_t pid = listed->list[i];
		struct seen s;
		int err;

		if (!is_wanted(v, pid) || find(v->list, known, pid))
			continue;
		err = read_seen(v, pid, &s);
		if (err == -ESRCH && !is_covered(v, pid))
			continue; /* it ended */
		if (err)
			s = (struct seen){ .pid = pid };
		if (!add(v, &s))
			return -ENOMEM;
	}
	if (v->n)
		qsort(v->list, v->n, sizeof(*v->list), by_seen_pid);
	return 0;
}

/* In the task list before and after, and in no procfs between. */
static int mark_unlisted(struct views *v, const struct pids *listed)
{
	const struct seen *later, *s;
	struct pids again;
	size_t n, suspects = 0;
	int err;

	for (size_t i = 0; i < v->n; i++)
		suspects += !has(listed, v->list[i].pid);
	if (!suspects)
		return 0;
	err = proc_list(views_procfs(v), &again.list, &again.n);
	if (err)
		return err;
	err = sensor_tasks_list(v->tasks, &later, &n);
	for (size_t i = 0; i < v->n && !err; i++) {
		if (has(listed, v->list[i].pid) || has(&again, v->list[i].pid))
			continue;
		s = find(later, n, v->list[i].pid);
		if (s && s->start_ticks == v->list[i].start_ticks)
			v->list[i].hidden |= HIDDEN_LIST;
	}
	pids_free(&again);
	return err;
}

/* What a process that ended meanwhile leaves in the list is dropped. */
static void drop_ended(struct views *v, const struct pids *listed)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (v->list[i].hidden || has(listed, v->list[i].pid))
			v->list[n++] = v->list[i];
	v->n = n;
}

/* Listed by the system call, twice not by libc, and there all the time. */
static void mark_hooked(struct views *v)
{
	pid_t suspects[SUSPECTS_MAX];
	struct pids raw, libc = { 0 }, again = { 0 };
	struct seen *s, now;
	size_t n = 0;

	if (v->public < 0 || proc_list(v->public, &raw.list, &raw.n))
		return;
	if (list_by_libc(&libc))
		libc = raw;
	for (size_t i = 0; i < raw.n && n < SUSPECTS_MAX; i++)
		if (!has(&libc, raw.list[i]))
			suspects[n++] = raw.list[i];
	if (n && !list_by_libc(&again))
		for (size_t i = 0; i < n; i++) {
			s = find(v->list, v->n, suspects[i]);
			if (s && !has(&again, s->pid) &&
			    !read_seen(v, s->pid, &now) &&
			    now.start_ticks == s->start_ticks)
				s->hidden |= HIDDEN_LIBC;
		}
	if (libc.list != raw.list)
		pids_free(&libc);
	pids_free(&again);
	pids_free(&raw);
}

/* The kernel's list first: it has each process with its CPU time at once. */
static int start_with_tasks(struct views *v)
{
	const struct seen *tasks;
	size_t n;
	int err;

	if (!v->tasks)
		return 0;
	err = sensor_tasks_list(v->tasks, &tasks, &n);
	if (err) { /* from now on without */
		why_set(&v->no_tasks, err, "the iterator failed: %s",
			strerror(-err));
		sensor_tasks_close(v->tasks);
		v->tasks = NULL;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		if (is_wanted(v, tasks[i].pid) && !add(v, &tasks[i]))
			return -ENOMEM;
	return 0;
}

int views_list(struct views *v, const struct seen **ret, size_t *ret_n)
{
	struct pids listed;
	int err;

	v->n = 0;
	mounts_refresh(&v->mounts);
	err = start_with_tasks(v);
	if (err)
		return err;
	err = list_procfs(v, &listed);
	if (err)
		return err;
	if (v->tasks)
		err = mark_unlisted(v, &listed);
	if (!err) {
		drop_ended(v, &listed);
		err = add_listed(v, &listed);
	}
	pids_free(&listed);
	if (err)
		return err;
	mark_hooked(v);
	for (size_t i = 0; v->mounts.n && i < v->n; i++)
		if (is_covered(v, v->list[i].pid))
			v->list[i].hidden |= HIDDEN_MOUNT;
	*ret = v->list;
	*ret_n = v->n;
	return 0;
}

/* ---- asking ---------------------------------------------------------- */

int views_procfs(const struct views *v)
{
	return v->private >= 0 ? v->private : v->public;
}

const char *views_why_no_private(const struct views *v)
{
	return v->no_private.text;
}

const char *views_why_no_tasks(const struct views *v)
{
	return v->no_tasks.text;
}

void views_describe(const struct views *v, char *ret, size_t cap)
{
	const char *p = v->no_private.text, *t = v->no_tasks.text;

	snprintf(ret, cap, "%s%s%s; %s%s%s",
		 *p ? "/proc only (" : "a procfs of our own", p, *p ? ")" : "",
		 *t ? "no task list (" : "the kernel's task list", t,
		 *t ? ")" : "");
}
