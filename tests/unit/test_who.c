#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "child.h"
#include "who.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POD "pod5d4d1c1e-5b1d-4e8e-9c62-3f6a1f0e7a11"

static const struct {
	const char *text, *runtime, *container, *unit;
} table[] = {
	{ "", "", "", "" },
	{ "0::/\n", "", "", "" },
	{ "0::/init.scope\n", "", "", "init.scope" },
	{ "0::/system.slice/ssh.service\n", "", "", "ssh.service" },
	{ "0::/system.slice/ssh.service", "", "", "ssh.service" },
	{ "0::/user.slice/user-0.slice/user@0.service/app.slice/x.scope\n", "",
	  "", "x.scope" },
	{ "0::/user.slice/user-1000.slice/session-3.scope/sub/deep\n", "", "",
	  "session-3.scope" },
	{ "0::/system.slice/system-getty.slice/getty@tty1.service\n", "", "",
	  "getty@tty1.service" },
	/* Docker, cgroup v2 with systemd, v2 and v1 with cgroupfs. */
	{ "0::/system.slice/docker-" ID ".scope\n", "docker", ID,
	  "docker-" ID ".scope" },
	{ "0::/docker/" ID "\n", "docker", ID, "" },
	{ "12:pids:/docker/" ID "\n11:cpu:/docker/" ID "\n1:name=systemd:/docker/"
	  ID "\n0::/\n", "docker", ID, "" },
	{ "12:pids:/docker/" ID "/docker/" ID2 "\n", "docker", ID, "" },
	/* containerd and CRI-O under Kubernetes, with systemd and without. */
	{ "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" POD
	  ".slice/cri-containerd-" ID ".scope\n",
	  "containerd", ID, "cri-containerd-" ID ".scope" },
	{ "0::/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope\n",
	  "cri-o", ID, "crio-" ID ".scope" },
	{ "0::/kubepods/burstable/" POD "/" ID "\n", "kubernetes", ID, "" },
	{ "9:memory:/kubepods/besteffort/" POD "/" ID "\n", "kubernetes", ID,
	  "" },
	{ "0::/machine.slice/libpod-" ID ".scope/container\n", "podman", ID,
	  "libpod-" ID ".scope" },
	{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-"
	  ID ".scope\n", "podman", ID, "libpod-" ID ".scope" },
	{ "0::/lxc/" ID "\n", "container", ID, "" },
	{ "0::/../" ID "\n", "container", ID, "" },
	/* The first container and the first unit stand. */
	{ "2:cpu:/docker/" ID "\n1:pids:/docker/" ID2 "\n", "docker", ID, "" },
	{ "2:cpu:/a.service\n1:pids:/b.service\n", "", "", "a.service" },
	/* No id: too short, too long, not hexadecimal, part of a word. */
	{ "0::/docker/0123456789abcdef\n", "", "", "" },
	{ "0::/docker/" ID "0\n", "", "", "" },
	{ "0::/docker/" ID ID2 "\n", "", "", "" },
	{ "0::/docker/x" ID "\n", "", "", "" },
	{ "0::/docker/" ID "g\n", "", "", "" },
	{ "0::/docker/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789"
	  "ABCDEF\n", "", "", "" },
	/* The name of a runtime behind the id names nothing. */
	{ "0::/" ID "/docker-x/crio-y\n", "container", ID, "" },
	/* No unit. */
	{ "0::/.service\n", "", "", "" },
	{ "0::/.scope\n", "", "", "" },
	{ "0::/x.slice\n", "", "", "" },
	{ "0::/a.service.d\n", "", "", "" },
};

static void cgroups(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct who w = { 0 };

		who_parse_cgroup(table[i].text, &w);
		assert_string_equal(w.container.runtime, table[i].runtime);
		assert_string_equal(w.container.id, table[i].container);
		assert_string_equal(w.unit, table[i].unit);
	}
}

static void is_sane(const char *text)
{
	struct who *w = calloc(1, sizeof(*w));

	who_parse_cgroup(text, w);
	assert_true(memchr(w->container.runtime, 0, sizeof(w->container.runtime)));
	assert_true(memchr(w->unit, 0, sizeof(w->unit)));
	assert_int_equal(w->container.id[64], 0);
	assert_true(strlen(w->container.id) == 0 || strlen(w->container.id) == 64);
	assert_int_equal(strspn(w->container.id, "0123456789abcdef"),
			 strlen(w->container.id));
	assert_int_equal(w->container.id[0] != 0, w->container.runtime[0] != 0);
	free(w);
}

static void mutations_do_no_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t len = strlen(table[i].text);

		for (size_t cut = 0; cut < len; cut++) {
			char *copy = strndup(table[i].text, cut);

			is_sane(copy);
			free(copy);
		}
		for (size_t bit = 0; bit < len * 8; bit++) {
			char *copy = strdup(table[i].text);

			copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
			is_sane(copy);
			free(copy);
		}
	}
}

/* A cgroup's name is free for who may make one: long, odd, many lines. */
static void hostile_cgroups(void **state)
{
	char *text = malloc(70000);

	(void)state;
	memset(text, 'a', 70000); /* hexadecimal, too */
	text[69999] = '\0';
	is_sane(text);
	memset(text, '/', 69999);
	is_sane(text);
	memset(text, '\n', 69999);
	is_sane(text);
	memset(text, '\xff', 69999);
	is_sane(text);
	memset(text, 'x', 60000);
	strcpy(text + 60000, ".service\n0::/docker/" ID "\n");
	is_sane(text);
	is_sane("\n\n::\n0::\n/.service/.service\n");
	is_sane("0::/docker-\n0::/cri-containerd-.scope");
	free(text);
}

static void pods_have_uids(void **state)
{
	static const struct {
		const char *text, *uid;
	} cases[] = {
		{ "0::/kubepods.slice/kubepods-burstable.slice/"
		  "kubepods-burstable-pod5d4d1c1e_5b1d_4e8e_9c62_3f6a1f0e7a11"
		  ".slice/cri-containerd-" ID ".scope\n",
		  "5d4d1c1e-5b1d-4e8e-9c62-3f6a1f0e7a11" },
		{ "4:cpu:/kubepods/besteffort/" POD "/" ID "\n",
		  "5d4d1c1e-5b1d-4e8e-9c62-3f6a1f0e7a11" },
		{ "0::/kubepods.slice/kubepods-pod0123456789abcdef0123456789ab"
		  "cdef.slice/crio-" ID ".scope\n",
		  "0123456789abcdef0123456789abcdef" },
		{ "0::/kubepods/" POD "\n", "" },
		{ "0::/docker/" ID "/" POD "\n", "" },
		{ "0::/x" POD "/" ID "\n", "" },
		{ "0::/kubepods/pod------------------------------------/" ID
		  "\n",
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct who w = { 0 };

		who_parse_cgroup(cases[i].text, &w);
		assert_string_equal(w.container.pod_uid, cases[i].uid);
	}
}

/* Whoever owns a cgroup below a unit's names what he likes. */
static void a_unit_is_what_the_system_says(void **state)
{
	static const struct {
		const char *text, *unit;
		bool in;
	} cases[] = {
		{ "0::/system.slice/a.service\n", "a.service", true },
		{ "0::/system.slice/a.service", "a.service", true },
		{ "0::/system.slice/a.service/x\n", "a.service", true },
		{ "0::/system.slice/a.service\n", "system.slice", true },
		{ "0::/system.slice/aa.service\n", "a.service", false },
		{ "0::/system.slice/a.service\n", "a.servic", false },
		{ "0::/user.slice/user-1.slice/user@1.service/app.slice/"
		  "a.service\n", "a.service", false },
		{ "0::/user.slice/user-1.slice/user@1.service/system.slice\n",
		  "system.slice", false },
		{ "0::/user.slice/user-1.slice/session-1.scope/a.service\n",
		  "a.service", false },
		{ "3:cpu:/system.slice/a.service\n"
		  "1:name=systemd:/system.slice/a.service\n0::/\n",
		  "a.service", true },
		{ "3:cpu:/system.slice/a.service\n"
		  "1:name=systemd:/user.slice/b.scope\n0::/\n",
		  "a.service", false },
		{ "3:cpu:/x:name=systemd:/a.service\n", "a.service", false },
		{ "3:cpu:/x0::/a.service\n", "a.service", false },
		{ "0::/docker-" ID ".scope/system.slice/a.service\n",
		  "a.service", false },
		{ "0::/a.service\n", "", false },
		{ "", "a.service", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (who_in_unit(cases[i].text, cases[i].unit) != cases[i].in)
			fail_msg("%s %s", cases[i].text, cases[i].unit);
}

/* ---- who_read -------------------------------------------------------- */

static struct who *read_who(pid_t pid)
{
	struct who *w = malloc(sizeof(*w));
	struct proc p = child_proc(pid);

	memset(w, 0xee, sizeof(*w));
	who_read(&p, w);
	proc_close(&p);
	return w;
}

/* Is this process another program than it seems? */
static bool skip_other_program(void)
{
	if (child_in_valgrind())
		puts("valgrind: /proc shows valgrind");
	return child_in_valgrind() || child_skip_emulated();
}

static void a_process_knows_itself(void **state)
{
	struct who *w;
	char exe[4096];
	ssize_t n;

	(void)state;
	if (skip_other_program())
		skip();
	w = read_who(getpid());
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	assert_true(n > 0);
	exe[n] = '\0';
	assert_string_equal(w->exe, exe);
	assert_false(w->exe_deleted);
	assert_false(w->args_truncated);
	assert_true(w->args_len > 0 && w->args[w->args_len - 1] == '\0');
	assert_true(w->user[0]);
	if (geteuid() == 0)
		assert_string_equal(w->user, "root");
	free(w);
}

static char copy[64];

/* Runs a copy of this program with hostile arguments. */
static pid_t run_copy(const char *last)
{
	char *argv[] = { (char *)"a\nb", (char *)"", (char *)"\x1b[31m",
			 (char *)last, NULL };
	char *env[] = { NULL }, byte;
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ready[1], 1);
		execve(copy, argv, env);
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void copy_myself(const char *name)
{
	char buf[65536];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to;
	ssize_t n;

	strcpy(copy, name);
	to = open(copy, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0700);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		assert_int_equal(write(to, buf, (size_t)n), n);
	close(from);
	close(to);
}

static void the_deleted_are_known(void **state)
{
	struct who *w;
	pid_t pid;

	(void)state;
	if (child_skip_emulated())
		skip();
	copy_myself("/var/tmp/test_who (deleted)");
	pid = run_copy("wait");
	w = read_who(pid);
	/* A file that is only called so is not deleted. */
	assert_string_equal(w->exe, copy);
	assert_false(w->exe_deleted);
	assert_int_equal(w->args_len, 4 + 1 + 6 + 5);
	assert_memory_equal(w->args, "a\nb\0\0\x1b[31m\0wait", w->args_len);
	free(w);
	unlink(copy);
	w = read_who(pid);
	assert_string_equal(w->exe, copy);
	assert_true(w->exe_deleted);
	free(w);
	child_end(pid);
}

static void parents_are_named(void **state)
{
	struct who *w;
	pid_t pid;

	(void)state;
	if (skip_other_program())
		skip();
	copy_myself("/var/tmp/test_who.child");
	pid = run_copy("wait");
	w = read_who(pid);
	assert_true(w->n_parents >= 1 && w->n_parents <= WHO_PARENTS);
	assert_int_equal(w->parents[0].pid, getpid());
	assert_string_equal(w->parents[0].comm, "test_who");
	assert_non_null(strstr(w->parents[0].exe, "/test_who"));
	if (w->n_parents > 1)
		assert_int_equal(w->parents[1].pid, getppid());
	free(w);
	child_end(pid);
	unlink(copy);
}

/* A pid that was used again, as far as the clock can tell. */
static void a_younger_parent_is_none(void **state)
{
	struct who *w = malloc(sizeof(*w));
	struct proc p = child_proc(getpid());

	(void)state;
	if (child_skip_emulated())
		skip();
	p.start_ticks = 1;
	who_read(&p, w);
	assert_int_equal(w->n_parents, 0);
	proc_close(&p);
	free(w);
}

static void memory_only_is_said(void **state)
{
	struct who *w;
	char path[32], buf[65536];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("x\x1b", 0);
	ssize_t n;
	pid_t pid;

	(void)state;
	if (child_skip_emulated())
		skip();
	while ((n = read(from, buf, sizeof(buf))) > 0)
		assert_int_equal(write(fd, buf, (size_t)n), n);
	close(from);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	strcpy(copy, path);
	pid = run_copy("wait");
	w = read_who(pid);
	assert_true(w->exe_deleted);
	assert_true(w->exe_memfd);
	assert_string_equal(w->exe, "/memfd:x\x1b");
	free(w);
	child_end(pid);
	close(fd);
}

static void use_huge_pages(void *user)
{
	char *p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)user;
	if (p == MAP_FAILED || madvise(p, 8 << 20, MADV_HUGEPAGE))
		return;
	memset(p, 1, 8 << 20);
}

static void huge_pages_are_counted(void **state)
{
	struct who *w;
	uint64_t bytes;
	pid_t pid;

	(void)state;
	if (child_skip_emulated())
		skip();
	pid = child_start(use_huge_pages, NULL);
	w = read_who(pid);
	bytes = w->huge_bytes;
	free(w);
	child_end(pid);
	if (!bytes) {
		puts("no transparent huge pages here");
		skip();
	}
	assert_true(bytes >= 2 << 20);
	assert_int_equal(bytes % (2 << 20), 0);
}

static void long_arguments_are_cut(void **state)
{
	static char arg[100000];
	struct who *w;
	pid_t pid;

	(void)state;
	if (child_skip_emulated())
		skip();
	memset(arg, 'w', sizeof(arg) - 1);
	copy_myself("/var/tmp/test_who.copy");
	pid = run_copy(arg);
	w = read_who(pid);
	assert_int_equal(w->args_len, WHO_ARGS_BYTES);
	assert_true(w->args_truncated);
	free(w);
	child_end(pid);
	unlink(copy);
}

static void who_is_gone_stays_empty(void **state)
{
	pid_t pid = child_start(NULL, NULL);
	struct proc p = child_proc(pid);
	struct who *w = malloc(sizeof(*w));

	(void)state;
	child_end(pid);
	p.uid = 3999999999U;
	who_read(&p, w);
	proc_close(&p);
	assert_string_equal(w->exe, "");
	assert_string_equal(w->container.id, "");
	assert_int_equal(w->args_len, 0);
	assert_string_equal(w->user, "3999999999");
	free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroups),
		cmocka_unit_test(mutations_do_no_harm),
		cmocka_unit_test(hostile_cgroups),
		cmocka_unit_test(a_process_knows_itself),
		cmocka_unit_test(the_deleted_are_known),
		cmocka_unit_test(long_arguments_are_cut),
		cmocka_unit_test(who_is_gone_stays_empty),
		cmocka_unit_test(pods_have_uids),
		cmocka_unit_test(a_unit_is_what_the_system_says),
		cmocka_unit_test(parents_are_named),
		cmocka_unit_test(a_younger_parent_is_none),
		cmocka_unit_test(memory_only_is_said),
		cmocka_unit_test(huge_pages_are_counted),
	};

	if (argc == 4 && argv[3][0] == 'w') { /* run_copy() */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return write(1, "", 1) == 1 && sleep(60);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
