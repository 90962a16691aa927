/* storm.c - as many short programs as this machine can begin.
 *
 *	build/bench/storm SECONDS
 *
 * One after the other on each CPU, by a process each: threads would wait for
 * each other's memory map.  Prints how many there were. */
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include "../tests/unit/tiny.h"

#define WORKERS_MAX 1024

static char program[] = "/tmp/bench_storm.XXXXXX";

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void work(time_t end, uint64_t *done)
{
	uint64_t n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (now() < end)
		n += (uint64_t)tiny_run(program);
	*done = n;
	_exit(0);
}

int main(int argc, char **argv)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	int fd, seconds = argc == 2 ? atoi(argv[1]) : 0;
	uint64_t *done, all = 0;
	time_t end;

	if (seconds < 1) {
		fprintf(stderr, "usage: storm SECONDS\n");
		return 2;
	}
	done = mmap(NULL, WORKERS_MAX * sizeof(*done), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fd = mkstemp(program);
	if (fd < 0 || done == MAP_FAILED)
		return 4;
	close(fd);
	unlink(program);
	tiny_make(program);
	end = now() + seconds;
	n = n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : n;
	for (long i = 0; i < n; i++)
		if (fork() == 0)
			work(end, &done[i]);
	while (wait(NULL) > 0)
		;
	for (long i = 0; i < n; i++)
		all += done[i];
	unlink(program);
	printf("%lu\n", (unsigned long)all);
	return 0;
}
