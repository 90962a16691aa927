/* match_sandbox.c - what davylamp-match gives up before it sees hostile bytes.
 *
 * What a scan by libyara 4.2 and 4.5 calls was measured with strace: brk, mmap
 * and munmap, and futex since 4.5 (SCAN_FLAGS_NO_TRYCATCH keeps it from signal
 * calls).  The rest of the list is malloc's, the socket's and the exit's. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
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

/* The service's user is not root and its capabilities are ambient: they would
 * be kept.  A new uid alone clears only root's. */
static int drop_capabilities(struct why *why)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
		{ 0 }
	};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    syscall(SYS_capset, &head, none))
		return failed(why, -errno, "capabilities can not be given up");
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
#ifndef __SANITIZE_ADDRESS__ /* which maps 20 TiB */
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

/* A ruleset that handles every access and allows none, include/uapi/linux/
 * landlock.h; version 1 (Linux 5.13) knows 13 kinds. */
static void leave_files(void)
{
	const uint64_t handled = (1ULL << 13) - 1;
	long fd = syscall(444 /* landlock_create_ruleset */, &handled,
			  sizeof(handled), 0);

	if (fd < 0)
		return; /* an older kernel; no call that opens is left anyway */
	syscall(446 /* landlock_restrict_self */, fd, 0);
	close((int)fd);
}

static int filter(struct why *why)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err = f ? 0 : -ENOMEM;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !err;
	     i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
	/* Memory, but none that could be executed. */
	if (!err)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC,
					       0));
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	return err ? failed(why, err, "the system-call filter") : 0;
}

int match_sandbox_enter(struct why *why)
{
	int err = drop_root(why);

	if (!err)
		err = drop_capabilities(why);
	prctl(PR_SET_DUMPABLE, 0);
	/* The new uid cleared it: end with davylamp. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	leave_files();
	if (!err)
		err = limit(why);
	if (err)
		return err;
#ifdef __SANITIZE_ADDRESS__
	(void)filter; /* its report at the end needs more calls */
	return 0;
#else
	return filter(why);
#endif
}
