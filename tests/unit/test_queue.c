#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "queue.h"

static struct queue *q;

static int make(void **state)
{
	(void)state;
	return queue_new(&q);
}

static int drop(void **state)
{
	(void)state;
	queue_free(q);
	queue_free(NULL);
	return 0;
}

static void the_least_key_is_first(void **state)
{
	(void)state;
	for (pid_t pid = 1; pid <= 1000; pid++) {
		struct target *t = queue_add(q, pid, 1);

		queue_put(q, t, LANE_URGENT, (uint64_t)(pid * 7919 % 1009));
		queue_put(q, t, LANE_STEADY, (uint64_t)(1000 - pid));
	}
	assert_int_equal(queue_length(q, LANE_URGENT), 1000);
	for (uint64_t n = 0, last = 0; n < 1000; n++) {
		struct target *t = queue_first(q, LANE_URGENT);

		assert_true(t->key[LANE_URGENT] >= last);
		last = t->key[LANE_URGENT];
		queue_take(q, t, LANE_URGENT);
	}
	assert_null(queue_first(q, LANE_URGENT));
	assert_int_equal(queue_first(q, LANE_STEADY)->pid, 1000);
}

static void a_key_can_change(void **state)
{
	struct target *a = queue_add(q, 1, 1), *b = queue_add(q, 2, 1);

	(void)state;
	queue_put(q, a, LANE_URGENT, 10);
	queue_put(q, b, LANE_URGENT, 20);
	queue_put(q, b, LANE_URGENT, 5);
	assert_ptr_equal(queue_first(q, LANE_URGENT), b);
	queue_put(q, b, LANE_URGENT, 30);
	assert_ptr_equal(queue_first(q, LANE_URGENT), a);
	assert_int_equal(queue_length(q, LANE_URGENT), 2);
}

static void a_pid_that_is_used_again_is_another(void **state)
{
	struct target *t = queue_add(q, 7, 100);

	(void)state;
	queue_put(q, t, LANE_URGENT, 1);
	t->full_ns = 42;
	assert_ptr_equal(queue_add(q, 7, 100), t);
	t = queue_add(q, 7, 200);
	assert_int_equal(t->full_ns, 0);
	assert_int_equal(t->start_ticks, 200);
	assert_null(queue_first(q, LANE_URGENT));
	assert_ptr_equal(queue_find(q, 7), t);
	assert_null(queue_target(q, 1));
}

static void all_are_told_by_pid(void **state)
{
	(void)state;
	for (pid_t pid = 500; pid > 0; pid--)
		queue_add(q, pid, 1);
	queue_remove(q, queue_find(q, 250));
	for (size_t i = 0; i < 499; i++)
		assert_int_equal(queue_target(q, i)->pid,
				 i < 249 ? i + 1 : i + 2);
	assert_null(queue_target(q, 499));
	assert_null(queue_find(q, 250));
}

/* Against a list that is looked through from end to end. */
static void like_a_plain_list(void **state)
{
	enum { PIDS = 64 };
	uint64_t key[PIDS][LANES] = { { 0 } };

	(void)state;
	srand(2);
	for (int step = 0; step < 20000; step++) {
		int pid = rand() % PIDS, lane = rand() % LANES, what = rand() % 8;
		struct target *t = queue_add(q, pid + 1, 1), *first;
		uint64_t least = UINT64_MAX;

		if (what < 5) {
			key[pid][lane] = 1 + (uint64_t)rand() % 1000;
			queue_put(q, t, (enum lane)lane, key[pid][lane]);
		} else if (what < 7) {
			key[pid][lane] = 0;
			queue_take(q, t, (enum lane)lane);
		} else {
			key[pid][0] = key[pid][1] = 0;
			queue_remove(q, t);
		}
		for (int i = 0; i < PIDS; i++)
			if (key[i][lane] && key[i][lane] < least)
				least = key[i][lane];
		first = queue_first(q, (enum lane)lane);
		if (!first)
			assert_true(least == UINT64_MAX);
		else
			assert_int_equal(first->key[lane], least);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_least_key_is_first, make, drop),
		cmocka_unit_test_setup_teardown(a_key_can_change, make, drop),
		cmocka_unit_test_setup_teardown(a_pid_that_is_used_again_is_another,
						make, drop),
		cmocka_unit_test_setup_teardown(all_are_told_by_pid, make, drop),
		cmocka_unit_test_setup_teardown(like_a_plain_list, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
