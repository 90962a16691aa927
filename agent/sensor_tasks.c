/* sensor_tasks.c - the kernel's own list of tasks, by a BPF iterator
 * (bpf/tasks.bpf.c). */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../bpf/sensor.h"
#include "builtin.h"
#include "sensor_load.h"
#include "sensor_tasks.h"

#define PF_KTHREAD  0x00200000	/* linux/sched.h */
#define THREADS_MAX (4U << 20)	/* PID_MAX_LIMIT, linux/threads.h */
#define CHUNK	    (32U << 10) /* what the kernel hands over at once, at most */

struct sensor_tasks {
	struct bpf_object *object;
	struct bpf_link *link;
	struct seen *list;
	size_t n, room;
	uint64_t tick_ns;
};

int sensor_tasks_open(struct sensor_tasks **ret, struct why *why)
{
	struct sensor_tasks *t = calloc(1, sizeof(*t));
	struct bpf_program *p;
	char refused[64];
	int err;

	if (!t)
		return -ENOMEM;
	t->tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	err = sensor_load_possible(why);
	if (!err)
		err = sensor_load_open(
			builtin_tasks,
			(size_t)(builtin_tasks_end - builtin_tasks), &t->object,
			why);
	if (!err)
		err = sensor_load(t->object, refused, why);
	if (!err) {
		p = bpf_object__find_program_by_name(t->object, "tasks");
		t->link = sensor_attach(p, -1, why);
		err = t->link ? 0 : -errno;
	}
	if (err)
		sensor_tasks_close(t);
	else
		*ret = t;
	return err;
}

void sensor_tasks_close(struct sensor_tasks *t)
{
	if (!t)
		return;
	bpf_link__destroy(t->link);
	bpf_object__close(t->object);
	free(t->list);
	free(t);
}

/* ---- reading --------------------------------------------------------- */

/* A thread that is no leader adds its time only; it may come before its
 * leader, for ids wrap. */
static int take(struct sensor_tasks *t, const struct sensor_task *k)
{
	struct seen *s;

	if (t->n == t->room) {
		size_t more = t->room ? t->room * 2 : 512;

		if (more > THREADS_MAX)
			return -EOVERFLOW;
		s = realloc(t->list, more * sizeof(*s));
		if (!s)
			return -ENOMEM;
		t->list = s;
		t->room = more;
	}
	s = &t->list[t->n++];
	*s = (struct seen){ .pid = (pid_t)k->tgid,
			    .cpu_ns = k->cpu_ns + k->ended_ns };
	if (k->pid != k->tgid)
		return 0;
	s->ppid = (pid_t)k->ppid;
	s->start_ticks = k->start_ns / t->tick_ns;
	s->kernel = k->flags & PF_KTHREAD;
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Adds threads up into their process.  One whose leader was not met is of a
 * process that began or ended just now; the time since boot is 0 for init
 * alone, and for kernel threads. */
static void merge(struct sensor_tasks *t)
{
	size_t n = 0;

	if (t->n)
		qsort(t->list, t->n, sizeof(*t->list), by_pid);
	for (size_t i = 0; i < t->n; i++) {
		const struct seen *s = &t->list[i];
		struct seen *last = n ? &t->list[n - 1] : NULL;

		if (!last || last->pid != s->pid) {
			t->list[n++] = *s;
			continue;
		}
		last->cpu_ns += s->cpu_ns;
		if (s->start_ticks || s->kernel || s->ppid) {
			last->ppid = s->ppid;
			last->start_ticks = s->start_ticks;
			last->kernel = s->kernel;
		}
	}
	t->n = n;
}

int sensor_tasks_list(struct sensor_tasks *t, const struct seen **ret,
		     size_t *ret_n)
{
	_Alignas(8) char buf[CHUNK];
	size_t have = 0;
	ssize_t got;
	int err = 0, fd = bpf_iter_create(bpf_link__fd(t->link));

	if (fd < 0)
		return fd;
	t->n = 0;
	while (!err && (got = read(fd, buf + have, sizeof(buf) - have)) != 0) {
		size_t at = 0;

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got < 0) {
			err = -errno;
			break;
		}
		have += (size_t)got;
		for (; at + sizeof(struct sensor_task) <= have && !err;
		     at += sizeof(struct sensor_task))
			err = take(t, (const void *)(buf + at));
		have -= at;
		memmove(buf, buf + at, have);
	}
	close(fd);
	if (err)
		return err;
	merge(t);
	*ret = t->list;
	*ret_n = t->n;
	return 0;
}
