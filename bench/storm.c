/* storm.c - as many short programs as this machine can begin.
 *
 *	build/bench/storm SECONDS
 *
 * One after the other on each CPU.  Prints how many there were. */
#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include "../tests/unit/tiny.h"

#define THREADS_MAX 1024

static char program[] = "/tmp/bench_storm.XXXXXX";
static time_t end;

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void *spawn(void *user)
{
	uintptr_t n = 0;

	(void)user;
	while (now() < end)
		n += (uintptr_t)tiny_run(program);
	return (void *)n;
}

int main(int argc, char **argv)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[THREADS_MAX];
	uintptr_t all = 0;
	int fd;

	if (argc != 2 || atoi(argv[1]) < 1) {
		fprintf(stderr, "usage: storm SECONDS\n");
		return 2;
	}
	fd = mkstemp(program);
	if (fd < 0)
		return 4;
	close(fd);
	unlink(program);
	tiny_make(program);
	end = now() + atoi(argv[1]);
	n = n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : n;
	for (long i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, spawn, NULL))
			return 4;
	for (long i = 0; i < n; i++) {
		void *ret;

		pthread_join(threads[i], &ret);
		all += (uintptr_t)ret;
	}
	unlink(program);
	printf("%lu\n", (unsigned long)all);
	return 0;
}
