#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "child.h"
#include "io.h"

/* ---- proc_parse_stat ------------------------------------------------- */

#define TAIL " S 7 8 9 10 11 4194560 12 13 14 15 160 17 18 19 20 -5 21 0 " \
	     "987654 22 23 24 25\n"

static int parse(const char *text, struct proc *ret)
{
	memset(ret, 0, sizeof(*ret));
	return proc_parse_stat(text, strlen(text), ret);
}

static void a_good_line_is_understood(void **state)
{
	struct proc p;

	(void)state;
	assert_int_equal(parse("42 (xmrig)" TAIL, &p), 0);
	assert_int_equal(p.pid, 42);
	assert_string_equal(p.comm, "xmrig");
	assert_int_equal(p.state, 'S');
	assert_int_equal(p.ppid, 7);
	assert_int_equal(p.cpu_ticks, 160 + 17);
	assert_int_equal(p.threads, 21);
	assert_int_equal(p.start_ticks, 987654);
	assert_false(p.kernel);
}

/* The name is the process's to choose: it may look like the line's rest. */
static void hostile_names(void **state)
{
	static const char *const names[] = {
		"", " ", ")", "(", "))", "((", ") R 1", "a) S 1 2 3 4 5 6",
		"new\nline", "\n", "tab\t(x", "\xff\xfe\x80", "1 (x) S 2",
		") S 7 8 9 10",
	};
	char text[256];
	struct proc p;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "42 (%s)" TAIL, names[i]);
		assert_int_equal(parse(text, &p), 0);
		assert_string_equal(p.comm, names[i]);
		assert_int_equal(p.state, 'S');
		assert_int_equal(p.ppid, 7);
		assert_int_equal(p.start_ticks, 987654);
	}
}

static void a_long_name_is_cut(void **state)
{
	char text[512], name[200];
	struct proc p;

	(void)state;
	memset(name, 'n', sizeof(name));
	for (int len = 0; len < 200; len++) {
		snprintf(text, sizeof(text), "42 (%.*s)" TAIL, len, name);
		assert_int_equal(parse(text, &p), 0);
		assert_int_equal(strlen(p.comm),
				 len < PROC_COMM ? len : PROC_COMM - 1);
	}
}

static void bad_lines_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "\n", "42", "42 (", "42 )", "42 )(" TAIL, "42 (x" TAIL,
		"42 x)" TAIL, "(x)" TAIL, "-1 (x)" TAIL, "0 (x)" TAIL,
		"z (x)" TAIL, "42 (x)", "42 (x) S", "42 (x) S 7 8 9 10 11",
		"42 (x) S a 8 9 10 11 0 12 13 14 15 160 17 18 19 20 -5 21 0 5",
		"42 (x) S 7 8 9 10 11 0 12 13 14 15 160 17 18 19 20 -5 21 0",
	};
	struct proc p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct proc untouched = { .pid = 5, .ppid = 6, .state = '?' };

		p = untouched;
		assert_int_equal(proc_parse_stat(bad[i], strlen(bad[i]), &p),
				 -EBADMSG);
		assert_memory_equal(&p, &untouched, sizeof(p));
	}
}

/* Every truncation and every flipped bit: no crash, a name that ends. */
static void mutations_do_no_harm(void **state)
{
	static const char line[] = "42 (a (b) c)" TAIL;
	size_t len = sizeof(line) - 1;
	struct proc p;

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		char *text = strndup(line, cut);
		int err = parse(text, &p);

		assert_true(err == 0 || err == -EBADMSG);
		assert_true(err || cut >= len - 18);
		free(text);
	}
	for (size_t bit = 0; bit < len * 8; bit++) {
		char *text = strndup(line, len);

		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		memset(&p, 0, sizeof(p));
		if (proc_parse_stat(text, len, &p) == 0) {
			assert_true(p.pid > 0);
			assert_true(memchr(p.comm, 0, sizeof(p.comm)));
		}
		free(text);
	}
}

/* ---- real processes -------------------------------------------------- */

static void set_name(void *name)
{
	prctl(PR_SET_NAME, name);
}

static void a_child_is_what_it_is(void **state)
{
	static char name[] = ") R 1 (\n\xff";
	pid_t pid = child_start(set_name, name);
	struct proc p;

	(void)state;
	assert_int_equal(proc_open(child_procfs(), pid, &p), 0);
	assert_int_equal(p.pid, pid);
	assert_int_equal(p.ppid, getpid());
	assert_int_equal(p.uid, geteuid());
	assert_string_equal(p.comm, name);
	assert_int_equal(p.threads, child_emulated() ? 2 : 1);
	assert_false(p.kernel);
	assert_true(p.start_ticks > 0);
	assert_true(p.seen_ns > 0 && p.seen_ns <= io_now_ns());
	assert_true(fcntl(p.dir, F_GETFD) & FD_CLOEXEC);
	assert_false(proc_gone(&p));
	proc_close(&p);
	assert_int_equal(p.dir, -1);
	proc_close(&p);
	child_end(pid);
}

static void another_user(void *user)
{
	(void)user;
	if (seteuid(65534))
		_exit(1);
}

static void the_effective_uid_counts(void **state)
{
	struct proc p;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		puts("only root can be someone else");
		skip();
	}
	pid = child_start(another_user, NULL);
	assert_int_equal(proc_open(child_procfs(), pid, &p), 0);
	assert_int_equal(p.uid, 65534);
	proc_close(&p);
	child_end(pid);
}

/* Between its end and its parent's wait(2), and after it. */
static void one_that_ends_is_gone(void **state)
{
	pid_t pid = child_start(NULL, NULL);
	struct proc p = child_proc(pid), again;
	siginfo_t info;

	(void)state;
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT),
			 0);
	assert_true(proc_gone(&p));
	assert_int_equal(proc_refresh(&p), 0);
	assert_int_equal(p.state, 'Z');
	waitpid(pid, NULL, 0);
	assert_true(proc_gone(&p));
	assert_int_equal(proc_refresh(&p), -ESRCH);
	assert_int_equal(proc_open(child_procfs(), pid, &again), -ESRCH);
	assert_int_equal(again.dir, -1);
	proc_close(&again);
	proc_close(&p);
}

/* A child with the very pid of one that ended; -1: not allowed to ask. */
static pid_t reuse(pid_t pid)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	pid_t again = -1;
	char text[16];

	if (fd < 0)
		return -1;
	for (int tries = 0; tries < 200 && again != pid; tries++) {
		int n = snprintf(text, sizeof(text), "%d", pid - 1);

		if (again > 0)
			child_end(again);
		if (pwrite(fd, text, (size_t)n, 0) != n)
			break;
		again = child_start(NULL, NULL);
	}
	close(fd);
	if (again > 0 && again != pid)
		child_end(again);
	return again == pid ? again : -1;
}

static void a_reused_pid_is_another_process(void **state)
{
	pid_t pid = child_start(NULL, NULL), again;
	struct proc p = child_proc(pid), q;
	char text[64];

	(void)state;
	child_end(pid);
	again = reuse(pid);
	if (again < 0) {
		proc_close(&p);
		puts("ns_last_pid can not be written");
		skip();
	}
	assert_int_equal(proc_refresh(&p), -ESRCH);
	assert_true(proc_gone(&p));
	assert_true(io_read_at(p.dir, "stat", text, sizeof(text)) <= 0);
	q = child_proc(again);
	assert_false(proc_gone(&q));
	proc_close(&q);
	proc_close(&p);
	child_end(again);
}

/* Another start time behind the same directory is another process, too. */
static void the_start_time_is_compared(void **state)
{
	struct proc p = child_proc(getpid());

	(void)state;
	assert_int_equal(proc_refresh(&p), 0);
	p.start_ticks++;
	assert_int_equal(proc_refresh(&p), -ESRCH);
	proc_close(&p);
}

static void a_pidfd_is_told_from_others(void **state)
{
	pid_t one = child_start(NULL, NULL), two = child_start(NULL, NULL);
	struct proc p = child_proc(one), q = child_proc(two);
	int fd = (int)syscall(SYS_pidfd_open, one, 0);

	(void)state;
	if (child_unwatched()) {
		puts("valgrind: no pidfd_open(2)");
		skip();
	}
	assert_true(fd >= 0);
	assert_true(proc_is(&p, fd));
	assert_false(proc_is(&q, fd));
	assert_false(proc_is(&p, child_procfs()));
	assert_false(proc_is(&p, 9999));
	child_end(one);
	assert_false(proc_is(&p, fd)); /* Pid: -1 */
	close(fd);
	child_end(two);
	proc_close(&p);
	proc_close(&q);
}

static bool has(const pid_t *list, size_t n, pid_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == pid)
			return true;
	return false;
}

static void the_list_has_all_in_order(void **state)
{
	pid_t pid = child_start(NULL, NULL), *list;
	size_t n;

	(void)state;
	assert_int_equal(proc_list(child_procfs(), &list, &n), 0);
	assert_true(n >= 3);
	assert_int_equal(list[0], 1);
	for (size_t i = 1; i < n; i++)
		assert_true(list[i] > list[i - 1]);
	assert_true(has(list, n, getpid()));
	assert_true(has(list, n, pid));
	free(list);
	child_end(pid);
	assert_int_equal(proc_list(child_procfs(), &list, &n), 0);
	assert_false(has(list, n, pid));
	free(list);
	assert_int_equal(proc_list(-1, &list, &n), -EBADF);
}

/* More than the first array and the first getdents(2) hold. */
static void names_that_are_no_pids_are_passed_over(void **state)
{
	static const char *const odd[] = { "0", "12x", "x12", "-3", "1 ",
					   "2147483648", "99999999999999999",
					   "self", "4294967297",
					   "18446744073709551621" };
	char dir[] = "/tmp/test_proc.XXXXXX", name[32];
	pid_t *list;
	size_t n;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 1; i <= 2000; i++) {
		snprintf(name, sizeof(name), "%d", i * 3);
		assert_int_equal(mkdirat(fd, name, 0700), 0);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_int_equal(mkdirat(fd, odd[i], 0700), 0);
	assert_int_equal(proc_list(fd, &list, &n), 0);
	assert_int_equal(n, 2000);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(list[i], (i + 1) * 3);
	free(list);
	for (int i = 1; i <= 2000; i++) {
		snprintf(name, sizeof(name), "%d", i * 3);
		unlinkat(fd, name, AT_REMOVEDIR);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		unlinkat(fd, odd[i], AT_REMOVEDIR);
	close(fd);
	assert_int_equal(rmdir(dir), 0);
}

static void kernel_threads_are_known(void **state)
{
	struct proc p;
	int err = proc_open(child_procfs(), 2, &p);

	(void)state;
	if (err || strcmp(p.comm, "kthreadd")) {
		proc_close(&p);
		puts("a pid namespace without kernel threads");
		skip();
	}
	assert_true(p.kernel);
	proc_close(&p);
	p = child_proc(getpid());
	assert_false(p.kernel);
	proc_close(&p);
}

static void nobody(pid_t pid)
{
	struct proc p;

	assert_int_equal(proc_open(child_procfs(), pid, &p), -ESRCH);
	assert_int_equal(p.dir, -1);
}

static void what_is_not_there_is_gone(void **state)
{
	(void)state;
	nobody(4194305); /* beyond PID_MAX_LIMIT */
	nobody(0);
	nobody(-1);
	nobody(INT32_MAX);
}

static bool near(double a, double b)
{
	return a - b < 1e-3 && b - a < 1e-3;
}

static void the_share_of_a_core(void **state)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	struct proc a = { .seen_ns = 100000000000, .cpu_ticks = 50 * hz,
			  .start_ticks = 20 * hz };
	struct proc b = a;

	(void)state;
	b.seen_ns += 2000000000;
	b.cpu_ticks += 3 * hz;
	assert_true(near(proc_cpu_share(&a, &b), 1.5));
	/* Too near each other: since it began, 80 s before. */
	b.seen_ns = a.seen_ns + 1000000;
	b.cpu_ticks = a.cpu_ticks = 40 * hz;
	assert_true(near(proc_cpu_share(&a, &b), 0.5));
	assert_true(near(proc_cpu_share(&a, &a), 0.5));
	a.start_ticks = a.seen_ns / 1000000000 * hz; /* just began */
	assert_true(near(proc_cpu_share(&a, &a), 0));
}

/* A child on the same processor as this one, which spins or sleeps. */
static pid_t child_on_our_cpu(bool spins)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	while (pid == 0)
		if (!spins)
			pause();
	return pid;
}

/* Two that spin on one processor have half of it each and want the rest; one
 * that sleeps wants nothing. */
static void who_is_starved_wants_more(void **state)
{
	cpu_set_t all, one;
	pid_t child[3];
	struct proc_wait *waits[2][3];
	size_t n[2][3];
	uint64_t longest[3];

	(void)state;
	if (child_skip_emulated())
		skip();
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	for (int i = 0; i < 3; i++)
		child[i] = child_on_our_cpu(i < 2);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++) {
			struct proc p;

			assert_int_equal(proc_open(child_procfs(), child[i],
						   &p), 0);
			n[round][i] = proc_waits(&p, &waits[round][i]);
			assert_int_equal(n[round][i], 1);
			assert_int_equal(waits[round][i][0].tid, child[i]);
			proc_close(&p);
		}
		usleep(round ? 0 : 600000);
	}
	for (int i = 0; i < 3; i++) {
		kill(child[i], SIGKILL);
		waitpid(child[i], NULL, 0);
		longest[i] = proc_longest_wait(waits[0][i], n[0][i],
					       waits[1][i], n[1][i]);
		free(waits[0][i]);
		free(waits[1][i]);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	if (longest[0] == 0 && longest[1] == 0) {
		puts("no schedstat in this kernel");
		skip();
	}
	assert_true(longest[0] > 100000000 && longest[1] > 100000000);
	assert_true(longest[2] < 50000000);
}

/* Threads that began or ended meanwhile do not count, nor does any one twice.
 */
static void the_longest_wait_counts(void **state)
{
	const struct proc_wait a[] = { { 2, 10 }, { 3, 50 }, { 7, 1000 } };
	const struct proc_wait b[] = {
		{ 1, 900 }, { 3, 80 }, { 7, 1010 }, { 9, 500 }
	};

	(void)state;
	assert_int_equal(proc_longest_wait(a, 3, b, 4), 30);
	assert_int_equal(proc_longest_wait(b, 4, a, 3), 0);
	assert_int_equal(proc_longest_wait(a, 3, NULL, 0), 0);
	assert_int_equal(proc_longest_wait(NULL, 0, b, 4), 0);
}

static void ids_are_digits(void **state)
{
	static const char *const none[] = { "", "0", "7x", " 7", "+7", "-7",
					    "self", "4194305",
					    "99999999999999999999" };

	(void)state;
	assert_int_equal(proc_parse_pid("7"), 7);
	assert_int_equal(proc_parse_pid("4194304"), 4194304);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(proc_parse_pid(none[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_line_is_understood),
		cmocka_unit_test(ids_are_digits),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(a_long_name_is_cut),
		cmocka_unit_test(bad_lines_are_refused),
		cmocka_unit_test(mutations_do_no_harm),
		cmocka_unit_test(a_child_is_what_it_is),
		cmocka_unit_test(the_effective_uid_counts),
		cmocka_unit_test(one_that_ends_is_gone),
		cmocka_unit_test(a_reused_pid_is_another_process),
		cmocka_unit_test(the_start_time_is_compared),
		cmocka_unit_test(a_pidfd_is_told_from_others),
		cmocka_unit_test(the_list_has_all_in_order),
		cmocka_unit_test(names_that_are_no_pids_are_passed_over),
		cmocka_unit_test(kernel_threads_are_known),
		cmocka_unit_test(what_is_not_there_is_gone),
		cmocka_unit_test(the_share_of_a_core),
		cmocka_unit_test(who_is_starved_wants_more),
		cmocka_unit_test(the_longest_wait_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
