/* pass.c - one pass over processes, by as many threads as wanted.
 *
 * Each thread takes the next process and has a matcher of its own; what they
 * share is which frames were looked at. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "capture.h"
#include "frames.h"
#include "io.h"
#include "pass.h"
#include "proc.h"
#include "self.h"
#include "text.h"
#include "views.h"

struct pass {
	struct pass_options o;
	struct scan_options scan_options;
	struct scan *first; /* the calling thread's */
	struct frames *frames;
	struct views *views;
	int procfs; /* of the views */
	struct seen *seen; /* to look at */
	size_t n_seen;
	struct capture **captures; /* and these */
	size_t n_captures;
	const struct pass_events *events;
	pthread_mutex_t lock; /* of the events */
	atomic_size_t next, done;
	atomic_ullong bytes;
};

/* ---- one process ----------------------------------------------------- */

static bool on_bytes(void *user, uint64_t bytes)
{
	struct pass *p = user;

	p->bytes += bytes;
	if (pthread_mutex_trylock(&p->lock))
		return true; /* another thread is telling something */
	p->events->progress(p->events->user, p->done, p->bytes);
	pthread_mutex_unlock(&p->lock);
	return true;
}

static void look_at(struct pass *p, struct scan *scan, struct proc *proc)
{
	struct finding f;
	struct look l;
	enum verdict v;

	scan_look(scan, proc, SCAN_FULL, p->o.deadline_ns, on_bytes, p, &l);
	v = verdict_judge(&l, &f);
	pthread_mutex_lock(&p->lock);
	p->events->look(p->events->user, &l, v,
			v == VERDICT_FINDING ? &f : NULL);
	pthread_mutex_unlock(&p->lock);
}

static void take_capture(struct pass *p, struct scan *scan,
			 struct capture *capture)
{
	struct proc proc;

	/* It was asked for when it was opened, so it answers. */
	if (!proc_of_capture(capture, &proc))
		look_at(p, scan, &proc);
}

static const struct exclusion *exclusion_of(struct pass *p,
					     const struct proc *proc)
{
	return p->o.excludes ? exclude_find(p->o.excludes, proc) : NULL;
}

static void take(struct pass *p, struct scan *scan, const struct seen *seen)
{
	const struct exclusion *x;
	struct proc proc = { 0 };
	int err = proc_open(p->procfs, seen->pid, &proc);

	proc.hidden = seen->hidden;
	if (err || proc.kernel || proc_is_dead(&proc)) {
		pthread_mutex_lock(&p->lock);
		p->events->absent(p->events->user, seen->pid, err, &proc);
		pthread_mutex_unlock(&p->lock);
	} else if (self_is(&proc)) {
		; /* holds the rules that it looks for */
	} else if ((x = exclusion_of(p, &proc))) {
		exclude_cover(p->o.excludes, x);
		pthread_mutex_lock(&p->lock);
		p->events->excluded(p->events->user, &proc, x);
		pthread_mutex_unlock(&p->lock);
	} else {
		look_at(p, scan, &proc);
	}
	proc_close(&proc);
}

/* ---- threads --------------------------------------------------------- */

static void work(struct pass *p, struct scan *scan)
{
	for (;;) {
		size_t i = p->next++;

		if (i >= pass_processes(p))
			return;
		if (i < p->n_seen)
			take(p, scan, &p->seen[i]);
		else
			take_capture(p, scan, p->captures[i - p->n_seen]);
		p->done++;
	}
}

/* A thread that can not have a matcher leaves the work to the others. */
static void *helper(void *user)
{
	struct pass *p = user;
	struct why why = { "" };
	struct scan *scan;

	if (scan_new(&p->scan_options, &scan, &why))
		return NULL;
	work(p, scan);
	scan_free(scan);
	return NULL;
}

void pass_run(struct pass *p, const struct pass_events *events)
{
	pthread_t threads[PASS_THREADS];
	unsigned n = 0;

	p->events = events;
	if (p->o.excludes)
		exclude_begin(p->o.excludes);
	while (n + 1 < p->o.threads && n + 1 < pass_processes(p) &&
	       pthread_create(&threads[n], NULL, helper, p) == 0)
		n++;
	work(p, p->first);
	while (n)
		pthread_join(threads[--n], NULL);
}

/* ---- start and end --------------------------------------------------- */

static const struct seen *find(const struct seen *list, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].pid == pid)
			return &list[i];
	return NULL;
}

/* All that the census has but the kernel's own threads, or those that were
 * named, each once: one that is not there is told as absent when its turn
 * comes. */
static int choose(struct pass *p, const struct seen *census, size_t n)
{
	const struct pass_options *o = &p->o;
	size_t all = o->n_pids ? o->n_pids : n;

	p->seen = calloc(all ? all : 1, sizeof(*p->seen));
	if (!p->seen)
		return -ENOMEM;
	for (size_t i = 0; i < all; i++) {
		struct seen named = { .pid = o->n_pids ? o->pids[i] : 0 };
		const struct seen *s = &census[i];

		if (o->n_pids) {
			s = find(census, n, named.pid);
			s = s ? s : &named;
		}
		if (o->n_pids ? !find(p->seen, p->n_seen, s->pid)
			      : !s->kernel || s->hidden)
			p->seen[p->n_seen++] = *s;
	}
	return 0;
}

static int list(struct pass *p, struct why *why)
{
	/* Who names processes knows of them: no need for the kernel's list,
	 * which takes half of a start to load. */
	const struct views_options o = { .no_tasks = p->o.n_pids > 0,
					 .only = p->o.pids,
					 .n_only = p->o.n_pids };
	const struct seen *census;
	size_t n;
	int err = views_open(&o, &p->views, why);

	if (!p->o.n_pids && p->o.n_captures)
		return 0; /* saved processes only */
	if (err)
		return err;
	p->procfs = views_procfs(p->views);
	err = views_list(p->views, &census, &n);
	return err ? why_set(why, err, "/proc can not be read: %s",
			     strerror(-err))
		   : choose(p, census, n);
}

static int open_captures(struct pass *p, struct why *why)
{
	int err = 0;

	p->captures = calloc(p->o.n_captures + 1, sizeof(struct capture *));
	if (!p->captures)
		return -ENOMEM;
	while (!err && p->n_captures < p->o.n_captures) {
		const char *path = p->o.captures[p->n_captures];
		struct capture *c;
		struct proc proc;
		char shown[256];

		err = capture_open(path, &c, why);
		if (err)
			break;
		p->captures[p->n_captures++] = c;
		err = proc_of_capture(c, &proc);
		if (err)
			why_set(why, err,
				"%s: what it says of its process is not of "
				"the kernel's form",
				text_escape_str(path, shown, sizeof(shown)));
	}
	return err;
}

int pass_new(const struct pass_options *o, struct pass **ret, struct why *why)
{
	struct pass *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->o = *o;
	pthread_mutex_init(&p->lock, NULL);
	err = frames_new(&p->frames);
	p->scan_options = (struct scan_options){ .rules = o->rules,
						 .set = o->set,
						 .frames = p->frames };
	if (!err)
		err = scan_new(&p->scan_options, &p->first, why);
	if (!err)
		err = list(p, why);
	if (!err)
		err = open_captures(p, why);
	if (err && !why->text[0])
		why_set(why, err, "%s", strerror(-err));
	if (err)
		pass_free(p);
	else
		*ret = p;
	return err;
}

void pass_free(struct pass *p)
{
	if (!p)
		return;
	scan_free(p->first);
	frames_free(p->frames);
	views_close(p->views);
	free(p->seen);
	for (size_t i = 0; i < p->n_captures; i++)
		capture_free(p->captures[i]);
	free(p->captures);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* ---- asking ---------------------------------------------------------- */

size_t pass_processes(const struct pass *p)
{
	return p->n_seen + p->n_captures;
}

/* Resident pages are the second number of proc_pid_statm(5). */
uint64_t pass_bytes(const struct pass *p)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), all = 0;

	for (size_t i = 0; i < p->n_seen; i++) {
		unsigned long long pages = 0;
		char name[32], text[128];

		snprintf(name, sizeof(name), "%d/statm", p->seen[i].pid);
		if (io_read_at(p->procfs, name, text, sizeof(text)) > 0)
			sscanf(text, "%*u %llu", &pages);
		all += pages * page;
	}
	for (size_t i = 0; i < p->n_captures; i++)
		all += capture_bytes(p->captures[i]);
	return all;
}

size_t pass_hidden(const struct pass *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_seen; i++)
		n += p->seen[i].hidden != 0;
	return n;
}

const struct match *pass_match(const struct pass *p)
{
	return scan_match(p->first);
}
