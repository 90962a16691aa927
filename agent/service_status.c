/* service_status.c - what the service says of itself: one JSON object, of
 * which the metrics are a part. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io.h"
#include "log.h"
#include "notify.h"
#include "service_own.h"
#include "show_exclude.h"

/* Digits enough for people, and no more. */
static json_object *real(double x)
{
	char text[32];

	snprintf(text, sizeof(text), "%.6g", x);
	return json_object_new_double_s(x, text);
}

static json_object *number(uint64_t n)
{
	return json_object_new_uint64(n);
}

static json_object *seconds(uint64_t ns)
{
	return real((double)ns / 1e9);
}

static void add(json_object *o, const char *key, json_object *value)
{
	json_object_object_add(o, key, value);
}

static void add_text(json_object *o, const char *key, const char *text)
{
	if (text && text[0])
		add(o, key, json_object_new_string(text));
}

static json_object *pass(const struct service *s, uint64_t now)
{
	json_object *o = json_object_new_object();

	add(o, "completed", number(s->counts.passes));
	add(o, "running", json_object_new_boolean(s->pass.running));
	if (s->pass.running) {
		add(o, "runningSeconds", seconds(now - s->pass.begin_ns));
		add(o, "processes", number(s->pass.all));
	} else {
		add(o, "nextSeconds", seconds(s->pass.next_ns > now
						      ? s->pass.next_ns - now
						      : 0));
	}
	add(o, "toGo", number(queue_length(s->queue, LANE_STEADY)));
	if (s->counts.passes)
		add(o, "lastSeconds", seconds(s->pass.last_ns));
	return o;
}

static json_object *budget(const struct service *s, uint64_t now)
{
	json_object *o = json_object_new_object();

	add(o, "share", real(s->budget.share));
	add(o, "used", real(budget_used(&s->budget, now)));
	add(o, "cpuSeconds", seconds(s->cpu_ns));
	return o;
}

static json_object *looks(const struct service_counts *c)
{
	json_object *o = json_object_new_object();

	add(o, "urgent", number(c->looks[LANE_URGENT]));
	add(o, "steady", number(c->looks[LANE_STEADY]));
	add(o, "complete", number(c->complete));
	add(o, "partial", number(c->partial));
	add(o, "vanished", number(c->vanished));
	add(o, "denied", number(c->denied));
	add(o, "excluded", number(c->excluded));
	add(o, "carriers", number(c->carriers));
	add(o, "readBytes", number(c->read_bytes));
	add(o, "sharedBytes", number(c->shared_bytes));
	return o;
}

/* The BPF programs: how each is attached, or why it is not. */
static json_object *programs(const struct sensor_state *state)
{
	json_object *all = json_object_new_array();

	for (size_t i = 0; i < state->n_programs; i++) {
		const struct sensor_program *p = &state->programs[i];
		json_object *o = json_object_new_object();

		add_text(o, "name", p->name);
		add_text(o, "how", p->how);
		add_text(o, "why", p->why);
		json_object_array_add(all, o);
	}
	return all;
}

static json_object *sensors(const struct service *s)
{
	const struct sensor_state *state = sensor_state(s->sensor);
	json_object *o = json_object_new_object();

	add_text(o, "mode", sensor_mode_name(state->mode));
	add_text(o, "whyNoBpf", state->why_no_bpf);
	add_text(o, "whyNoNetlink", state->why_no_netlink);
	add(o, "programs", programs(state));
	add(o, "forks", number(state->forks));
	add(o, "execs", number(state->execs));
	add(o, "exits", number(state->exits));
	add(o, "lost", number(state->missed));
	add(o, "dropped", number(state->dropped));
	add(o, "catchUps", number(s->counts.catch_ups));
	add(o, "missed", number(s->counts.missed));
	return o;
}

/* How many of those that a service did not survive are still there. */
static uint64_t refused(const struct service *s)
{
	const struct looking_at *r;
	uint64_t n = 0;

	for (size_t i = 0; (r = looking_refused(s->looking, i)); i++) {
		const struct target *t = queue_find(s->queue, r->pid);

		n += t && t->start_ticks == r->start_ticks;
	}
	return n;
}

static json_object *processes(const struct service *s)
{
	json_object *o = json_object_new_object();
	size_t n = 0;

	while (queue_target(s->queue, n))
		n++;
	add(o, "known", number(n));
	add(o, "due", number(queue_length(s->queue, LANE_URGENT)));
	add(o, "hidden", number(s->counts.hidden));
	add(o, "beyondLimit", number(s->counts.unknown));
	add(o, "refused", number(refused(s)));
	return o;
}

/* Of what the spool counts since it was made: since we began. */
static uint64_t dropped(const struct service *s, const struct spool_counts *now)
{
	uint64_t n = 0;

	for (int i = 0; i < 3; i++)
		n += now->dropped[i] - s->spool_was.dropped[i];
	return n;
}

static json_object *findings(const struct service *s)
{
	json_object *o = json_object_new_object();
	struct ledger_counts ledger;
	struct spool_counts spool;

	record_counts(s->record, &ledger, &spool);
	add(o, "opened", number(s->counts.findings));
	add(o, "open", number(ledger.open));
	add(o, "refused", number(ledger.refused));
	add(o, "displaced", number(ledger.displaced));
	add(o, "spoolDropped", number(dropped(s, &spool)));
	add(o, "spoolAside", number(spool.aside - s->spool_was.aside));
	return o;
}

/* The names of the rules that one of the matchers does without. */
static json_object *rules_off(const struct service *s)
{
	json_object *all = json_object_new_array();
	const char *name;

	for (enum lane lane = 0; lane < LANES; lane++)
		for (size_t i = 0;
		     (name = match_off(scan_match(s->gear->scans[lane]), i));
		     i++)
			json_object_array_add(all,
					      json_object_new_string(name));
	return all;
}

static const char *matcher_down(const struct service *s)
{
	const char *why = NULL;

	for (enum lane lane = 0; lane < LANES && !why; lane++)
		why = match_down(scan_match(s->gear->scans[lane]));
	return why;
}

static json_object *rules(const struct service *s)
{
	json_object *o = json_object_new_object();
	size_t n;

	match_rules(scan_match(s->gear->scans[LANE_STEADY]), &n);
	add_text(o, "engine", s->gear->tools.engine);
	add(o, "rules", number(n));
	add_text(o, "ruleSetVersion", s->gear->tools.rules_version);
	add(o, "pageDigests",
	    number(hashset_n_pages(s->gear->set) -
		   hashset_n_fragments(s->gear->set)));
	add(o, "fragmentDigests", number(hashset_n_fragments(s->gear->set)));
	add_text(o, "hashSetVersion", s->gear->tools.set_version);
	add(o, "reloads", number(s->counts.reloads));
	add_text(o, "reloadFailed", s->reload_why.text);
	add_text(o, "matcherDown", matcher_down(s));
	add(o, "off", rules_off(s));
	return o;
}

static json_object *describe(const struct service *s)
{
	json_object *o = json_object_new_object();
	uint64_t now = io_now_ns();

	add_text(o, "version", DAVYLAMP_VERSION);
	add(o, "pid", number((uint64_t)getpid()));
	add(o, "upSeconds", seconds(now - s->begin_ns));
	add(o, "sensors", sensors(s));
	add(o, "pass", pass(s, now));
	add(o, "processes", processes(s));
	add(o, "looks", looks(&s->counts));
	add(o, "budget", budget(s, now));
	add(o, "findings", findings(s));
	add(o, "rules", rules(s));
	add(o, "exclusions", show_exclude_json(s->gear->config.excludes));
	return o;
}

void service_answer(struct service *s)
{
	json_object *o = describe(s);
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	status_answer(s->status, text, strlen(text));
	json_object_put(o);
}

/* ---- what others are told -------------------------------------------- */

const char *service_why_degraded(const struct service *s)
{
	const struct sensor_state *state = sensor_state(s->sensor);

	return state->mode == SENSOR_BPF ? NULL : state->why_no_bpf;
}

void service_tell_degraded(struct service *s)
{
	const struct sensor_state *state = sensor_state(s->sensor);
	const char *why_not = service_why_degraded(s);
	struct why why = { "" };
	json_object *o;
	char text[512];

	if (!why_not)
		return;
	snprintf(text, sizeof(text), "davylamp learns of new processes by %s, "
		 "which misses what BPF would tell: %s",
		 sensor_mode_name(state->mode), why_not);
	o = finding_observation(text, "Run on this machine: davylamp doctor. "
				      "It says what is missing and what mends it.");
	if (!o || record_observation(s->record, o, &why))
		log_say(LOG_ERR, "%s", why.text);
	json_object_put(o);
}

void service_tell_down(struct service *s, enum lane lane)
{
	const char *why = match_down(scan_match(s->gear->scans[lane]));

	if (why && !s->down_told[lane])
		log_say(LOG_ERR,
			"nothing is found by rules: davylamp-match can not "
			"be started: %s",
			why);
	s->down_told[lane] = why != NULL;
}

void service_tell_manager(const struct service *s)
{
	struct ledger_counts ledger;
	struct spool_counts spool;
	char text[256];

	record_counts(s->record, &ledger, &spool);
	snprintf(text, sizeof(text),
		 "STATUS=events by %s; %zu processes to look at; %.2f %% of a "
		 "core; %zu findings open",
		 sensor_mode_name(sensor_state(s->sensor)->mode),
		 queue_length(s->queue, LANE_URGENT) +
			 queue_length(s->queue, LANE_STEADY),
		 100 * budget_used(&s->budget, io_now_ns()), ledger.open);
	notify_send(text);
}

/* ---- metrics --------------------------------------------------------- */

static const struct {
	const char *part, *key; /* of the object above */
	const char *name, *type, *help;
} metrics[] = {
	{ NULL, "upSeconds", "up_seconds", "gauge", "Since the service began." },
	{ "budget", "cpuSeconds", "cpu_seconds_total", "counter",
	  "CPU time of the service and its matchers." },
	{ "budget", "share", "cpu_budget", "gauge",
	  "Share of a core that it may use." },
	{ "budget", "used", "cpu_used", "gauge",
	  "Share of a core used in the last ten minutes." },
	{ "processes", "known", "processes", "gauge", "Processes known." },
	{ "processes", "due", "processes_due", "gauge",
	  "Processes that a trigger made due." },
	{ "processes", "hidden", "processes_hidden", "gauge",
	  "Processes that something hides." },
	{ "pass", "completed", "passes_total", "counter",
	  "Whole passes completed." },
	{ "pass", "toGo", "pass_to_go", "gauge",
	  "Processes that the pass at hand has still to look at." },
	{ "pass", "lastSeconds", "pass_seconds", "gauge",
	  "The last whole pass took." },
	{ "looks", "urgent", "looks_urgent_total", "counter",
	  "Looks that a trigger asked for." },
	{ "looks", "steady", "looks_steady_total", "counter",
	  "Looks of the whole pass." },
	{ "looks", "partial", "looks_partial_total", "counter",
	  "Looks that could not read all." },
	{ "looks", "denied", "looks_denied_total", "counter",
	  "Processes that could not be opened." },
	{ "looks", "excluded", "looks_excluded_total", "counter",
	  "Looks left out by an exclusion." },
	{ "looks", "readBytes", "read_bytes_total", "counter",
	  "Memory that was read." },
	{ "sensors", "execs", "execs_total", "counter", "Programs begun." },
	{ "sensors", "forks", "forks_total", "counter", "Processes begun." },
	{ "sensors", "lost", "events_lost_total", "counter",
	  "Events that were lost and made up for by a look at all." },
	{ "sensors", "dropped", "events_dropped_total", "counter",
	  "Connections and names that found no room." },
	{ "sensors", "catchUps", "catch_ups_total", "counter",
	  "Looks at every process for lost events." },
	{ "findings", "opened", "findings_total", "counter",
	  "Findings opened since the service began." },
	{ "findings", "open", "findings_open", "gauge", "Findings open." },
	{ "findings", "spoolDropped", "spool_dropped_total", "counter",
	  "Events dropped for want of room in the spool." },
	{ "rules", "reloads", "reloads_total", "counter",
	  "Reloads that succeeded." },
};

static void print_metrics(FILE *out, json_object *status)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		json_object *part = status, *value;

		if (metrics[i].part)
			json_object_object_get_ex(status, metrics[i].part,
						  &part);
		if (!json_object_object_get_ex(part, metrics[i].key, &value))
			continue;
		fprintf(out,
			"# HELP davylamp_%s %s\n# TYPE davylamp_%s %s\n"
			"davylamp_%s %s\n",
			metrics[i].name, metrics[i].help, metrics[i].name,
			metrics[i].type, metrics[i].name,
			json_object_to_json_string(value));
	}
	fprintf(out, "# HELP davylamp_sensors How events are learned of.\n"
		     "# TYPE davylamp_sensors gauge\n"
		     "davylamp_sensors{mode=\"%s\"} 1\n",
		json_object_get_string(json_object_object_get(
			json_object_object_get(status, "sensors"), "mode")));
}

/* Whole or not at all: node_exporter reads it at any time, and as another user,
 * whatever the unit's UMask says. */
static int write_file(const char *path, const char *text, size_t len)
{
	char temporary[CONFIG_TEXT + 8];
	int fd, err = 0;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
				     O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0644))
		err = -errno;
	else if (write(fd, text, len) != (ssize_t)len)
		err = -EIO;
	close(fd);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}

void service_write_metrics(struct service *s)
{
	const char *path = s->gear->config.run.metrics;
	json_object *status;
	char *text = NULL;
	size_t len = 0;
	FILE *out;
	int err = 0;

	if (!path[0])
		return;
	status = describe(s);
	out = open_memstream(&text, &len);
	if (out) {
		print_metrics(out, status);
		fclose(out);
		err = write_file(path, text, len);
	}
	if (err && err != s->metrics_error)
		log_say(LOG_ERR, "%s: %s", path, strerror(-err));
	s->metrics_error = err;
	free(text);
	json_object_put(status);
}
