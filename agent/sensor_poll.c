/* sensor_poll.c - new processes, by comparing lists of /proc.  An exec without
 * a fork is not seen, nor what began and ended between two looks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "proc.h"
#include "sensor_own.h"

#define PERIOD_MS 2000

struct poll {
	pid_t *pids; /* at the last look */
	size_t n;
};

static int open_poll(struct sensor_way *w, void **ret, struct why *why)
{
	struct poll *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	err = proc_list(w->procfs, &p->pids, &p->n);
	if (err) {
		free(p);
		return why_set(why, err, "/proc can not be listed: %s",
			       strerror(-err));
	}
	*ret = p;
	return 0;
}

/* False: it is too young, ask again. */
static bool tell_born(struct sensor_way *w, pid_t pid)
{
	struct event e = { .kind = EVENT_BORN, .pid = pid };
	struct proc proc;

	if (proc_identify(w->procfs, pid, &proc) || proc.kernel)
		return true;
	e.start_ticks = proc.start_ticks;
	e.at_ns = proc.start_ticks * w->tick_ns;
	if (proc.seen_ns < e.at_ns + SENSOR_SETTLE_MS * SENSOR_MS)
		return false;
	w->tell(w->user, &e);
	return true;
}

static int read_poll(void *it, struct sensor_way *w)
{
	struct poll *p = it;
	size_t n, at = 0, kept = 0;
	pid_t *now;
	int err = proc_list(w->procfs, &now, &n);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		while (at < p->n && p->pids[at] < now[i])
			at++;
		if ((at < p->n && p->pids[at] == now[i]) ||
		    tell_born(w, now[i]))
			now[kept++] = now[i];
	}
	free(p->pids);
	p->pids = now;
	p->n = kept;
	return 0;
}

static void close_poll(void *it)
{
	struct poll *p = it;

	free(p->pids);
	free(p);
}

const struct sensor_kind sensor_poll = {
	PERIOD_MS, open_poll, read_poll, NULL, close_poll,
};
