/* confine.c - what our programs give up: capabilities, files, system calls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "confine.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* Newer than Debian 12's headers, capability.h of Linux 5.8 and 5.9. */
#define CAN_PERFMON 38
#define CAN_BPF	    39

/* ---- files ----------------------------------------------------------- */

/* include/uapi/linux/landlock.h; from version 2 (Linux 5.19) on, since version
 * 1 forbids every rename into another folder. */
#define LANDLOCK_READ (1ULL << 2 | 1ULL << 3) /* file, folder */
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

/* ---- capabilities ---------------------------------------------------- */

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
	{ CAN_BPF, "CAP_BPF",
	  "no BPF sensors and no view of the kernel's own task list" },
	{ CAN_PERFMON, "CAP_PERFMON",
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

int confine_no_capabilities(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0 } };

	keep_only(0);
	if (syscall(SYS_capget, &h, d))
		return -errno;
	return d[0].permitted | d[1].permitted ? -EPERM : 0;
}

void confine_begin(void)
{
	uint64_t keep = 0;

	for (size_t i = 0; i < N(uses); i++)
		keep |= 1ULL << uses[i].number;
	keep_only(keep);
}

const char *confine_capability(size_t i, const char **ret_name, bool *ret_there)
{
	if (i >= N(uses) || !uses[i].without)
		return NULL;
	*ret_name = uses[i].name;
	*ret_there = effective() & 1ULL << uses[i].number;
	return uses[i].without;
}

/* ---- filters --------------------------------------------------------- */

/* In BPF of our own: where memory is short libseccomp crashes (2.5.4, in
 * seccomp_load()), and what confines must not. */

#ifdef __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
#define X32 0x40000000U /* x86-64's other numbering of the same calls */

#define PROGRAM_MAX 512

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short n;
};

static void load(struct program *p, size_t field)
{
	p->code[p->n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						       (uint32_t)field);
}

static void end(struct program *p, uint32_t result)
{
	p->code[p->n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, result);
}

/* The next @skip instructions only if what was loaded is @how to @k. */
static void only_if(struct program *p, unsigned short how, uint32_t k,
		    uint8_t skip)
{
	p->code[p->n++] = (struct sock_filter)BPF_JUMP(
		(unsigned short)(BPF_JMP | how | BPF_K), k, 0, skip);
}

static void refuse_if(struct program *p, unsigned short how, uint32_t k,
		      uint32_t error)
{
	only_if(p, how, k, 1);
	end(p, SECCOMP_RET_ERRNO | error);
}

/* Arguments are 64 bits wide, little-endian; these are ints. */
static void judge_argument(struct program *p, size_t which)
{
	load(p, offsetof(struct seccomp_data, args) + 8 * which);
}

/* Other architectures' numbers mean other calls. */
static void begin(struct program *p, uint32_t other)
{
	load(p, offsetof(struct seccomp_data, arch));
	only_if(p, BPF_JEQ, ARCHITECTURE, 1);
	p->code[p->n++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1);
	end(p, other);
	load(p, offsetof(struct seccomp_data, nr));
	only_if(p, BPF_JGE, X32, 1);
	end(p, other);
}

static int install(struct program *p, struct why *why)
{
	struct sock_fprog filter = { p->n, p->code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return why_set(why, -errno, "the system-call filter: %s",
			       strerror(errno));
	return 0;
}

/* ---- calls that are allowed ------------------------------------------ */

int confine_calls(const int *allowed, size_t n, enum confine_else other,
		  struct why *why)
{
	uint32_t no = other == CONFINE_KILL ? SECCOMP_RET_KILL_PROCESS
					    : SECCOMP_RET_ERRNO | ENOSYS;
	struct program p = { .n = 0 };

	if (2 * n + 20 > N(p.code))
		return why_set(why, -E2BIG, "too many calls are allowed");
	begin(&p, no);
	for (size_t i = 0; i < n; i++) {
		if (allowed[i] < 0) /* this architecture has no such call */
			continue;
		only_if(&p, BPF_JEQ, (uint32_t)allowed[i], 1);
		end(&p, SECCOMP_RET_ALLOW);
	}
	/* Memory, but none that could be executed. */
	only_if(&p, BPF_JEQ, SYS_mmap, 4);
	judge_argument(&p, 2);
	only_if(&p, BPF_JSET, PROT_EXEC, 1);
	end(&p, no);
	end(&p, SECCOMP_RET_ALLOW);
	end(&p, no);
#ifdef CONFINE_SANITIZED
	return 0;
#else
	return install(&p, why);
#endif
}

/* ---- calls that are refused ------------------------------------------ */

static const unsigned refused[] = {
	/* mounts and namespaces */
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsconfig,
	SYS_fsmount,
	SYS_fspick,
	SYS_mount_setattr,
	SYS_setns,
	/* the kernel */
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_perf_event_open,
	SYS_syslog,
	SYS_reboot,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_userfaultfd,
	/* other processes: they are read, and no more */
	SYS_ptrace,
	SYS_process_vm_writev,
	SYS_pidfd_getfd,
	SYS_process_madvise,
	SYS_kcmp,
	SYS_move_pages,
	SYS_migrate_pages,
	/* the machine */
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_quotactl,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_vhangup,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_fanotify_init,
	SYS_mknodat,
	SYS_personality,
#ifdef __x86_64__
	SYS_mknod,
	SYS_iopl,
	SYS_ioperm,
#endif
};

/* What the sensors and the task iterator go on with; a program or a map that
 * is new can not be had by these. */
static const unsigned bpf_allowed[] = {
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

/* A matcher leaves the network and System V IPC; nothing else is left. */
#define NAMESPACES                                                      \
	(CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWCGROUP | \
	 CLONE_NEWUTS)

_Static_assert(2 * N(refused) + 2 * N(bpf_allowed) + 40 <= PROGRAM_MAX,
	       "room for all");

static void write_program(struct program *p)
{
	begin(p, SECCOMP_RET_ERRNO | ENOSYS);
	for (size_t i = 0; i < N(refused); i++)
		refuse_if(p, BPF_JEQ, refused[i], EPERM);
	/* Its flags are in memory, where no filter sees them; libc then takes
	 * clone(2). */
	refuse_if(p, BPF_JEQ, SYS_clone3, ENOSYS);
	only_if(p, BPF_JEQ, SYS_unshare, 4);
	judge_argument(p, 0);
	refuse_if(p, BPF_JSET, NAMESPACES, EPERM);
	end(p, SECCOMP_RET_ALLOW);
	only_if(p, BPF_JEQ, SYS_clone, 4);
	judge_argument(p, 0);
	refuse_if(p, BPF_JSET, NAMESPACES, EPERM);
	end(p, SECCOMP_RET_ALLOW);
	only_if(p, BPF_JEQ, SYS_bpf, 2 + 2 * N(bpf_allowed));
	judge_argument(p, 0);
	for (size_t i = 0; i < N(bpf_allowed); i++) {
		only_if(p, BPF_JEQ, bpf_allowed[i], 1);
		end(p, SECCOMP_RET_ALLOW);
	}
	end(p, SECCOMP_RET_ERRNO | EPERM);
	end(p, SECCOMP_RET_ALLOW);
}

int confine_started(struct why *why)
{
	struct program p = { .n = 0 };

	write_program(&p);
	return install(&p, why);
}
