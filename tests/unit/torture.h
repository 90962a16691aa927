/* torture.h - a function run in a child whose nth system call is where it is
 * killed, or is the one that fails.  By ptrace(2): no list of calls to keep,
 * none forgotten. */
#ifndef TORTURE_H
#define TORTURE_H

#include <elf.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"

#ifdef COVERAGE
void __gcov_dump(void);
#endif

enum torture_how { TORTURE_KILL_BEFORE, TORTURE_KILL_AFTER, TORTURE_FAIL };

/* Replaces the call about to be made by none. */
static inline void torture_cancel(pid_t pid)
{
#ifdef __x86_64__
	ptrace(PTRACE_POKEUSER, pid,
	       offsetof(struct user_regs_struct, orig_rax), -1L);
#else
	int none = -1;
	struct iovec v = { &none, sizeof(none) };

	ptrace(PTRACE_SETREGSET, pid, 0x404 /* NT_ARM_SYSTEM_CALL */, &v);
#endif
}

static inline void torture_result(pid_t pid, long result)
{
#ifdef __x86_64__
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax),
	       result);
#else
	struct user_regs_struct r;
	struct iovec v = { &r, sizeof(r) };

	ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v);
	r.regs[0] = (unsigned long)result;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v);
#endif
}

/* Runs @work(@arg) so.  Returns its result (0 to 255), -1 where it was
 * killed, -2 where it made less than @nth calls (then it ran unharmed), -3
 * where ptrace does not work here. */
static inline int torture(int (*work)(void *), void *arg, enum torture_how how,
			  int nth, int error)
{
	int status, calls = 0, inside = 0;
	pid_t pid = child_in_valgrind() ? -1 : fork();

	if (pid < 0)
		return -3;
	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(253);
		raise(SIGSTOP);
		status = work(arg);
#ifdef COVERAGE
		raise(SIGSTOP); /* no longer watched: what it reached counts */
		__gcov_dump();
#endif
		_exit(status);
	}
	waitpid(pid, &status, 0);
	if (!WIFSTOPPED(status))
		return -3;
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		waitpid(pid, &status, 0);
		if (WIFSIGNALED(status))
			return -1;
		if (WIFEXITED(status))
			return calls < nth ? -2 : WEXITSTATUS(status);
#ifdef COVERAGE
		if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP) {
			ptrace(PTRACE_DETACH, pid, NULL, NULL);
			waitpid(pid, &status, 0);
			return calls < nth ? -2 : WEXITSTATUS(status);
		}
#endif
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		inside = !inside;
		calls += inside;
		if (calls != nth)
			continue;
		if (how == (inside ? TORTURE_KILL_BEFORE : TORTURE_KILL_AFTER))
			kill(pid, SIGKILL);
		else if (how == TORTURE_FAIL && inside)
			torture_cancel(pid);
		else if (how == TORTURE_FAIL)
			torture_result(pid, -error);
	}
}

#endif
