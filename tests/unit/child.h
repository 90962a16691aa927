/* child.h - processes for the tests to look at. */
#ifndef CHILD_H
#define CHILD_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "proc.h"

/* Zeroed memory that a child shares with the test, to say where things are. */
static inline void *child_shared(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* A child that has done @body(@user) and now sleeps until child_end(). */
static inline pid_t child_start(void (*body)(void *user), void *user)
{
	char done;
	int ready[2];
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (body)
			body(user);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &done, 1) != 1)
		abort(); /* @body failed */
	close(ready[0]);
	return pid;
}

static inline void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Under qemu-user /proc is that of the emulator, but for /proc/self: it has a
 * thread more, no mapping of the guest's is executable, a guest can not exec.
 */
static inline bool child_emulated(void)
{
	char from = 0, to;
	struct iovec here = { &to, 1 }, there = { &from, 1 };

	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) < 0 &&
	       errno == ENOSYS;
}

/* For a test that can not hold there: says so; the caller skips. */
static inline bool child_skip_emulated(void)
{
	if (!child_emulated())
		return false;
	puts("qemu-user: /proc shows the emulator");
	return true;
}

static inline bool child_in_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "/vgpreload_");
}

/* valgrind up to 3.19 knows no pidfd_open(2), with which matchers and readers
 * are watched. */
static inline bool child_unwatched(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd >= 0)
		close(fd);
	return fd < 0 && child_in_valgrind();
}

/* For a test that needs a reader: likewise. */
static inline bool child_skip_unwatched(void)
{
	if (!child_unwatched())
		return child_skip_emulated();
	puts("valgrind: no pidfd_open(2)");
	return true;
}

/* For a program of tests that need one of our others. */
static inline void child_can_not_exec(void **state)
{
	(void)state;
	puts(child_in_valgrind()
		     ? "valgrind: its own system calls, no pidfd_open(2)"
		     : "qemu-user: a guest can not exec another guest's "
		       "program");
	skip();
}

/* Instead of a group's tests, where they can not be run. */
static inline int child_skip_group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(child_can_not_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

static inline int child_procfs(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		abort();
	return fd;
}

/* For proc_close(). */
static inline struct proc child_proc(pid_t pid)
{
	struct proc p;

	if (proc_open(child_procfs(), pid, &p))
		abort();
	return p;
}

/* Anonymous private memory of a child; ends the child where there is none. */
static inline uint8_t *child_map(size_t bytes, int protection)
{
	void *p = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	if (p == MAP_FAILED)
		_exit(1);
	return p;
}

#endif
