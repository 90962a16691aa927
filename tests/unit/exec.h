/* exec.h - a child that begins another program when it is told to, as often as
 * it is. */
#ifndef EXEC_H
#define EXEC_H

#include "child.h"
#include "io.h"

/* SIGUSR2 is blocked while it is handled, and then in the next program. */
static inline void exec_next(int number)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d", number + 1);
	execl("/proc/self/exe", "test", "exec", text, NULL);
	_exit(1);
}

/* The beginning of main(). */
static inline void exec_main(int argc, char **argv)
{
	sigset_t usr2;
	int signal;

	if (argc != 3 || strcmp(argv[1], "exec") != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	sigwait(&usr2, &signal);
	exec_next(atoi(argv[2]));
}

/* As child_start(); its first program is this one. */
static inline pid_t exec_start(void (*body)(void *user), void *user)
{
	struct sigaction old, action = { .sa_handler = exec_next };
	pid_t pid;

	sigaction(SIGUSR2, &action, &old);
	pid = child_start(body, user);
	sigaction(SIGUSR2, &old, NULL);
	return pid;
}

/* Returns when it has begun the next one. */
static inline void exec_another(pid_t pid)
{
	char path[64], before[256] = "", now[256] = "";
	ssize_t n, len;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	len = io_read_at(AT_FDCWD, path, before, sizeof(before));
	kill(pid, SIGUSR2);
	do {
		usleep(200);
		n = io_read_at(AT_FDCWD, path, now, sizeof(now));
	} while (n <= 0 || (n == len && !memcmp(now, before, (size_t)n)));
}

static inline bool exec_skip(void)
{
	if (!child_in_valgrind())
		return child_skip_emulated();
	puts("valgrind: /proc/self/exe is valgrind");
	return true;
}

#endif
