/* service_look.c - one look, its price, its result. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "cgroup.h"
#include "container.h"
#include "exclude.h"
#include "io.h"
#include "log.h"
#include "proc.h"
#include "self.h"
#include "service_own.h"
#include "verdict.h"
#include "who.h"

/* Steady work may be ahead of its time by this much: rather few pauses than
 * many. */
#define AHEAD_NS (SECOND_NS / 2)

/* An urgent look takes no longer; what it leaves the pass will see. */
#define URGENT_NS (30 * SECOND_NS)

/* A look that takes more CPU time is told of. */
#define DEAR_NS SECOND_NS

/* CPU time, in clock ticks, below which a newborn has done nothing since it
 * was looked at, or began. */
#define IDLE_TICKS 2

/* ---- the price ------------------------------------------------------- */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static uint64_t time_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_usec * 1000;
}

/* Of this process, its matchers, and those that have ended. */
static uint64_t cpu_ns(const struct service *s)
{
	uint64_t ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct rusage ended;

	if (getrusage(RUSAGE_CHILDREN, &ended) == 0)
		ns += time_ns(ended.ru_utime) + time_ns(ended.ru_stime);
	for (int i = 0; i < LANES; i++)
		ns += match_cpu_ns(scan_match(s->gear->scans[i]));
	return ns;
}

void service_charge(struct service *s, enum lane lane)
{
	uint64_t now = cpu_ns(s);

	if (now > s->cpu_ns)
		budget_spend(&s->budget, lane, io_now_ns(), now - s->cpu_ns);
	s->cpu_ns = now;
}

static uint64_t resume_at(const struct service *s, enum lane lane, uint64_t now)
{
	uint64_t at = budget_next(&s->budget, lane, now);

	return lane == LANE_STEADY && at < now + AHEAD_NS ? now : at;
}

/* Its time, and what the budget says. */
uint64_t service_due_at(const struct service *s, enum lane lane)
{
	const struct target *t = queue_first(s->queue, lane);
	uint64_t at;

	if (!t)
		return UINT64_MAX;
	at = resume_at(s, lane, io_now_ns());
	return lane == LANE_URGENT && t->key[lane] > at ? t->key[lane] : at;
}

struct target *service_due(struct service *s, enum lane lane)
{
	return service_due_at(s, lane) <= io_now_ns()
		       ? queue_first(s->queue, lane)
		       : NULL;
}

/* From now on everybody else goes first, for the CPU and for the disk, or not.
 */
static void set_yield(bool yield)
{
	const struct sched_param none = { 0 };
	int idle = 3 << 13, usual = 0; /* ioprio_set(2), class and level */

	sched_setscheduler(0, yield ? SCHED_IDLE : SCHED_OTHER, &none);
	syscall(SYS_ioprio_set, 1 /* a thread */, 0, yield ? idle : usual);
}

static const struct looking_at nobody;

/* Between two batches: what happened meanwhile, what can not wait, and a pause
 * if we are ahead of the budget. */
static bool on_tick(void *user, uint64_t bytes)
{
	struct service *s = user;
	enum lane lane = s->lane;
	uint64_t now, until, urgent;
	/* Nothing of it is read meanwhile, whatever happens to us. */
	struct looking_at at = looking_at(s->looking, nobody);

	(void)bytes;
	service_charge(s, lane);
	set_yield(false);
	while (!s->stop && !s->reload) {
		struct target *t;

		until = resume_at(s, lane, io_now_ns());
		urgent = service_due_at(s, LANE_URGENT);
		service_attend(s, lane == LANE_STEADY && urgent < until
					  ? urgent
					  : until);
		while (lane == LANE_STEADY && !s->stop &&
		       (t = service_due(s, LANE_URGENT)))
			service_look(s, t, LANE_URGENT);
		now = io_now_ns();
		if (resume_at(s, lane, now) <= now)
			break;
	}
	set_yield(lane == LANE_STEADY);
	looking_at(s->looking, at);
	return !s->stop && !s->reload;
}

/* ---- the result ------------------------------------------------------ */

static void complain(const struct why *why)
{
	log_say(LOG_ERR, "%s", why->text);
}

/* Where a process is in no container, it may have been when it began. */
static void add_container(const struct service *s, uint64_t cgroup,
			  struct who *who)
{
	char path[2048], line[2060];

	if (who->container.id[0] || !cgroup ||
	    cgroup_path(s->cgroups, cgroup, path, sizeof(path)))
		return;
	snprintf(line, sizeof(line), "0::%s\n", path);
	who_parse_cgroup(line, who);
	container_read("", &who->container);
}

static void tell_finding(struct service *s, const struct finding *f,
			 uint64_t cgroup)
{
	struct why why = { "" };
	struct ledger_counts before, after;
	struct spool_counts spool;
	json_object *json;
	struct who who = *f->look->who; /* its descriptor stays the look's */
	char text[512];

	add_container(s, cgroup, &who);
	service_net_add(s->net, f->look->proc, &who.peers);
	json = finding_json(f, &who, &s->gear->tools);
	record_counts(s->record, &before, &spool);
	if (record_look(s->record, f->look, VERDICT_FINDING, f, json, &why))
		complain(&why);
	json_object_put(json);
	record_counts(s->record, &after, &spool);
	if (after.open == before.open)
		return; /* known */
	s->counts.findings++;
	finding_describe(f, text, sizeof(text));
	log_say(LOG_NOTICE, "finding, %s: %s", verdict_severity(f->severity),
		text);
}

static void judge(struct service *s, const struct look *l, uint64_t cgroup)
{
	struct why why = { "" };
	struct finding f;
	enum verdict v = verdict_judge(l, &f);

	s->counts.complete += l->state == SCAN_COMPLETE;
	s->counts.partial += l->state == SCAN_PARTIAL && !l->denied;
	s->counts.vanished += l->state == SCAN_VANISHED;
	s->counts.denied += l->denied;
	s->counts.carriers += v == VERDICT_CARRIER;
	s->counts.read_bytes += l->read_bytes;
	s->counts.shared_bytes += l->shared_bytes;
	if (v == VERDICT_FINDING)
		tell_finding(s, &f, cgroup);
	else if (record_look(s->record, l, v, NULL, NULL, &why))
		complain(&why);
}

/* ---- the look -------------------------------------------------------- */

/* Seconds after its beginning at which a program is looked at: miners unpack
 * themselves and build their dataset first. */
static const unsigned newborn_at[] = { 10, 3, 1 };

static void next_newborn_look(struct service *s, struct target *t)
{
	if (!t->newborn_looks || --t->newborn_looks == 0)
		return;
	queue_put(s->queue, t, LANE_URGENT,
		  t->born_ns + newborn_at[t->newborn_looks - 1] * SECOND_NS);
}

/* What has done nothing since it was looked at holds what it held, and what has
 * not begun to work does not mine; but once, in the end, each is looked at. */
static bool is_idle(const struct target *t, const struct proc *p)
{
	bool was_looked_at = t->looked_ns > t->born_ns;
	uint64_t before = was_looked_at ? t->looked_ticks : 0;

	if (t->anew || !t->born_ns || (!was_looked_at && !t->newborn_looks))
		return false;
	return p->cpu_ticks - before < IDLE_TICKS;
}

static bool is_excluded(struct service *s, struct target *t,
			const struct proc *p)
{
	struct exclude_list *all = s->gear->config.excludes;
	const struct exclusion *x = exclude_find(all, p);

	if (!x)
		return false;
	if (t->covered != s->pass.number + 1)
		exclude_cover(all, x);
	t->covered = s->pass.number + 1;
	record_excluded(s->record, p);
	return true;
}

static bool wants_look(struct service *s, struct target *t,
		       const struct proc *p, enum lane lane)
{
	if (p->kernel || proc_is_dead(p) || self_is(p))
		return false;
	if (lane == LANE_URGENT && is_idle(t, p))
		return false;
	if (is_excluded(s, t, p)) {
		s->counts.excluded++;
		return false;
	}
	return true;
}

/* The process of @t, or what there is of it: -ESRCH and @t is forgotten. */
static int open_process(struct service *s, struct target *t, struct proc *ret)
{
	int err = proc_open(views_procfs(s->views), t->pid, ret);

	if (!err && ret->start_ticks != t->start_ticks) {
		proc_close(ret);
		err = -ESRCH;
	}
	if (err == -ESRCH)
		queue_remove(s->queue, t);
	else if (err)
		s->counts.denied++;
	return err;
}

/* @was: the target before; it may be gone when the look is over. */
static void look(struct service *s, struct proc *p, struct target was,
		 enum lane lane)
{
	enum lane outer = s->lane;
	uint64_t begin = io_now_ns();
	struct target *t;
	struct look l;

	s->lane = lane;
	set_yield(lane == LANE_STEADY);
	s->counts.looks[lane]++;
	scan_look(s->gear->scans[lane], p,
		  lane == LANE_STEADY ? SCAN_FULL : SCAN_PROGRAM,
		  lane == LANE_STEADY ? 0 : begin + URGENT_NS, on_tick, s, &l);
	s->lane = outer;
	set_yield(false);
	service_tell_down(s, lane);
	if (was.cpu_share > l.cpu_share)
		l.cpu_share = was.cpu_share;
	judge(s, &l, was.cgroup);
	t = queue_find(s->queue, p->pid);
	if (!t || t->start_ticks != p->start_ticks)
		return;
	t->anew = false;
	t->looked_ns = begin;
	t->looked_ticks = p->cpu_ticks;
	if (lane == LANE_STEADY && !s->stop && !s->reload)
		t->full_ns = begin;
}

/* Two services did not survive it. */
static void pass_over(struct service *s, const struct proc *p)
{
	static const struct who unknown;
	const struct look l = {
		.proc = p,
		.state = SCAN_PARTIAL,
		.why = "davylamp did not survive two looks at it",
		.who = &unknown,
	};

	judge(s, &l, 0);
}

static void look_or_not(struct service *s, struct proc *p, struct target was,
			enum lane lane)
{
	const struct looking_at at = { p->start_ticks, p->pid, 0 };

	if (looking_refuses(s->looking, p->pid, p->start_ticks)) {
		pass_over(s, p);
		return;
	}
	looking_at(s->looking, at);
	look(s, p, was, lane);
	looking_at(s->looking, nobody);
}

void service_look(struct service *s, struct target *t, enum lane lane)
{
	struct proc p;
	uint64_t before;

	queue_take(s->queue, t, lane);
	if (lane == LANE_URGENT)
		next_newborn_look(s, t);
	if (open_process(s, t, &p))
		return;
	service_charge(s, s->lane);
	before = s->cpu_ns;
	if (wants_look(s, t, &p, lane)) {
		p.hidden |= t->hidden;
		look_or_not(s, &p, *t, lane);
	}
	service_charge(s, lane);
	if (s->cpu_ns - before > DEAR_NS)
		log_say(LOG_WARNING, "a look at process %d took %.1f s of CPU",
			p.pid, (double)(s->cpu_ns - before) / 1e9);
	proc_close(&p);
}
