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

/* Looks at @pfn and finds nothing.  Had that been done before? */
static bool look(uint64_t pfn, bool plain)
{
	bool clean = frames_clean(f, pfn, plain);

	frames_mark(f, pfn, plain, false);
	return clean;
}

static void one_look_is_enough(void **state)
{
	(void)state;
	assert_false(look(100, false));
	assert_true(look(100, false));
	assert_true(look(100, true));
	assert_false(look(101, true));
	assert_true(look(101, true));
}

/* A short look does not stand for a long one. */
static void plain_data_is_looked_at_again(void **state)
{
	(void)state;
	assert_false(look(7, true));
	assert_false(look(7, false));
	assert_true(look(7, false));
	assert_true(look(7, true));
}

static void what_held_something_is_never_skipped(void **state)
{
	(void)state;
	assert_false(look(8, false));
	frames_mark(f, 8, false, true);
	for (int i = 0; i < 4; i++)
		assert_false(look(8, i & 1));
	assert_false(look(9, true));
	frames_mark(f, 9, false, true);
	assert_false(look(9, true));
	assert_false(look(9, false));
	frames_mark(f, 10, false, true); /* before anyone looked */
	assert_false(look(10, false));
	assert_false(look(10, false));
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
				assert_false(look(at + i, s == 1));
			if (s == 3)
				frames_mark(f, at + i, false, true);
		}
		for (unsigned i = 0; i < 4; i++) {
			unsigned s = mask >> 2 * i & 3;

			assert_int_equal(look(at + i, true),
					 s == 1 || s == 2);
			assert_int_equal(look(at + i, false),
					 s == 2);
		}
	}
}

static void a_new_pass_knows_nothing(void **state)
{
	(void)state;
	assert_false(look(5, false));
	frames_mark(f, 6, false, true);
	frames_reset(f);
	assert_false(look(5, false));
	assert_true(look(5, false));
	assert_false(look(6, false));
	assert_true(look(6, false));
}

static void no_frame_is_out_of_bounds(void **state)
{
	static const uint64_t last = (1ULL << 33) - 1;

	(void)state;
	assert_false(look(last, false));
	assert_true(look(last, false));
	for (uint64_t pfn = last + 1; pfn && pfn < 1ULL << 55; pfn *= 2) {
		frames_mark(f, pfn + 3, false, true);
		assert_false(look(pfn, false));
		assert_false(look(pfn, false));
	}
	assert_false(look(UINT64_MAX, true));
	assert_false(look(UINT64_MAX, true));
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
