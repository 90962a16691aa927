#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "scan_fixture.h"

static size_t ticks, enough = SIZE_MAX;
static uint64_t largest, ticked;

static bool on_tick(void *user, uint64_t bytes)
{
	(void)user;
	ticks++;
	ticked += bytes;
	if (bytes > largest)
		largest = bytes;
	return ticks < enough;
}

static void look_at(const struct memory *memory, enum scan_depth depth,
		    uint64_t deadline_ns, struct look *ret)
{
	pid_t pid = child_start(fill_memory, (void *)memory);
	struct proc proc = child_proc(pid);

	ticks = largest = ticked = 0;
	scan_look(new_scan(), &proc, depth, deadline_ns, on_tick, NULL, ret);
	ret->proc = NULL;
	proc_close(&proc);
	child_end(pid);
}

static void a_full_look_sees_plain_data(void **state)
{
	struct look l;

	(void)state;
	look_at(&(struct memory){ .in_heap = true }, SCAN_FULL, 0, &l);
	assert_int_equal(l.state, SCAN_COMPLETE);
	assert_false(l.shallow);
	assert_int_equal(l.n_hits, 1);
	assert_true(l.read_bytes > HEAP);
}

static void a_shallow_look_leaves_plain_data_out(void **state)
{
	struct look l;

	(void)state;
	look_at(&(struct memory){ .in_heap = true }, SCAN_PROGRAM, 0, &l);
	assert_int_equal(l.state, SCAN_COMPLETE);
	assert_true(l.shallow);
	assert_int_equal(l.n_hits, 0);
	assert_true(l.read_bytes > 0 && l.read_bytes < HEAP);
}

static void a_shallow_look_sees_what_can_be_executed(void **state)
{
	struct look l;

	(void)state;
	look_at(&(struct memory){ .in_code = true }, SCAN_PROGRAM, 0, &l);
	assert_int_equal(l.state, SCAN_COMPLETE);
	assert_true(l.shallow);
	assert_int_equal(l.n_hits, 1);
}

static void each_batch_ticks(void **state)
{
	struct look l;

	(void)state;
	look_at(&(struct memory){ 0 }, SCAN_FULL, 0, &l);
	assert_true(ticks >= HEAP >> 20);
	assert_true(largest <= BATCH_PAGES * FLOW_PAGE);
	assert_int_equal(ticked, l.read_bytes);
}

static void a_tick_can_end_a_look(void **state)
{
	struct look l;

	(void)state;
	enough = 3;
	look_at(&(struct memory){ .in_code = true }, SCAN_FULL, 0, &l);
	enough = SIZE_MAX;
	assert_int_equal(ticks, 3);
	assert_int_equal(l.state, SCAN_PARTIAL);
	assert_non_null(strstr(l.why, "told to stop"));
}

static void a_look_out_of_time_is_partial(void **state)
{
	struct look l;

	(void)state;
	look_at(&(struct memory){ 0 }, SCAN_PROGRAM, 1, &l);
	assert_int_equal(l.state, SCAN_PARTIAL);
	assert_true(l.shallow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_look_sees_plain_data),
		cmocka_unit_test(a_shallow_look_leaves_plain_data_out),
		cmocka_unit_test(a_shallow_look_sees_what_can_be_executed),
		cmocka_unit_test(each_batch_ticks),
		cmocka_unit_test(a_tick_can_end_a_look),
		cmocka_unit_test(a_look_out_of_time_is_partial),
	};

	if (child_emulated() || child_unwatched())
		return child_skip_group();
	return cmocka_run_group_tests(tests, make_scan, drop_scan);
}
