/* cmd_doctor_sensors.c - what `doctor` says of views and sensors: each is
 * opened and used. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cmd_doctor_own.h"
#include "sensor.h"

#define FORKS 64 /* to measure by */

static void check_view(struct diagnosis *d, bool private, const char *found,
		       const char *without)
{
	const struct views_options o = { 0 };
	struct why why = { "" };
	struct views *v = NULL;
	const char *no;

	if (views_open(&o, &v, &why))
		no = why.text;
	else
		no = private ? views_why_no_private(v) : views_why_no_tasks(v);
	d->works = !*no;
	snprintf(d->found, sizeof(d->found), "%s",
		 d->works ? found : "not here");
	if (!d->works)
		snprintf(d->mend, sizeof(d->mend), "%s; without it, %s", no,
			 without);
	views_close(v);
}

void doctor_procfs(struct diagnosis *d)
{
	check_view(d, true, "a procfs of our own",
		   "what is mounted over /proc/PID hides that process from us");
}

void doctor_tasks(struct diagnosis *d)
{
	check_view(d, false, "the kernel's task list, by a BPF iterator",
		   "a kernel module that edits /proc hides processes from us, "
		   "and a census reads every /proc/PID/stat");
}

/* ---- sensors --------------------------------------------------------- */

static void ignore(void *user, const struct event *e)
{
	(void)user;
	(void)e;
}

/* What a process costs from its fork to its end, in ns; 0: not known. */
static double cost(struct sensor *s)
{
	const struct sensor_state *state;
	double ns = 0;

	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	state = sensor_state(s);
	for (size_t i = 0; i < state->n_programs; i++) {
		const struct sensor_program *p = &state->programs[i];

		if (p->runs &&
		    (!strcmp(p->name, "fork") || !strcmp(p->name, "exec") ||
		     !strcmp(p->name, "exit")))
			ns += (double)p->run_ns / (double)p->runs;
	}
	return ns;
}

static size_t add(char *ret, size_t cap, size_t at, const char *text)
{
	int n = snprintf(ret + at, cap - at, "%s%s", at ? ", " : "", text);

	return at + (size_t)n < cap ? at + (size_t)n : cap - 1;
}

static void name_programs(const struct sensor_state *s, struct diagnosis *d)
{
	char have[160] = "", lack[160] = "", first[300] = "";
	size_t h = 0, l = 0;

	for (size_t i = 0; i < s->n_programs; i++) {
		const struct sensor_program *p = &s->programs[i];

		if (p->how[0]) {
			h = add(have, sizeof(have), h, p->name);
			continue;
		}
		l = add(lack, sizeof(lack), l, p->name);
		if (!first[0])
			snprintf(first, sizeof(first), "%s", p->why);
	}
	snprintf(d->found, sizeof(d->found), "BPF: %s", have);
	d->works = !l;
	if (l)
		snprintf(d->mend, sizeof(d->mend),
			 "not seen here: %s (%s); the next pass finds what "
			 "they would have told of",
			 lack, first);
}

void doctor_sensors(struct diagnosis *d)
{
	const struct sensor_options o = { .measure = true };
	const struct sensor_state *state;
	struct why why = { "" };
	struct sensor *s = NULL;
	double ns;

	d->works = sensor_new(&o, &s, &why) == 0;
	if (!d->works) {
		snprintf(d->found, sizeof(d->found), "nothing tells of events");
		snprintf(d->mend, sizeof(d->mend), "%s", why.text);
		return;
	}
	sensor_read(s, ignore, NULL);
	state = sensor_state(s);
	if (state->mode == SENSOR_BPF) {
		size_t n;

		ns = cost(s);
		name_programs(state, d);
		n = strlen(d->found);
		if (ns > 0)
			snprintf(d->found + n, sizeof(d->found) - n,
				 "; %.1f us a process", ns / 1000);
	} else {
		d->works = false;
		snprintf(d->found, sizeof(d->found), "%s, not BPF",
			 sensor_mode_name(state->mode));
		snprintf(d->mend, sizeof(d->mend),
			 "%.200s%s%.200s; new code, connections and DNS answers are "
			 "not seen%s",
			 state->why_no_bpf,
			 state->mode == SENSOR_POLLING ? "; netlink: " : "",
			 state->mode == SENSOR_POLLING ? state->why_no_netlink
						       : "",
			 state->mode == SENSOR_POLLING
				 ? ", nor an exec without a fork"
				 : "");
	}
	sensor_free(s);
}
