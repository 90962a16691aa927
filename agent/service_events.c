/* service_events.c - what happened, and what that makes due. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "io.h"
#include "log.h"
#include "notify.h"
#include "service_own.h"

/* A program is looked at so often while it is new. */
#define NEWBORN_LOOKS 3
#define NEWBORN_NS    SECOND_NS /* the first of them after this */

/* Memory made executable is looked at after a moment in which it is filled, who
 * calls out after one in which it begins to work; then, as just-in-time
 * compilers and servers do that all day, ever more rarely. */
#define DEED_NS	   SECOND_NS
#define DEED_EVERY (10 * SECOND_NS)
#define DEEDS_MAX  5 /* each four times as long as before: three hours */

/* A process is busy from this share of a core on, over about a minute, and is
 * so no more below the second one. */
#define BUSY	   0.30
#define NOT_BUSY   0.10
#define MINUTE	   60.0

/* ---- targets --------------------------------------------------------- */

static void due(struct service *s, struct target *t, uint64_t at_ns)
{
	if (!t->place[LANE_URGENT] || t->key[LANE_URGENT] > at_ns)
		queue_put(s->queue, t, LANE_URGENT, at_ns);
}

/* A program has begun in @t. */
static void begin_target(struct service *s, struct target *t, uint64_t at_ns,
			 uint64_t cgroup)
{
	t->born_ns = at_ns;
	t->looked_ns = t->full_ns = 0;
	t->newborn_looks = NEWBORN_LOOKS;
	t->deeds = 0;
	t->busy = false;
	t->cgroup = cgroup;
	queue_put(s->queue, t, LANE_URGENT, at_ns + NEWBORN_NS);
}

static void did(struct service *s, struct target *t, uint64_t at_ns)
{
	uint64_t every = DEED_EVERY << 2 * t->deeds, at = at_ns + DEED_NS;

	if (t->looked_ns && t->deeds && t->looked_ns + every > at)
		at = t->looked_ns + every;
	if (t->deeds < DEEDS_MAX)
		t->deeds++;
	t->anew = true;
	due(s, t, at);
}

/* It called what goes by a pool's name: all of it next. */
static void called_a_pool(struct service *s, struct target *t)
{
	t->anew = true;
	due(s, t, io_now_ns());
	queue_put(s->queue, t, LANE_STEADY, 0);
}

/* All of them within a minute; and what is lost meanwhile, in the next one. */
static void catch_up(struct service *s)
{
	uint64_t now = io_now_ns();
	size_t n = 0, i;

	s->lost = now < s->caught_up_ns;
	if (s->lost)
		return;
	s->caught_up_ns = now + LOST_NS;
	s->counts.catch_ups++;
	log_say(LOG_WARNING, "events were lost: looking at every process");
	service_census(s);
	while (queue_target(s->queue, n))
		n++;
	for (i = 0; i < n; i++) {
		struct target *t = queue_target(s->queue, i);

		t->anew = true;
		due(s, t, now + LOST_NS * i / n);
	}
}

static void on_event(void *user, const struct event *e)
{
	struct service *s = user;
	struct target *t;

	if (e->kind == EVENT_LOST)
		catch_up(s);
	if (e->kind == EVENT_NAME)
		service_net_name(s->net, e);
	if (e->kind == EVENT_LOST || e->kind == EVENT_NAME)
		return;
	t = queue_add(s->queue, e->pid, e->start_ticks);
	if (!t)
		s->counts.unknown++;
	else if (e->kind == EVENT_BORN)
		begin_target(s, t, e->at_ns, e->cgroup);
	else if (e->kind == EVENT_CONNECT && service_net_call(s->net, e))
		called_a_pool(s, t);
	else
		did(s, t, e->at_ns);
}

/* ---- all processes --------------------------------------------------- */

/* Sustained use of CPU: a look at its program now, at all of it next. */
static void weigh(struct service *s, struct target *t, const struct seen *p,
		  uint64_t now)
{
	double dt = (double)(now - t->cpu_at_ns) / 1e9;
	double share = (double)(p->cpu_ns - t->cpu_ns) / 1e9 / dt;

	if (t->cpu_at_ns && dt > 1 && p->cpu_ns >= t->cpu_ns) {
		t->cpu_share += (share - t->cpu_share) * dt / (dt + MINUTE);
		if (t->busy && t->cpu_share < NOT_BUSY)
			t->busy = false;
		if (!t->busy && t->cpu_share > BUSY) {
			t->busy = true;
			due(s, t, now);
			queue_put(s->queue, t, LANE_STEADY, 0);
		}
	}
	t->cpu_ns = p->cpu_ns;
	t->cpu_at_ns = now;
}

/* What no event told of: it was there before us, or the sensor is a poor one
 * that can not see all. */
static void discover(struct service *s, struct target *t, const struct seen *p,
		     uint64_t now)
{
	uint64_t start = p->start_ticks * (SECOND_NS /
					   (uint64_t)sysconf(_SC_CLK_TCK));

	if (s->census > 1)
		s->counts.missed++;
	if (start + CENSUS_NS > now)
		begin_target(s, t, start, 0);
	else if (s->census > 1)
		begin_target(s, t, now, 0);
	if (s->pass.running || s->census > 1)
		queue_put(s->queue, t, LANE_STEADY, 1);
}

static void see(struct service *s, const struct seen *p, uint64_t now)
{
	struct target *t;

	if (p->kernel)
		return;
	t = queue_add(s->queue, p->pid, p->start_ticks);
	if (!t) {
		s->counts.unknown++;
		return;
	}
	if (p->hidden & ~t->hidden) {
		t->hidden |= p->hidden;
		t->anew = true;
		due(s, t, now);
		queue_put(s->queue, t, LANE_STEADY, 0);
	}
	if (!t->census && !t->born_ns)
		discover(s, t, p, now);
	weigh(s, t, p, now);
	t->census = s->census;
}

/* Process 0 is ourselves, for what we say of us (record_observation()). */
static bool is_alive(void *user, pid_t pid, uint64_t start_ticks)
{
	struct service *s = user;
	const struct target *t = queue_find(s->queue, pid);

	if (pid == 0)
		return service_why_degraded(s) != NULL;
	return t && t->start_ticks == start_ticks;
}

/* What the census did not see has ended, unless it began since. */
static void forget_the_dead(struct service *s, uint64_t now)
{
	struct why why = { "" };

	for (size_t i = 0; queue_target(s->queue, i);) {
		struct target *t = queue_target(s->queue, i);

		if (t->census == s->census || t->born_ns > now)
			i++;
		else
			queue_remove(s->queue, t);
	}
	if (record_end_gone(s->record, is_alive, s, &why))
		log_say(LOG_ERR, "%s", why.text);
}

void service_census(struct service *s)
{
	uint64_t now = io_now_ns();
	const struct seen *seen;
	size_t n, hidden = 0;
	int err = views_list(s->views, &seen, &n);

	s->census_ns = now + CENSUS_NS;
	if (err) {
		log_say(LOG_ERR, "the list of processes can not be read: %s",
			strerror(-err));
		return;
	}
	s->census++;
	for (size_t i = 0; i < n; i++) {
		see(s, &seen[i], now);
		hidden += seen[i].hidden != 0;
	}
	s->counts.hidden = hidden;
	forget_the_dead(s, now);
}

/* ---- what happens ---------------------------------------------------- */

static void on_signal(struct service *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			s->reload = true;
		else
			s->stop = true;
	}
}

static void on_sensor(struct service *s)
{
	int err = sensor_read(s->sensor, on_event, s);

	if (!err)
		return;
	log_say(LOG_WARNING, "sensors: %s; from now on by %s", strerror(-err),
		sensor_mode_name(sensor_state(s->sensor)->mode));
	service_tell_degraded(s);
}

static void by_the_clock(struct service *s)
{
	uint64_t now = io_now_ns();

	if (now >= s->census_ns) {
		service_census(s);
		service_tell_manager(s);
	}
	if (s->lost && now >= s->caught_up_ns)
		catch_up(s);
	if (now >= s->frames_ns) {
		frames_reset(s->frames);
		s->frames_ns = now + FRAMES_NS;
	}
	if (s->watchdog_every_ns && now >= s->watchdog_ns) {
		notify_send("WATCHDOG=1");
		s->watchdog_ns = now + s->watchdog_every_ns;
	}
	if (now >= s->metrics_ns) {
		service_write_metrics(s);
		s->metrics_ns = now + METRICS_NS;
	}
}

static int milliseconds(uint64_t now, uint64_t until)
{
	uint64_t ms = until > now ? (until - now + 999999) / 1000000 : 0;

	return ms < 60000 ? (int)ms : 60000;
}

static uint64_t earliest(const struct service *s, uint64_t until)
{
	const uint64_t times[] = { s->census_ns, s->metrics_ns,
				   s->watchdog_every_ns ? s->watchdog_ns
							: UINT64_MAX };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (times[i] < until)
			until = times[i];
	return until;
}

bool service_wait(void *service, int fd, uint64_t until_ns)
{
	struct service *s = service;

	while (!s->stop) {
		struct pollfd p[] = { { .fd = fd, .events = POLLIN },
				      { .fd = s->epoll, .events = POLLIN } };
		uint64_t now = io_now_ns(), until = until_ns;

		/* Before the loop there is nothing else to wait for. */
		if (s->queue)
			until = earliest(s, until_ns);
		poll(p, 2, milliseconds(now, until));
		if (p[0].revents || now >= until_ns)
			return true;
		if (s->queue)
			service_attend(s, 0);
	}
	return false;
}

void service_attend(struct service *s, uint64_t until_ns)
{
	struct epoll_event events[4];
	uint64_t until = earliest(s, until_ns);
	int n = epoll_wait(s->epoll, events, 4,
			   milliseconds(io_now_ns(), until));

	for (int i = 0; i < n; i++) {
		if (events[i].data.fd == s->signals)
			on_signal(s);
		else if (events[i].data.fd == sensor_fd(s->sensor))
			on_sensor(s);
		else
			service_answer(s);
	}
	by_the_clock(s);
}
