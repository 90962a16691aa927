/* sensor.c - what happens, as it happens: which way, and back to a lesser one.
 *
 * All ways are asked by one timer: nothing that happens on the machine wakes
 * this program more often than that. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "io.h"
#include "sensor_own.h"

static const struct sensor_kind *const kinds[] = {
	[SENSOR_BPF] = &sensor_bpf,
	[SENSOR_NETLINK] = &sensor_netlink,
	[SENSOR_POLLING] = &sensor_poll,
};

struct sensor {
	struct sensor_options o;
	struct sensor_state state;
	struct sensor_way way;
	void *it; /* of kinds[state.mode] */
	int timer, procfs;
	void (*take)(void *user, const struct event *);
	void *user;
};

static void tell(void *user, const struct event *e)
{
	struct sensor *s = user;

	s->state.events[e->kind]++;
	s->take(s->user, e);
}

/* ---- which way ------------------------------------------------------- */

static int set_timer(struct sensor *s)
{
	unsigned ms = kinds[s->state.mode]->period_ms;
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
	struct itimerspec every = { t, t };

	return timerfd_settime(s->timer, 0, &every, NULL) ? -errno : 0;
}

static bool is_off(const struct sensor *s, enum sensor_mode m)
{
	return (m == SENSOR_BPF && s->o.no_bpf) ||
	       (m == SENSOR_NETLINK && s->o.no_netlink);
}

/* Where the reason that @m does not work is kept. */
static char *reason(struct sensor *s, enum sensor_mode m)
{
	return m == SENSOR_BPF ? s->state.why_no_bpf : s->state.why_no_netlink;
}

/* From @m on, the first that works. */
static int open_from(struct sensor *s, enum sensor_mode m, struct why *why)
{
	for (;; m++) {
		struct why no = { "" };
		int err = is_off(s, m)
				  ? why_set(&no, -ECANCELED, "switched off")
				  : kinds[m]->open(&s->way, &s->it, &no);

		if (!err) {
			s->state.mode = m;
			return set_timer(s);
		}
		if (!no.text[0])
			why_set(&no, err, "%s", strerror(-err));
		if (m == SENSOR_POLLING)
			return why_set(why, err, "%s", no.text);
		snprintf(reason(s, m), sizeof(s->state.why_no_bpf), "%.255s",
			 no.text);
	}
}

int sensor_new(const struct sensor_options *o, struct sensor **ret,
	       struct why *why)
{
	struct sensor *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->o = *o;
	s->procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	s->way = (struct sensor_way){
		.o = &s->o,
		.state = &s->state,
		.tell = tell,
		.user = s,
		.procfs = o->views ? views_procfs(o->views) : s->procfs,
		.tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK),
	};
	if (s->procfs < 0 || s->timer < 0)
		err = why_set(why, -errno, "/proc or a timer: %s",
			      strerror(errno));
	else
		err = open_from(s, SENSOR_BPF, why);
	if (err)
		sensor_free(s);
	else
		*ret = s;
	return err;
}

void sensor_free(struct sensor *s)
{
	if (!s)
		return;
	if (s->it)
		kinds[s->state.mode]->close(s->it);
	if (s->timer >= 0)
		close(s->timer);
	if (s->procfs >= 0)
		close(s->procfs);
	free(s);
}

/* ---- reading --------------------------------------------------------- */

int sensor_fd(const struct sensor *s)
{
	return s->timer;
}

static void fall_back(struct sensor *s, int err)
{
	struct event lost = { .kind = EVENT_LOST, .at_ns = io_now_ns() };
	enum sensor_mode m = s->state.mode;
	struct why why = { "" };

	kinds[m]->close(s->it);
	s->it = NULL;
	s->state.n_programs = 0;
	if (m < SENSOR_POLLING) {
		snprintf(reason(s, m), sizeof(s->state.why_no_bpf),
			 "it worked, then: %s", strerror(-err));
		m++;
	}
	open_from(s, m, &why);
	tell(s, &lost);
}

int sensor_read(struct sensor *s,
		void (*take)(void *user, const struct event *), void *user)
{
	uint64_t times;
	int err;

	if (read(s->timer, &times, sizeof(times)) != sizeof(times))
		return 0; /* it is not time */
	s->take = take;
	s->user = user;
	if (!s->it) { /* not even polling worked: perhaps now */
		struct why why = { "" };

		return open_from(s, SENSOR_POLLING, &why);
	}
	err = kinds[s->state.mode]->read(s->it, &s->way);
	if (err)
		fall_back(s, err);
	return err;
}

const struct sensor_state *sensor_state(struct sensor *s)
{
	if (s->it && kinds[s->state.mode]->count)
		kinds[s->state.mode]->count(s->it, &s->way);
	return &s->state;
}

const char *sensor_mode_name(enum sensor_mode m)
{
	static const char *const names[] = { "BPF", "netlink", "polling" };

	return names[m];
}
