#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include "child.h"
#include "views.h"

#define TICK_NS 10000000 /* USER_HZ is 100 everywhere we run */

static struct views *views(bool no_private, bool no_tasks)
{
	struct views_options o = { .no_private = no_private,
				   .no_tasks = no_tasks };
	struct why why = { "" };
	struct views *v = NULL;

	assert_int_equal(views_open(&o, &v, &why), 0);
	return v;
}

static const struct seen *find(struct views *v, pid_t pid)
{
	const struct seen *all;
	size_t n;

	assert_int_equal(views_list(v, &all, &n), 0);
	for (size_t i = 0; i < n; i++) {
		if (i)
			assert_true(all[i - 1].pid < all[i].pid);
		if (all[i].pid == pid)
			return &all[i];
	}
	return NULL;
}

/* With the task list and without, both say the same. */
static void check_one(bool no_private, bool no_tasks)
{
	struct views *v = views(no_private, no_tasks);
	pid_t pid = child_start(NULL, NULL);
	struct proc p = child_proc(pid);
	const struct seen *s = find(v, pid);

	assert_non_null(s);
	assert_int_equal(s->start_ticks, p.start_ticks);
	assert_int_equal(s->ppid, getpid());
	assert_int_equal(s->hidden, 0);
	assert_false(s->kernel);
	assert_non_null(find(v, getpid()));
	child_end(pid);
	assert_null(find(v, pid));
	proc_close(&p);
	views_close(v);
}

static void test_each_view(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		check_one(i & 1, i & 2);
}

static void *burn(void *user)
{
	for (volatile int i = 0; i < 150000000; i++)
		;
	return user;
}

static void *wait_long(void *user)
{
	pause();
	return user;
}

/* A thread that ended, one that sleeps. */
static void burn_in_thread(void *user)
{
	pthread_t t;

	(void)user;
	pthread_create(&t, NULL, burn, NULL);
	pthread_join(t, NULL);
	pthread_create(&t, NULL, wait_long, NULL);
}

/* The time of all threads, the ended ones too, as /proc has it. */
static void test_cpu_time(void **state)
{
	struct views *with = views(false, false), *without = views(false, true);
	pid_t pid = child_start(burn_in_thread, NULL);
	uint64_t a = find(with, pid)->cpu_ns, b = find(without, pid)->cpu_ns;

	(void)state;
	assert_true(b >= 5 * TICK_NS);
	assert_true(a + 2 * TICK_NS >= b && b + 2 * TICK_NS >= a);
	child_end(pid);
	views_close(with);
	views_close(without);
}

static void test_kernel_threads(void **state)
{
	struct views *v = views(false, false);
	const struct seen *s = find(v, 2);

	(void)state;
	if (!s) {
		puts("no kernel thread to be seen (a container)");
		views_close(v);
		skip();
	}
	assert_true(s->kernel);
	assert_false(find(v, getpid())->kernel);
	views_close(v);
}

/* Nothing is hidden here, however much begins and ends meanwhile. */
static void test_churn(void **state)
{
	struct views *v = views(false, false);
	const struct seen *all;
	size_t n;
	pid_t storm = fork();

	(void)state;
	if (!storm) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			if (!fork())
				_exit(0);
			else
				waitpid(-1, NULL, 0);
	}
	for (int i = 0; i < 200; i++) {
		assert_int_equal(views_list(v, &all, &n), 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(all[k].hidden, 0);
	}
	child_end(storm);
	views_close(v);
}

static bool own_mounts(void)
{
	return !unshare(CLONE_NEWNS) &&
	       !mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
}

/* In a process of its own: its mounts are nobody else's. */
static void in_own_mounts(int (*body)(pid_t victim))
{
	pid_t victim = child_start(NULL, NULL), pid;
	int status;

	if (geteuid()) {
		child_end(victim);
		puts("not root: nothing can be mounted");
		skip();
	}
	pid = fork();
	if (!pid)
		_exit(own_mounts() ? body(victim) : 1);
	waitpid(pid, &status, 0);
	child_end(victim);
	assert_int_equal(WEXITSTATUS(status), 42);
}

static int mount_over(pid_t victim)
{
	struct views *v = views(false, false);
	char path[64];
	struct proc p;
	bool ok;

	/* Seen though it was mounted after the first look. */
	ok = find(v, victim)->hidden == 0;
	snprintf(path, sizeof(path), "/proc/%d", victim);
	ok &= !mount("none", path, "tmpfs", 0, NULL);
	ok &= find(v, victim)->hidden == HIDDEN_MOUNT;
	ok &= !proc_open(views_procfs(v), victim, &p) && p.pid == victim;
	ok &= !umount(path) && find(v, victim)->hidden == 0;
	/* A single file of it, too. */
	snprintf(path, sizeof(path), "/proc/%d/cmdline", victim);
	ok &= !mount("/dev/null", path, "none", MS_BIND, NULL);
	ok &= find(v, victim)->hidden == HIDDEN_MOUNT;
	return ok ? 42 : 2;
}

/* Behind what is mounted, only a procfs of its own reaches. */
static void test_mount(void **state)
{
	(void)state;
	if (child_in_valgrind()) {
		puts("valgrind: no fsopen(2)");
		skip();
	}
	in_own_mounts(mount_over);
}

/* Another's directory over it, and no procfs of our own: it is not taken for
 * the other, and still known by the kernel's list. */
static int bind_over(pid_t victim)
{
	struct views *v = views(true, false);
	const struct seen *s;
	char path[64];
	struct proc p;

	snprintf(path, sizeof(path), "/proc/%d", victim);
	if (mount("/proc/1", path, "none", MS_BIND, NULL))
		return 3;
	s = find(v, victim);
	if (!s || s->hidden != HIDDEN_MOUNT)
		return 4;
	if (proc_open(views_procfs(v), victim, &p) != -EXDEV)
		return 5;
	return 42;
}

static void test_bind_mount(void **state)
{
	(void)state;
	in_own_mounts(bind_over);
}

static void test_only_some(void **state)
{
	const pid_t only[] = { getpid(), 1, 1 << 29 };
	struct views_options o = { .only = only, .n_only = 3 };
	const struct seen *all;
	struct why why = { "" };
	struct views *v;
	size_t n;

	(void)state;
	assert_int_equal(views_open(&o, &v, &why), 0);
	assert_int_equal(views_list(v, &all, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(all[0].pid, 1);
	assert_int_equal(all[1].pid, getpid());
	assert_false(all[1].hidden);
	views_close(v);
}

static void test_describe(void **state)
{
	struct views *v = views(true, true);
	char text[600];

	(void)state;
	views_describe(v, text, sizeof(text));
	assert_string_equal(text, "/proc only (switched off); no task list "
				  "(switched off)");
	views_close(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_view),
		cmocka_unit_test(test_cpu_time),
		cmocka_unit_test(test_kernel_threads),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_mount),
		cmocka_unit_test(test_bind_mount),
		cmocka_unit_test(test_only_some),
		cmocka_unit_test(test_describe),
	};

	if (child_emulated())
		return child_skip_group();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
