#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
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
	assert_false(frames_clean(f, 100, false));
	assert_false(frames_clean(f, 100, false)); /* asking is no look */
	frames_mark(f, 100, false, false);
	assert_true(frames_clean(f, 100, false));
	assert_true(frames_clean(f, 100, true));
}

/* A short look does not stand for a long one. */
static void plain_data_is_looked_at_again(void **state)
{
	(void)state;
	frames_mark(f, 7, true, false);
	assert_true(frames_clean(f, 7, true));
	assert_false(frames_clean(f, 7, false));
	frames_mark(f, 7, false, false);
	assert_true(frames_clean(f, 7, false));
	frames_mark(f, 7, true, false);
	assert_true(frames_clean(f, 7, false));
}

static void what_held_something_is_never_clean(void **state)
{
	(void)state;
	frames_mark(f, 8, false, true);
	frames_mark(f, 9, true, true);
	for (uint64_t pfn = 8; pfn < 10; pfn++)
		for (int i = 0; i < 4; i++) {
			assert_false(frames_clean(f, pfn, i & 1));
			frames_mark(f, pfn, i & 1, false);
		}
	frames_mark(f, 10, false, false);
	frames_mark(f, 10, false, true);
	assert_false(frames_clean(f, 10, true));
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
				frames_mark(f, at + i, s == 1, s == 3);
		}
		for (unsigned i = 0; i < 4; i++) {
			unsigned s = mask >> 2 * i & 3;

			assert_int_equal(frames_clean(f, at + i, true),
					 s == 1 || s == 2);
			assert_int_equal(frames_clean(f, at + i, false),
					 s == 2);
		}
	}
}

static void a_new_pass_knows_nothing(void **state)
{
	(void)state;
	frames_mark(f, 5, false, false);
	frames_mark(f, 6, false, true);
	frames_reset(f);
	for (uint64_t pfn = 5; pfn < 7; pfn++) {
		assert_false(frames_clean(f, pfn, true));
		frames_mark(f, pfn, false, false);
		assert_true(frames_clean(f, pfn, false));
	}
}

static void no_frame_is_out_of_bounds(void **state)
{
	static const uint64_t last = (1ULL << 33) - 1;

	(void)state;
	frames_mark(f, last, false, false);
	assert_true(frames_clean(f, last, false));
	for (uint64_t pfn = last + 1; pfn && pfn < 1ULL << 55; pfn *= 2) {
		frames_mark(f, pfn + 3, false, false);
		assert_false(frames_clean(f, pfn + 3, true));
	}
	frames_mark(f, UINT64_MAX, true, true);
	assert_false(frames_clean(f, UINT64_MAX, true));
}

#define FRAMES	100000
#define THREADS 4

/* Marks all, each thread another part as found. */
static void *mark_all(void *number)
{
	uint64_t own = (uintptr_t)number;

	for (uint64_t pfn = 0; pfn < FRAMES; pfn++)
		frames_mark(f, pfn, own & 1, pfn % THREADS == own);
	return NULL;
}

/* No mark of one thread is lost to another one's in the same byte. */
static void threads_do_not_lose_marks(void **state)
{
	pthread_t thread[THREADS];

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, mark_all,
						(void *)i),
				 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (uint64_t pfn = 0; pfn < FRAMES; pfn++)
		assert_false(frames_clean(f, pfn, true));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(one_look_is_enough),
		TEST(plain_data_is_looked_at_again),
		TEST(what_held_something_is_never_clean),
		TEST(neighbours_do_not_mix),
		TEST(a_new_pass_knows_nothing),
		TEST(no_frame_is_out_of_bounds),
		TEST(threads_do_not_lose_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
