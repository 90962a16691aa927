/* events.c - what sensors and censuses cost: the machine for each process that
 * begins, and us while nothing happens.
 *
 *	build/bench/events [ROUNDS [EXECS [PROCESSES]]]     5, 20000, 1000
 *
 * As root.  A storm of the smallest programs is run without any sensor, with
 * BPF and with netlink, taking turns; a process more or less on the machine
 * makes it noise, so medians and a quiet machine.  The record is its output. */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../tests/unit/tiny.h"
#include "io.h"
#include "sensor.h"

#define ROUNDS_MAX 99
#define THREADS	   4

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

/* Seconds of CPU, of this process and its children. */
static double cpu(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
	       ((double)u.ru_utime.tv_usec + (double)u.ru_stime.tv_usec) / 1e6;
}

static void ignore(void *user, const struct event *e)
{
	(*(size_t *)user) += e->kind == EVENT_LOST;
}

/* ---- a storm ------------------------------------------------------------ */

static char program[] = "/tmp/bench_events.XXXXXX";
static unsigned execs;

static void *spawn(void *user)
{
	for (unsigned i = 0; i < execs / THREADS; i++)
		tiny_run(program);
	return user;
}

struct result {
	double per_second, cpu_us, own_us; /* own: of reading events */
	size_t lost;
	struct sensor_state state;
};

static struct result storm(const struct sensor_options *o, void (*also)(void))
{
	struct result r = { 0 };
	struct sensor *s = NULL;
	struct why why = { "" };
	pthread_t threads[THREADS];
	uint64_t begin;
	double before;
	int status;
	pid_t pid;

	if (o && sensor_new(o, &s, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	begin = io_now_ns();
	before = cpu(RUSAGE_CHILDREN);
	/* In a child, so that its CPU time and ours are apart. */
	pid = fork();
	if (!pid) {
		for (int i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, spawn, NULL);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		_exit(0);
	}
	r.own_us = cpu(RUSAGE_SELF);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		struct pollfd p = { s ? sensor_fd(s) : -1, POLLIN, 0 };

		poll(&p, 1, 20);
		if (s)
			sensor_read(s, ignore, &r.lost);
	}
	r.own_us = (cpu(RUSAGE_SELF) - r.own_us) * 1e6 / execs;
	r.per_second = execs / ((double)(io_now_ns() - begin) / 1e9);
	r.cpu_us = (cpu(RUSAGE_CHILDREN) - before) * 1e6 / execs;
	for (int i = 0; s && i < 10; i++) { /* what still waits */
		struct pollfd p = { sensor_fd(s), POLLIN, 0 };

		poll(&p, 1, 100);
		sensor_read(s, ignore, &r.lost);
	}
	if (also)
		also();
	if (s)
		r.state = *sensor_state(s);
	sensor_free(s);
	return r;
}

/* Packets that are no DNS answers, and connections that are refused. */
static void network(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int to = socket(AF_INET, SOCK_DGRAM, 0), from, c;
	socklen_t len = sizeof(a);
	char byte[64];

	from = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(to, (void *)&a, sizeof(a)) ||
	    getsockname(to, (void *)&a, &len))
		return;
	for (int i = 0; i < 50000; i++)
		if (sendto(from, byte, sizeof(byte), 0, (void *)&a, len) > 0)
			(void)!recv(to, byte, sizeof(byte), MSG_DONTWAIT);
	for (int i = 0; i < 2000; i++) {
		a.sin_port = htons((uint16_t)(20000 + i));
		c = socket(AF_INET, SOCK_STREAM, 0);
		(void)!connect(c, (void *)&a, sizeof(a));
		close(c);
	}
	close(to);
	close(from);
}

static void print_programs(struct sensor_options o)
{
	struct result r = storm(&o, network);
	const struct sensor_state *s = &r.state;

	puts("\nBPF programs in a storm      runs    ns each  (its own clock "
	     "included: some 20 ns)");
	for (size_t i = 0; i < s->n_programs; i++) {
		const struct sensor_program *p = &s->programs[i];

		if (p->runs)
			printf("  %-10s %-12s %8lu  %8.0f\n", p->name, p->how,
			       (unsigned long)p->runs,
			       (double)p->run_ns / (double)p->runs);
		else
			printf("  %-10s %s%s\n", p->name,
			       p->how[0] ? "did not run" : "not here: ",
			       p->why);
	}
}

static void storms(int rounds)
{
	static const struct {
		const char *name;
		struct sensor_options o;
	} ways[] = {
		{ "none", { 0 } },
		{ "BPF", { 0 } },
		{ "netlink", { .no_bpf = true } },
	};
	double rate[3][ROUNDS_MAX], us[3][ROUNDS_MAX], own[3][ROUNDS_MAX];
	uint64_t counted[3] = { 0 }, missed[3] = { 0 };

	for (int i = 0; i < rounds; i++)
		for (int w = 0; w < 3; w++) {
			struct result r = storm(w ? &ways[w].o : NULL, NULL);

			rate[w][i] = r.per_second;
			us[w][i] = r.cpu_us;
			own[w][i] = r.own_us;
			counted[w] += r.state.execs;
			missed[w] += r.state.missed;
		}
	printf("%u execs a round by %d threads, medians of %d rounds\n\n"
	       "sensor      execs/s   CPU us each   ours us each    counted   "
	       "missed\n",
	       execs, THREADS, rounds);
	for (int w = 0; w < 3; w++)
		printf("  %-8s  %7.0f      %7.1f        %7.2f   %8lu   %6lu\n",
		       ways[w].name, median(rate[w], rounds),
		       median(us[w], rounds), median(own[w], rounds),
		       (unsigned long)counted[w], (unsigned long)missed[w]);
	print_programs((struct sensor_options){ .measure = true });
}

/* ---- a census ----------------------------------------------------------- */

static void census(const char *name, struct views_options o)
{
	double ms[21];
	struct views *v;
	struct why why = { "" };
	const struct seen *all;
	size_t n = 0;

	if (views_open(&o, &v, &why))
		return;
	for (int i = 0; i < 21; i++) {
		double before = cpu(RUSAGE_SELF);

		views_list(v, &all, &n);
		ms[i] = (cpu(RUSAGE_SELF) - before) * 1e3;
	}
	printf("  %-34s %6zu   %8.2f   %8.3f\n", name, n, median(ms, 21),
	       median(ms, 21) / 10000 * 100);
	views_close(v);
}

static void censuses(int processes)
{
	pid_t *pids = calloc((size_t)processes, sizeof(*pids));

	for (int i = 0; i < processes; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
	puts("\ncensus, with                     processes     CPU ms   "
	     "% of a core, every 10 s");
	census("task list, procfs of our own", (struct views_options){ 0 });
	census("procfs of our own", (struct views_options){ .no_tasks = true });
	census("/proc alone",
	       (struct views_options){ .no_private = true, .no_tasks = true });
	for (int i = 0; i < processes; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	free(pids);
}

/* ---- nothing happens ---------------------------------------------------- */

static void idle(struct sensor_options o)
{
	uint64_t end = io_now_ns() + 20000000000ULL;
	struct why why = { "" };
	struct sensor *s;
	size_t lost = 0;
	double before = cpu(RUSAGE_SELF), start;

	if (sensor_new(&o, &s, &why))
		return;
	start = (cpu(RUSAGE_SELF) - before) * 1e3;
	before = cpu(RUSAGE_SELF);
	while (io_now_ns() < end) {
		struct pollfd p = { sensor_fd(s), POLLIN, 0 };

		poll(&p, 1, 1000);
		sensor_read(s, ignore, &lost);
	}
	printf("  %-8s %10.1f   %14.4f\n",
	       sensor_mode_name(sensor_state(s)->mode), start,
	       (cpu(RUSAGE_SELF) - before) / 20 * 100);
	sensor_free(s);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5;
	int processes = argc > 3 ? atoi(argv[3]) : 1000;
	struct utsname u;
	char date[32];
	time_t now = time(NULL);

	execs = argc > 2 ? (unsigned)atoi(argv[2]) : 20000;
	if (rounds < 1 || rounds > ROUNDS_MAX || execs < THREADS ||
	    processes < 1) {
		fprintf(stderr, "usage: events [ROUNDS [EXECS [PROCESSES]]]\n");
		return 2;
	}
	close(mkstemp(program));
	unlink(program);
	tiny_make(program);
	uname(&u);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M", gmtime(&now));
	printf("What sensors cost, %s UTC, Linux %s, %ld CPUs\n\n", date,
	       u.release, sysconf(_SC_NPROCESSORS_ONLN));
	storms(rounds);
	censuses(processes);
	puts("\nsensor     start ms   % of a core idle");
	idle((struct sensor_options){ 0 });
	idle((struct sensor_options){ .no_bpf = true });
	idle((struct sensor_options){ .no_bpf = true, .no_netlink = true });
	unlink(program);
	return 0;
}
