/* service.c - its start, its end, and what is next.
 *
 * One thread.  It looks at one process at a time; between two batches of
 * memory it takes what happened, answers who asks, sleeps if it is ahead of
 * its budget, and looks at what can not wait: with a matcher of its own, so
 * that the look at hand stays as it is. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "cgroup.h"
#include "confine.h"
#include "exclude.h"
#include "io.h"
#include "log.h"
#include "notify.h"
#include "resume.h"
#include "service_own.h"

/* ---- the whole pass -------------------------------------------------- */

/* A number in [0, 1) that nobody can foretell. */
static double chance(void)
{
	uint32_t x = 0;

	if (getrandom(&x, sizeof(x), 0) != sizeof(x))
		x = (uint32_t)io_now_ns();
	return x / 4294967296.0;
}

static void begin_pass(struct service *s)
{
	uint64_t now = io_now_ns(), recent = 0;
	struct target *t;

	/* After a restart what was just looked at need not be again. */
	if (s->pass.number == 0 && s->counts.reloads == 0)
		recent = s->gear->config.run.pass_interval_ns / 2;
	exclude_begin(s->gear->config.excludes);
	frames_reset(s->frames);
	for (size_t i = 0; (t = queue_target(s->queue, i)); i++)
		if (!t->full_ns || now - t->full_ns > recent)
			queue_put(s->queue, t, LANE_STEADY, t->full_ns + 1);
	s->pass.running = true;
	s->pass.number++;
	s->pass.begin_ns = now;
	s->pass.all = queue_length(s->queue, LANE_STEADY);
}

static void end_pass(struct service *s)
{
	uint64_t now = io_now_ns();
	double interval = (double)s->gear->config.run.pass_interval_ns;
	struct why why = { "" };

	if (record_end(s->record, false, &why))
		log_say(LOG_ERR, "%s", why.text);
	s->pass.running = false;
	s->pass.last_ns = now - s->pass.begin_ns;
	s->pass.next_ns = s->pass.begin_ns +
			  (uint64_t)(interval * (0.5 + 0.5 * chance()));
	s->counts.passes++;
	service_tell_degraded(s);
	log_say(LOG_INFO, "pass %llu: %zu processes in %.0f s",
		(unsigned long long)s->pass.number, s->pass.all,
		(double)s->pass.last_ns / 1e9);
	if (resume_save(s->gear->config.findings.state, s->gear->version,
			s->queue))
		log_say(LOG_WARNING, "%s/resume can not be written",
			s->gear->config.findings.state);
}

/* What it looks for now, or leaves out, it does everywhere at once. */
static void reload(struct service *s)
{
	struct why why = { "" };

	s->reload = false;
	notify_reloading();
	if (service_gear_replace(s, &why)) {
		log_say(LOG_ERR, "reload: %s; what was loaded before goes on",
			why.text);
		s->reload_why = why;
	} else {
		const struct service_gear *g = s->gear;

		budget_set(&s->budget, g->config.run.cpu_budget / 100);
		s->reload_why.text[0] = '\0';
		s->counts.reloads++;
		malloc_trim(0); /* the old tables' gaps between the new */
		begin_pass(s);
		log_say(LOG_NOTICE, "reloaded: rules %s, page digests %s",
			g->tools.rules_version, g->tools.set_version);
	}
	notify_send("READY=1");
}

/* ---- what is next ---------------------------------------------------- */

static uint64_t next_time(const struct service *s)
{
	uint64_t next = s->pass.running ? UINT64_MAX : s->pass.next_ns;

	for (enum lane lane = 0; lane < LANES; lane++) {
		uint64_t at = service_due_at(s, lane);

		if (at < next)
			next = at;
	}
	return next;
}

static void step(struct service *s)
{
	enum lane lane = LANE_URGENT;
	struct target *t;

	if (s->reload)
		reload(s);
	if (!s->pass.running && io_now_ns() >= s->pass.next_ns)
		begin_pass(s);
	t = service_due(s, lane);
	if (!t)
		t = service_due(s, lane = LANE_STEADY);
	if (t)
		service_look(s, t, lane);
	if (s->pass.running && !queue_length(s->queue, LANE_STEADY) && !s->stop)
		end_pass(s);
	service_attend(s, t ? 0 : next_time(s));
	service_charge(s, LANE_URGENT);
}

static void announce(const struct service *s)
{
	const struct sensor_state *state = sensor_state(s->sensor);
	char views[256];
	size_t n;

	match_rules(scan_match(s->gear->scans[LANE_STEADY]), &n);
	views_describe(s->views, views, sizeof(views));
	log_say(LOG_NOTICE,
		"davylamp " DAVYLAMP_VERSION ": %zu rules %s, page "
		"digests %s",
		n, s->gear->tools.rules_version, s->gear->tools.set_version);
	log_say(LOG_INFO, "events by %s; %s", sensor_mode_name(state->mode),
		views);
	if (state->why_no_bpf[0])
		log_say(LOG_WARNING, "no BPF: %s", state->why_no_bpf);
	if (state->why_no_netlink[0])
		log_say(LOG_WARNING, "no netlink: %s", state->why_no_netlink);
	for (size_t i = 0; i < state->n_programs; i++)
		if (state->programs[i].why[0])
			log_say(LOG_WARNING, "BPF program %s: %s",
				state->programs[i].name,
				state->programs[i].why);
}

void service_run(struct service *s)
{
	announce(s);
	service_tell_degraded(s);
	notify_send("READY=1");
	while (!s->stop)
		step(s);
	notify_send("STOPPING=1");
	log_say(LOG_NOTICE, "stopping");
}

int service_check(const char *config_path, FILE *out, struct why *why)
{
	struct service s = { .config_path = config_path, .epoll = -1 };
	struct service_gear *g = NULL;
	int err = service_gear_new(&s, &g, why);

	if (!err)
		config_print_effective(out, &g->config);
	service_gear_free(g);
	return err;
}

/* ---- start and end --------------------------------------------------- */

static int take_signals(struct service *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? -errno : 0;
}

static int watch(struct service *s, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0)
		return 0;
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static int open_senses(struct service *s, struct why *why)
{
	const struct config *c = &s->gear->config;
	bool bpf = c->run.sensors == SENSORS_AUTO;
	struct views_options vo = { .no_tasks = !bpf };
	struct sensor_options so = {
		.no_bpf = !bpf,
		.no_netlink = c->run.sensors == SENSORS_POLLING,
	};
	int err = views_open(&vo, &s->views, why);

	so.views = s->views;
	if (!err)
		err = sensor_new(&so, &s->sensor, why);
	return err;
}

/* Nobody can ask us then, but we work. */
static void open_status(struct service *s)
{
	struct why why = { "" };
	const char *path = s->gear->config.run.status;

	if (path[0] && status_open(path, &s->status, &why))
		log_say(LOG_WARNING, "no status: %s", why.text);
}

/* And who is not to be looked at any more. */
static void open_looking(struct service *s)
{
	const char *status = s->gear->config.run.status;
	struct looking_at died = { 0 };
	int err = status[0] ? looking_open(status, &s->looking, &died) : 0;

	if (err)
		log_say(LOG_WARNING, "`looking`, beside %s: %s", status,
			strerror(-err));
	else if (died.pid)
		log_say(LOG_ERR,
			"process %d is not looked at until it ends: twice the "
			"service did not survive a look at it",
			died.pid);
}

static int start(struct service *s, struct why *why)
{
	int err = take_signals(s);

	if (!err)
		err = frames_new(&s->frames);
	if (!err)
		err = filecache_new(&s->cache);
	if (!err)
		err = service_gear_open(s->config_path, &s->gear, why);
	/* For a moment this takes what BTF of the kernel does: before there is
	 * anything else. */
	if (!err)
		err = open_senses(s, why);
	if (!err)
		err = service_gear_arm(s, s->gear, why);
	if (!err)
		err = record_open(&s->gear->config, &s->record, why);
	if (!err)
		err = queue_new(&s->queue);
	if (!err)
		err = service_net_new(&s->net);
	if (err)
		return err;
	frames_take(s->frames);
	filecache_take(s->cache);
	open_status(s);
	open_looking(s);
	s->cgroups = cgroup_open();
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		return -errno;
	err = watch(s, s->signals);
	if (!err)
		err = watch(s, sensor_fd(s->sensor));
	if (!err)
		err = watch(s, status_fd(s->status));
	return err ?: confine_started(why);
}

int service_new(const char *config_path, struct service **ret, struct why *why)
{
	struct service *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	/* What is only needed now and then is given back at once: BTF of the
	 * kernel, tables of rules that were. */
	mallopt(M_MMAP_THRESHOLD, 64 << 10);
	mallopt(M_TRIM_THRESHOLD, 128 << 10);
	s->config_path = config_path;
	s->epoll = s->signals = s->cgroups = -1;
	s->begin_ns = io_now_ns();
	err = start(s, why);
	if (err && !why->text[0])
		why_set(why, err, "%s", strerror(-err));
	if (err) {
		service_free(s);
		return err;
	}
	budget_init(&s->budget, s->gear->config.run.cpu_budget / 100,
		    s->begin_ns);
	s->watchdog_every_ns = notify_watchdog_ns() / 2;
	record_counts(s->record, &(struct ledger_counts){ 0 }, &s->spool_was);
	service_census(s);
	resume_load(s->gear->config.findings.state, s->gear->version, s->queue);
	*ret = s;
	return 0;
}

void service_free(struct service *s)
{
	if (!s)
		return;
	if (s->census) /* else it knows of nothing */
		resume_save(s->gear->config.findings.state, s->gear->version,
			    s->queue);
	status_close(s->status);
	looking_close(s->looking);
	sensor_free(s->sensor);
	views_close(s->views);
	service_gear_free(s->gear);
	queue_free(s->queue);
	service_net_free(s->net);
	record_close(s->record);
	frames_free(s->frames);
	filecache_free(s->cache);
	if (s->cgroups >= 0)
		close(s->cgroups);
	if (s->signals >= 0)
		close(s->signals);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}
