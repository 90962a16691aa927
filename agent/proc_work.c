/* proc_work.c - how much a process works: its share of a processor, and how
 * long its threads wait for one. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io.h"
#include "proc.h"

double proc_cpu_share(const struct proc *earlier, const struct proc *later)
{
	double hz = (double)sysconf(_SC_CLK_TCK);
	double wall = (double)(later->seen_ns - earlier->seen_ns) / 1e9;
	double ticks = (double)(later->cpu_ticks - earlier->cpu_ticks);

	if (wall < 0.25) {
		wall = (double)later->seen_ns / 1e9 -
		       (double)later->start_ticks / hz;
		ticks = (double)later->cpu_ticks;
	}
	return wall > 0.01 ? ticks / hz / wall : 0;
}

/* Documentation/scheduler/sched-stats.rst: time on a processor, time on a run
 * queue, both in ns. */
static uint64_t thread_wait_ns(int tasks, pid_t tid)
{
	unsigned long long ran, waited;
	char name[32], text[128];

	snprintf(name, sizeof(name), "%d/schedstat", tid);
	if (io_read_at(tasks, name, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%llu %llu", &ran, &waited) != 2)
		return 0;
	return waited;
}

static int by_tid(const void *a, const void *b)
{
	const struct proc_wait *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

size_t proc_waits(const struct proc *p, struct proc_wait **ret)
{
	int tasks = openat(p->own, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct proc_wait *waits = NULL;
	pid_t *tids = NULL;
	size_t n = 0;

	*ret = NULL;
	if (tasks < 0)
		return 0;
	if (proc_list(tasks, &tids, &n) ||
	    !(waits = calloc(n + 1, sizeof(*waits))))
		n = 0;
	for (size_t i = 0; i < n; i++)
		waits[i] = (struct proc_wait){ tids[i],
					       thread_wait_ns(tasks, tids[i]) };
	if (n)
		qsort(waits, n, sizeof(*waits), by_tid);
	free(tids);
	close(tasks);
	*ret = waits;
	return n;
}

uint64_t proc_longest_wait(const struct proc_wait *earlier, size_t n_earlier,
			   const struct proc_wait *later, size_t n_later)
{
	uint64_t longest = 0;

	for (size_t i = 0, k = 0; i < n_later; i++) {
		while (k < n_earlier && earlier[k].tid < later[i].tid)
			k++;
		if (k < n_earlier && earlier[k].tid == later[i].tid &&
		    later[i].ns > earlier[k].ns + longest)
			longest = later[i].ns - earlier[k].ns;
	}
	return longest;
}
