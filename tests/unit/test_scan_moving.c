#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "exec.h"
#include "scan_fixture.h"
#include "threads.h"
#include "who.h"

/* Processes that do not stand still while they are looked at. */

static const struct memory miner = { .in_code = true };

static void mine(void *user)
{
	(void)user;
	fill_memory((void *)&miner);
	threads_start(NULL);
}

static struct proc target;

/* A miner whose first thread has ended. */
static void start_headless(void (*body)(void *))
{
	pid_t pid = child_start(body, NULL);

	threads_end(pid, pid);
	target = child_proc(pid);
}

static void end_target(void)
{
	proc_close(&target);
	child_end(target.pid);
}

static void is_seen_to_mine(const struct look *l)
{
	assert_int_equal(l->state, SCAN_COMPLETE);
	assert_int_equal(l->n_hits, 1);
	assert_string_not_equal(l->who->exe, "");
	assert_int_not_equal(l->who->n_parents, 0);
}

static void its_thread_ends_before_the_look(void **state)
{
	struct look l;

	(void)state;
	start_headless(mine);
	threads_end(target.pid, target.tid);
	scan_look(new_scan(), &target, SCAN_PROGRAM, 0, NULL, NULL, &l);
	is_seen_to_mine(&l);
	end_target();
}

static size_t ticks;

static bool end_its_thread(void *user, uint64_t bytes)
{
	(void)user;
	(void)bytes;
	if (!ticks++)
		threads_end(target.pid, target.tid);
	return true;
}

static void its_thread_ends_meanwhile(void **state)
{
	struct look l;

	(void)state;
	start_headless(mine);
	ticks = 0;
	scan_look(new_scan(), &target, SCAN_PROGRAM, 0, end_its_thread, NULL,
		  &l);
	is_seen_to_mine(&l);
	end_target();
}

/* Each thread lives for 4 ms and begins the next one first. */
static void *live_briefly(void *user)
{
	pthread_attr_t detached;
	pthread_t t;

	usleep(4000);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&t, &detached, live_briefly, NULL))
		_exit(1);
	return user;
}

static void mine_in_brief_threads(void *user)
{
	(void)user;
	fill_memory((void *)&miner);
	signal(SIGUSR1, threads_end_this);
	live_briefly(NULL);
	live_briefly(NULL);
}

/* No look takes that for its end. */
static void its_threads_live_briefly(void **state)
{
	struct scan *s = new_scan();
	size_t n_complete = 0;

	(void)state;
	start_headless(mine_in_brief_threads);
	proc_close(&target);
	for (int i = 0; i < 20; i++) {
		struct look l;

		target = child_proc(target.pid);
		assert_false(proc_is_dead(&target));
		scan_look(s, &target, SCAN_PROGRAM, 0, NULL, NULL, &l);
		proc_close(&target);
		assert_int_not_equal(l.state, SCAN_VANISHED);
		if (l.state == SCAN_COMPLETE)
			assert_int_equal(l.n_hits, 1);
		n_complete += l.state == SCAN_COMPLETE;
	}
	assert_int_not_equal(n_complete, 0);
	child_end(target.pid);
}

static bool end_it(void *user, uint64_t bytes)
{
	(void)user;
	(void)bytes;
	kill(target.pid, SIGKILL);
	return true;
}

static void it_ends(void **state)
{
	struct look l;

	(void)state;
	start_headless(mine);
	scan_look(new_scan(), &target, SCAN_FULL, 0, end_it, NULL, &l);
	assert_int_equal(l.state, SCAN_VANISHED);
	assert_non_null(strstr(l.why, "ended"));
	end_target();
}

static bool begin_another(void *user, uint64_t bytes)
{
	(void)user;
	(void)bytes;
	exec_another(target.pid);
	return true;
}

/* One that is another program in the middle of each look has not ended, and is
 * not clean. */
static void it_begins_again_and_again(void **state)
{
	struct look l;

	(void)state;
	if (exec_skip())
		skip();
	target = child_proc(exec_start(mine, NULL));
	scan_look(new_scan(), &target, SCAN_FULL, 0, begin_another, NULL, &l);
	assert_int_equal(l.state, SCAN_PARTIAL);
	assert_non_null(strstr(l.why, "stand still"));
	scan_look(scan, &target, SCAN_FULL, 0, NULL, NULL, &l);
	assert_int_equal(l.state, SCAN_COMPLETE);
	end_target();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_thread_ends_before_the_look),
		cmocka_unit_test(its_thread_ends_meanwhile),
		cmocka_unit_test(its_threads_live_briefly),
		cmocka_unit_test(it_ends),
		cmocka_unit_test(it_begins_again_and_again),
	};

	exec_main(argc, argv);
	if (child_emulated() || child_unwatched())
		return child_skip_group();
	return cmocka_run_group_tests(tests, make_scan, drop_scan);
}
