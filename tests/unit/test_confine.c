/* What is given up can not be had again, and what is needed still works.  Each
 * in a child, for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "child.h"
#include "confine.h"

/* The status that @body ends with; 1000 + a signal that ended it. */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body());
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

/* ---- davylamp -------------------------------------------------------- */

static long bpf(int command)
{
	union bpf_attr a = { 0 };

	return syscall(SYS_bpf, command, &a, sizeof(a));
}

static bool is_refused(long result)
{
	return result == -1 && errno == EPERM;
}

/* The first of these that is not refused. */
static int what_is_refused(void)
{
	struct why why;
	int i = 1;

	if (confine_started(&why))
		return 100;
#define REFUSED(call) \
	if (!is_refused(call)) \
		return i; \
	i++
	REFUSED(mount("none", "/tmp", "tmpfs", 0, NULL));
	REFUSED(umount2("/nowhere", 0));
	REFUSED(syscall(SYS_fsopen, "proc", 0));
	REFUSED(syscall(SYS_open_tree, AT_FDCWD, "/", 1));
	REFUSED(syscall(SYS_move_mount, -1, "", -1, "", 0));
	REFUSED(chroot("/"));
	REFUSED(syscall(SYS_pivot_root, "/", "/"));
	REFUSED(syscall(SYS_init_module, NULL, 0, ""));
	REFUSED(syscall(SYS_finit_module, -1, "", 0));
	REFUSED(syscall(SYS_delete_module, "none", 0));
	REFUSED(bpf(BPF_PROG_LOAD));
	REFUSED(bpf(BPF_MAP_CREATE));
	REFUSED(bpf(BPF_PROG_ATTACH));
	REFUSED(bpf(BPF_LINK_CREATE));
	REFUSED(bpf(BPF_BTF_LOAD));
	REFUSED(bpf(BPF_PROG_TEST_RUN));
	REFUSED(bpf(63));
	REFUSED(bpf(64));
	REFUSED(bpf(1 << 20));
	REFUSED(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	REFUSED(process_vm_writev(getpid(), NULL, 0, NULL, 0, 0));
	REFUSED(setns(-1, 0));
	REFUSED(unshare(CLONE_NEWNS));
	REFUSED(unshare(CLONE_NEWUSER));
	REFUSED(unshare(CLONE_NEWNET | CLONE_NEWNS));
	REFUSED(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
	REFUSED(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
	REFUSED(syscall(SYS_io_uring_setup, 1, NULL));
	REFUSED(mknodat(AT_FDCWD, "/tmp/none", S_IFCHR | 0600, 0));
	REFUSED(sethostname("x", 1));
	return 0;
}

static void *thread(void *arg)
{
	return arg;
}

/* What goes on. */
static int what_is_needed(void)
{
	uint64_t there = 5, here = 0;
	struct iovec l = { &here, 8 }, r = { &there, 8 };
	struct why why;
	pthread_t t;
	int status;
	pid_t pid;

	if (confine_started(&why))
		return 100;
	if (pthread_create(&t, NULL, thread, NULL) || pthread_join(t, NULL))
		return 1;
	if (process_vm_readv(getpid(), &l, 1, &r, 1, 0) != 8 || here != 5)
		return 2;
	if (bpf(BPF_MAP_LOOKUP_ELEM) != -1 || errno == EPERM)
		return 3;
	pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", NULL);
		_exit(9);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return 4;
	if (geteuid() == 0 && unshare(CLONE_NEWNET | CLONE_NEWIPC) &&
	    errno == EPERM && unshare(CLONE_NEWIPC) == 0)
		return 5;
	return socket(AF_UNIX, SOCK_SEQPACKET, 0) < 0 ? 6 : 0;
}

static uint64_t bounding(void)
{
	char line[256];
	uint64_t set = 0;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "CapBnd: %lx", &set);
	if (f)
		fclose(f);
	return set;
}

static int what_stays(void)
{
	const char *name;
	bool there, had[32], left = false;
	size_t i;

	for (i = 0; confine_capability(i, &name, &had[i]); i++)
		;
	confine_begin();
	for (i = 0; confine_capability(i, &name, &there); i++)
		if (there != had[i])
			return 1;
	left = bounding() & (1ULL << 16 | 1ULL << 1); /* modules, DAC */
	if (left)
		return 2;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 3;
}

static int nothing_stays(void)
{
	const char *name;
	bool there;

	confine_no_capabilities();
	for (size_t i = 0; confine_capability(i, &name, &there); i++)
		if (there)
			return 1;
	return bounding() ? 2 : 0;
}

static void davylamp_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(in_child(what_is_refused), 0);
}

static void and_does_its_work(void **state)
{
	(void)state;
	assert_int_equal(in_child(what_is_needed), 0);
}

static void capabilities_without_a_use_go(void **state)
{
	(void)state;
	if (geteuid()) {
		puts("needs root: there are no capabilities to drop");
		skip();
	}
	assert_int_equal(in_child(what_stays), 0);
	assert_int_equal(in_child(nothing_stays), 0);
}

/* ---- the others ------------------------------------------------------ */

static const int some[] = { SCMP_SYS(exit_group), SCMP_SYS(write) };

static int kill_else(void)
{
	struct why why;

	if (confine_calls(some, 2, CONFINE_KILL, &why))
		return 100;
	getppid();
	return 1;
}

static int refuse_else(void)
{
	struct why why;

	if (confine_calls(some, 2, CONFINE_REFUSE, &why))
		return 100;
	if (syscall(SYS_getppid) != -1 || errno != ENOSYS)
		return 1;
	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	    MAP_FAILED)
		return 2;
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		return 3;
	return 0;
}

static void only_what_is_listed(void **state)
{
	(void)state;
#ifdef CONFINE_SANITIZED
	puts("a sanitizer needs more calls than are listed");
	skip();
#endif
	assert_int_equal(in_child(kill_else), 1000 + SIGSYS);
	assert_int_equal(in_child(refuse_else), 0);
}

static char dir[] = "/tmp/test_confine.XXXXXX";

static int can(const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int only_these_files(void)
{
	char both[2][64], from[128], to[128];
	const struct confine_path paths[] = {
		{ both[0], true }, { both[1], false }, { "", true },
		{ "/nowhere", true },
	};

	snprintf(both[0], 64, "%s/mine", dir);
	snprintf(both[1], 64, "%s/file", dir);
	confine_files(paths, 4);
	snprintf(from, sizeof(from), "%s/mine/new", dir);
	snprintf(to, sizeof(to), "%s/mine/deep/new", dir);
	if (!can("mine/new", O_CREAT | O_RDWR) || rename(from, to) ||
	    unlink(to))
		return 1; /* the folder is all its own */
	if (!can("file", O_RDONLY))
		return 2;
	if (can("file", O_WRONLY) || can("other", O_RDONLY))
		return 3;
	if (can("new", O_CREAT | O_RDWR) || open("/etc/passwd", O_RDONLY) >= 0)
		return 4;
	execl("/bin/true", "true", NULL);
	return errno == EACCES ? 0 : 5;
}

static void only_files_that_were_named(void **state)
{
	char path[64];

	(void)state;
	if (syscall(444, NULL, 0, 1) < 2) {
		puts("no Landlock here");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/mine", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/mine/deep", dir);
	mkdir(path, 0700);
	assert_true(can("file", O_CREAT | O_WRONLY));
	assert_true(can("other", O_CREAT | O_WRONLY));
	assert_int_equal(in_child(only_these_files), 0);
	snprintf(path, sizeof(path), "rm -r %s", dir);
	assert_int_equal(system(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(davylamp_changes_nothing),
		cmocka_unit_test(and_does_its_work),
		cmocka_unit_test(capabilities_without_a_use_go),
		cmocka_unit_test(only_what_is_listed),
		cmocka_unit_test(only_files_that_were_named),
	};

	if (child_emulated() || child_in_valgrind())
		return child_skip_group();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
