/* threads.h - processes whose threads end one by one. */
#ifndef THREADS_H
#define THREADS_H

#include <pthread.h>
#include "child.h"
#include "io.h"

static inline void threads_end_this(int signal)
{
	(void)signal;
	syscall(SYS_exit, 0);
}

static inline void *threads_wait(void *user)
{
	for (;;)
		pause();
	return user;
}

/* SIGUSR1 ends the one thread that it is sent to. */
static inline void threads_start(void *user)
{
	pthread_t t;

	(void)user;
	signal(SIGUSR1, threads_end_this);
	if (pthread_create(&t, NULL, threads_wait, NULL) ||
	    pthread_create(&t, NULL, threads_wait, NULL))
		_exit(1);
}

static inline void threads_end(pid_t pid, pid_t tid)
{
	char path[64], text[512] = "";
	const char *end;

	assert_int_equal(syscall(SYS_tgkill, pid, tid, SIGUSR1), 0);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	while (io_read_at(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	       (end = strrchr(text, ')')) && end[2] != 'Z')
		usleep(1000);
}

#endif
