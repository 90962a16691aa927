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
	assert_false(frames_clean(f, 100, CONTENT_PLAIN));
	assert_false(frames_clean(f, 100, CONTENT_PLAIN)); /* no look */
	frames_mark(f, 100, CONTENT_CODE);
	for (int c = CONTENT_PLAIN; c <= CONTENT_CODE; c++)
		assert_true(frames_clean(f, 100, (enum content)c));
}

/* A short look does not stand for a long one, whichever is first. */
static void what_is_more_is_looked_at_again(void **state)
{
	static const enum content looks[] = { CONTENT_PLAIN, CONTENT_DATA,
					      CONTENT_PLAIN, CONTENT_CODE,
					      CONTENT_DATA,  CONTENT_PLAIN };
	enum content most = CONTENT_PLAIN;

	(void)state;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		frames_mark(f, 7, looks[i]);
		if (looks[i] > most)
			most = looks[i];
		for (int c = CONTENT_PLAIN; c <= CONTENT_CODE; c++)
			assert_int_equal(frames_clean(f, 7, (enum content)c),
					 c <= (int)most);
	}
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
				frames_mark(f, at + i, (enum content)(s - 1));
		}
		for (unsigned i = 0; i < 12; i++)
			assert_int_equal(frames_clean(f, at + i % 4,
						      (enum content)(i / 4)),
					 (mask >> 2 * (i % 4) & 3) > i / 4);
	}
}

static void a_new_pass_knows_nothing(void **state)
{
	(void)state;
	frames_mark(f, 5, CONTENT_CODE);
	frames_reset(f);
	assert_false(frames_clean(f, 5, CONTENT_PLAIN));
	frames_mark(f, 5, CONTENT_DATA);
	assert_true(frames_clean(f, 5, CONTENT_DATA));
}

static void no_frame_is_out_of_bounds(void **state)
{
	static const uint64_t last = (1ULL << 33) - 1;

	(void)state;
	frames_mark(f, last, CONTENT_CODE);
	assert_true(frames_clean(f, last, CONTENT_CODE));
	for (uint64_t pfn = last + 1; pfn && pfn < 1ULL << 55; pfn *= 2) {
		frames_mark(f, pfn + 3, CONTENT_CODE);
		assert_false(frames_clean(f, pfn + 3, CONTENT_PLAIN));
	}
}

#define FRAMES	100000
#define THREADS 4

/* Marks all, each thread another part as more than data. */
static void *mark_all(void *number)
{
	uint64_t own = (uintptr_t)number;

	for (uint64_t pfn = 0; pfn < FRAMES; pfn++)
		frames_mark(f, pfn,
			    pfn % THREADS == own ? CONTENT_CODE : CONTENT_DATA);
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
		assert_true(frames_clean(f, pfn, CONTENT_CODE));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(one_look_is_enough),
		TEST(what_is_more_is_looked_at_again),
		TEST(neighbours_do_not_mix),
		TEST(a_new_pass_knows_nothing),
		TEST(no_frame_is_out_of_bounds),
		TEST(threads_do_not_lose_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
