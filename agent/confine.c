/* confine.c - what our programs give up: capabilities, files, system calls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "confine.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* Newer than Debian 12's headers, capability.h of Linux 5.8 and 5.9. */
#define PERFMON 38
#define BPF	39

static int failed(struct why *why, int err)
{
	return why_set(why, err, "the system-call filter: %s", strerror(-err));
}

/* ---- calls that are allowed ---------------------------------------------- */

static bool is_among(int call, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (calls[i] == call)
			return true;
	return false;
}

int confine_calls(const int *allowed, size_t n, enum confine_else other,
		  struct why *why)
{
	scmp_filter_ctx f = seccomp_init(other == CONFINE_KILL
						 ? SCMP_ACT_KILL_PROCESS
						 : SCMP_ACT_ERRNO(ENOSYS));
	int err = f ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
	/* Memory, but none that could be executed. */
	if (!err && !is_among(SCMP_SYS(mmap), allowed, n))
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC,
					       0));
#ifndef __SANITIZE_ADDRESS__ /* its report at the end needs more calls */
	if (!err)
		err = seccomp_load(f);
#endif
	seccomp_release(f);
	return err ? failed(why, err) : 0;
}

/* ---- files --------------------------------------------------------------- */

/* include/uapi/linux/landlock.h; from version 2 (Linux 5.19) on, since version
 * 1 forbids every rename into another folder. */
#define LANDLOCK_READ	    (1ULL << 2 | 1ULL << 3) /* file, folder */
#define LANDLOCK_ALL(version) \
	((1ULL << 14) - 1 + ((version) > 2 ? 1ULL << 14 : 0))
/* What of that a rule for a plain file may say: to write, read, cut. */
#define LANDLOCK_FILE (1ULL << 1 | 1ULL << 2 | 1ULL << 14)

struct landlock_beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static void allow(int ruleset, const struct confine_path *p, uint64_t all)
{
	struct landlock_beneath b;
	int is_folder;

	b.allowed = p->write ? all & ~1ULL /* no exec */ : LANDLOCK_READ;
	b.fd = open(p->path, O_PATH | O_CLOEXEC);
	if (b.fd < 0)
		return;
	is_folder = openat(b.fd, ".", O_PATH | O_CLOEXEC);
	if (is_folder >= 0)
		close(is_folder);
	else
		b.allowed &= LANDLOCK_FILE;
	syscall(445 /* landlock_add_rule */, ruleset, 1, &b, 0);
	close(b.fd);
}

void confine_files(const struct confine_path *paths, size_t n)
{
	long version = syscall(444 /* landlock_create_ruleset */, NULL, 0, 1);
	uint64_t all = LANDLOCK_ALL(version);
	int ruleset;

	if (version < 2)
		return;
	ruleset = (int)syscall(444, &all, sizeof(all), 0);
	if (ruleset < 0)
		return;
	for (size_t i = 0; i < n; i++)
		allow(ruleset, &paths[i], all);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(446 /* landlock_restrict_self */, ruleset, 0);
	close(ruleset);
}

/* ---- capabilities -------------------------------------------------------- */

/* platform.md measured what each opens; kernel.org's capabilities(7) agrees. */
static const struct {
	int number;
	const char *name, *without;
} uses[] = {
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE",
	  "other users' processes can not be read" },
	{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH",
	  "other users' processes can not be read" },
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
	  "what is mounted over /proc hides processes; memory that processes "
	  "share is read once for each; the matcher keeps the network" },
	{ BPF, "CAP_BPF",
	  "no BPF sensors and no view of the kernel's own task list" },
	{ PERFMON, "CAP_PERFMON",
	  "no BPF sensors and no view of the kernel's own task list" },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN",
	  "connections and DNS answers are not seen, nor processes as they "
	  "begin where there is no BPF" },
	{ CAP_SETUID, "CAP_SETUID", "davylamp-match does not start" },
	{ CAP_SETGID, "CAP_SETGID", "davylamp-match does not start" },
	{ CAP_KILL, "CAP_KILL", "a matcher that hangs can not be ended" },
	/* Before Linux 5.11, where BPF maps are locked memory. */
	{ CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", NULL },
};

static uint64_t effective(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	if (syscall(SYS_capget, &h, d))
		return 0;
	return d[0].effective | (uint64_t)d[1].effective << 32;
}

static void keep_only(uint64_t keep)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* Without CAP_SETPCAP it fails, and there is nothing to drop. */
	for (int i = 0; i < 64; i++)
		if (!(keep & 1ULL << i))
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	if (syscall(SYS_capget, &h, d))
		return;
	for (int i = 0; i < 2; i++) {
		d[i].permitted &= (uint32_t)(keep >> i * 32);
		d[i].effective = d[i].permitted;
		d[i].inheritable = 0;
	}
	syscall(SYS_capset, &h, d);
}

void confine_no_capabilities(void)
{
	keep_only(0);
}

void confine_begin(void)
{
	uint64_t keep = 0;

	for (size_t i = 0; i < N(uses); i++)
		keep |= 1ULL << uses[i].number;
	keep_only(keep);
}

const char *confine_capability(size_t i, const char **ret_name,
			       bool *ret_there)
{
	if (i >= N(uses) || !uses[i].without)
		return NULL;
	*ret_name = uses[i].name;
	*ret_there = effective() & 1ULL << uses[i].number;
	return uses[i].without;
}

/* ---- calls that are refused ---------------------------------------------- */

static const int refused[] = {
	/* mounts and namespaces */
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
	SCMP_SYS(chroot), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
	SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount),
	SCMP_SYS(fspick), SCMP_SYS(mount_setattr), SCMP_SYS(setns),
	/* the kernel */
	SCMP_SYS(init_module), SCMP_SYS(finit_module),
	SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(perf_event_open),
	SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(syslog),
	SCMP_SYS(reboot), SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
	SCMP_SYS(userfaultfd),
	/* other processes: they are read, and no more */
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(process_madvise),
	SCMP_SYS(kcmp), SCMP_SYS(move_pages), SCMP_SYS(migrate_pages),
	/* the machine */
	SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct),
	SCMP_SYS(quotactl), SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime),
	SCMP_SYS(adjtimex), SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname), SCMP_SYS(vhangup),
	SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(fanotify_init),
	SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(personality),
};

/* What the sensors and the task iterator go on with; a program or a map that
 * is new can not be had by these. */
static const int bpf_allowed[] = {
	BPF_MAP_LOOKUP_ELEM,
	BPF_MAP_UPDATE_ELEM,
	BPF_MAP_DELETE_ELEM,
	BPF_MAP_GET_NEXT_KEY,
	BPF_MAP_LOOKUP_AND_DELETE_ELEM,
	BPF_MAP_LOOKUP_BATCH,
	BPF_MAP_LOOKUP_AND_DELETE_BATCH,
	BPF_OBJ_GET_INFO_BY_FD,
	BPF_ITER_CREATE,
};

static int refuse_bpf(scmp_filter_ctx f)
{
	int err = 0;

	for (unsigned i = 0; i < 64 && !err; i++)
		if (!is_among((int)i, bpf_allowed, N(bpf_allowed)))
			err = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM),
					       SCMP_SYS(bpf), 1,
					       SCMP_A0(SCMP_CMP_EQ, i));
	return err ?: seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(bpf),
				       1, SCMP_A0(SCMP_CMP_GE, 64));
}

/* A matcher leaves the network and System V IPC; nothing else is left. */
static int refuse_namespaces(scmp_filter_ctx f)
{
	const int kinds[] = { CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID,
			      CLONE_NEWCGROUP, CLONE_NEWUTS };
	int err = 0;

	for (size_t i = 0; i < N(kinds) && !err; i++) {
		const uint64_t kind = (uint64_t)kinds[i];

		err = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM),
				       SCMP_SYS(unshare), 1,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, kind, kind));
		if (!err)
			err = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM),
					       SCMP_SYS(clone), 1,
					       SCMP_A0(SCMP_CMP_MASKED_EQ,
						       kind, kind));
	}
	/* Its flags are in memory, where no filter sees them; libc then takes
	 * clone(2). */
	return err ?: seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS),
				       SCMP_SYS(clone3), 0);
}

int confine_started(struct why *why)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int err = f ? 0 : -ENOMEM;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (size_t i = 0; i < N(refused) && !err; i++) {
		err = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), refused[i],
				       0);
		if (err == -EDOM)
			err = 0; /* not a call of this machine */
	}
	if (!err)
		err = refuse_bpf(f) ?: refuse_namespaces(f);
	if (!err)
		err = seccomp_load(f);
	seccomp_release(f);
	return err ? failed(why, err) : 0;
}
