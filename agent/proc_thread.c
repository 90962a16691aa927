/* proc_thread.c - the thread by which a process is looked at.
 *
 * Any thread has the whole memory, and nobody can say how long it will live.
 * So this is asked again whenever one was gone before all was read that goes
 * by it; memory that is open stays open without it (mem.c). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io.h"
#include "proc_own.h"

/* A thread that is about to end has given up its memory first. */
static bool has_memory(int dir)
{
	unsigned long pages;
	char text[128];

	return io_read_at(dir, "statm", text, sizeof(text)) > 0 &&
	       sscanf(text, "%lu", &pages) == 1 && pages;
}

/* @dir is given away. */
static void turn_to(struct proc *p, int dir, pid_t tid)
{
	if (p->dir != p->own)
		close(p->dir);
	p->dir = dir;
	p->tid = tid;
	proc_refresh(p);
}

static bool try_thread(struct proc *p, int tasks, pid_t tid)
{
	char name[16];
	int dir;

	snprintf(name, sizeof(name), "%d", tid);
	dir = openat(tasks, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	if (!has_memory(dir)) {
		close(dir);
		return false;
	}
	turn_to(p, dir, tid);
	return true;
}

static size_t list_threads(const struct proc *p, int *ret_tasks, pid_t **ret)
{
	int tasks = openat(p->own, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t n = 0;

	*ret = NULL;
	*ret_tasks = tasks;
	return tasks >= 0 && !proc_list(tasks, ret, &n) ? n : 0;
}

bool proc_find_thread(struct proc *p, bool youngest)
{
	pid_t *tids;
	int tasks;
	size_t n = list_threads(p, &tasks, &tids);
	bool found = false;

	for (size_t i = 0; i < n && !found; i++) {
		pid_t tid = tids[youngest ? n - 1 - i : i];

		found = tid != p->pid && try_thread(p, tasks, tid);
	}
	free(tids);
	if (tasks >= 0)
		close(tasks);
	return found;
}

/* Who began another program has its first thread again. */
bool proc_turn(struct proc *p)
{
	if (p->saved || has_memory(p->dir))
		return false;
	if (p->dir != p->own && has_memory(p->own)) {
		turn_to(p, p->own, p->pid);
		return true;
	}
	return proc_find_thread(p, true);
}

static bool are_ending(int tasks, const pid_t *tids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct proc thread;
		char name[32];

		snprintf(name, sizeof(name), "%d/stat", tids[i]);
		if (proc_read_stat(tasks, name, &thread) || !thread.ending)
			return false;
	}
	return true;
}

/* One that ends has no memory long before it is a zombie.  A thread that is on
 * its way out begins no other: if all are that were there when there were that
 * many, and are still there, then there is no other. */
static bool is_ending(const struct proc *p)
{
	struct proc now = *p;
	pid_t *tids;
	int tasks;
	size_t n = list_threads(p, &tasks, &tids);
	bool all = n && are_ending(tasks, tids, n) && !proc_refresh(&now) &&
		   now.threads == n && are_ending(tasks, tids, n);

	free(tids);
	if (tasks >= 0)
		close(tasks);
	return all;
}

bool proc_gone(const struct proc *p)
{
	struct proc now = *p;

	return proc_refresh(&now) || proc_is_dead(&now) ||
	       (!p->saved && is_ending(p));
}
