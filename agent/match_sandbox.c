/* match_sandbox.c - what davylamp-match gives up before it sees hostile bytes.
 *
 * What a scan by libyara 4.2 and 4.5 calls was measured with strace: brk, mmap
 * and munmap, and futex since 4.5 (SCAN_FLAGS_NO_TRYCATCH keeps it from signal
 * calls).  The rest of the list is malloc's, the socket's and the exit's. */
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "confine.h"
#include "match_sandbox.h"

#define NOBODY	 65534
#define HEAP_MAX (1UL << 30) /* address space beyond what the rules took */

static const int allowed[] = {
	SCMP_SYS(sendto),     SCMP_SYS(recvfrom),   SCMP_SYS(poll),
	SCMP_SYS(ppoll),      SCMP_SYS(brk),	    SCMP_SYS(munmap),
	SCMP_SYS(mremap),     SCMP_SYS(madvise),    SCMP_SYS(futex),
	SCMP_SYS(exit),	      SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(clock_gettime), SCMP_SYS(restart_syscall),
};

static int failed(struct why *why, int error, const char *what)
{
	return why_set(why, error, "davylamp-match: %s: %s", what,
		       strerror(-error));
}

static int drop_root(struct why *why)
{
	if (geteuid() != 0)
		return 0;
	/* Not allowed everywhere (user namespaces, containers); then the
	 * system-call filter still leaves it nothing to call. */
	unshare(CLONE_NEWNET | CLONE_NEWIPC);
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return failed(why, -errno, "root can not be given up");
	return 0;
}

static int limit(struct why *why)
{
	const struct {
		int resource;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_NOFILE, 1 }, /* poll(2) of one; none can be opened */
		{ RLIMIT_FSIZE, 0 },
		{ RLIMIT_CORE, 0 },
#ifndef CONFINE_SANITIZED
		{ RLIMIT_DATA, HEAP_MAX },
#endif
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const struct rlimit r = { limits[i].most, limits[i].most };

		if (setrlimit((__rlimit_resource_t)limits[i].resource, &r))
			return failed(why, -errno, "setrlimit");
	}
	return 0;
}

int match_sandbox_enter(struct why *why)
{
	int err = drop_root(why);

	/* The service's user is not root and its capabilities are ambient:
	 * they would be kept.  A new uid alone clears only root's. */
	if (!err && confine_no_capabilities())
		err = failed(why, -EPERM, "capabilities can not be given up");
	prctl(PR_SET_DUMPABLE, 0);
	/* The new uid cleared it: end with davylamp. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	confine_files(NULL, 0);
	if (!err)
		err = limit(why);
	if (err)
		return err;
	return confine_calls(allowed, sizeof(allowed) / sizeof(allowed[0]),
			     CONFINE_KILL, why);
}
