#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "frames.h"

static struct frames *f;

static int make(void **state)
{
	(void)state;
	return frames_new(&f);
}

static int drop(void **state)
{
	(void)state;
	frames_free(f);
	frames_free(NULL);
	return 0;
}

static void one_look_is_enough(void **state)
{
	(void)state;
	assert_false(frames_skip(f, 100, false));
	assert_true(frames_skip(f, 100, false));
	assert_true(frames_skip(f, 100, true));
	assert_false(frames_skip(f, 101, true));
	assert_true(frames_skip(f, 101, true));
}

/* A short look does not stand for a long one. */
static void plain_data_is_looked_at_again(void **state)
{
	(void)state;
	assert_false(frames_skip(f, 7, true));
	assert_false(frames_skip(f, 7, false));
	assert_true(frames_skip(f, 7, false));
	assert_true(frames_skip(f, 7, true));
}

static void what_held_something_is_never_skipped(void **state)
{
	(void)state;
	assert_false(frames_skip(f, 8, false));
	frames_remember(f, 8);
	for (int i = 0; i < 4; i++)
		assert_false(frames_skip(f, 8, i & 1));
	assert_false(frames_skip(f, 9, true));
	frames_remember(f, 9);
	assert_false(frames_skip(f, 9, true));
	assert_false(frames_skip(f, 9, false));
	frames_remember(f, 10); /* before anyone looked */
	assert_false(frames_skip(f, 10, false));
	assert_false(frames_skip(f, 10, false));
}

/* Four frames stand in a byte: each state beside each other one. */
static void neighbours_do_not_mix(void **state)
{
	(void)state;
	for (unsigned mask = 0; mask < 256; mask++) {
		uint64_t at = 4096 + mask * 4;

		for (unsigned i = 0; i < 4; i++) {
			unsigned s = mask >> 2 * i & 3;

			if (s)
				assert_false(frames_skip(f, at + i, s == 1));
			if (s == 3)
				frames_remember(f, at + i);
		}
		for (unsigned i = 0; i < 4; i++) {
			unsigned s = mask >> 2 * i & 3;

			assert_int_equal(frames_skip(f, at + i, true),
					 s == 1 || s == 2);
			assert_int_equal(frames_skip(f, at + i, false),
					 s == 2);
		}
	}
}

static void a_new_pass_knows_nothing(void **state)
{
	(void)state;
	assert_false(frames_skip(f, 5, false));
	frames_remember(f, 6);
	frames_reset(f);
	assert_false(frames_skip(f, 5, false));
	assert_true(frames_skip(f, 5, false));
	assert_false(frames_skip(f, 6, false));
	assert_true(frames_skip(f, 6, false));
}

static void no_frame_is_out_of_bounds(void **state)
{
	static const uint64_t last = (1ULL << 33) - 1;

	(void)state;
	assert_false(frames_skip(f, last, false));
	assert_true(frames_skip(f, last, false));
	for (uint64_t pfn = last + 1; pfn && pfn < 1ULL << 55; pfn *= 2) {
		frames_remember(f, pfn + 3);
		assert_false(frames_skip(f, pfn, false));
		assert_false(frames_skip(f, pfn, false));
	}
	assert_false(frames_skip(f, UINT64_MAX, true));
	assert_false(frames_skip(f, UINT64_MAX, true));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(one_look_is_enough),
		TEST(plain_data_is_looked_at_again),
		TEST(what_held_something_is_never_skipped),
		TEST(neighbours_do_not_mix),
		TEST(a_new_pass_knows_nothing),
		TEST(no_frame_is_out_of_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
