/* What a keyset remembers, forgets and confuses; and the memory that it and
 * the frames keep from one pass to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>
#include "keyset.h"
#include "lazymem.h"

#define LOG2 14
#define KEYS (1U << LOG2)

static uint64_t key(const struct keyset *s, uint64_t n)
{
	return keyset_key(s, &n, 1);
}

static unsigned state_of(uint64_t i)
{
	return 1 + (unsigned)(i % 3);
}

static struct keyset *half_full(void)
{
	struct keyset *s;

	assert_int_equal(keyset_new(LOG2, &s), 0);
	for (uint64_t i = 0; i < KEYS / 2; i++)
		keyset_raise(s, key(s, i), state_of(i));
	return s;
}

static void a_state_is_remembered_and_only_rises(void **state)
{
	struct keyset *s = half_full();
	unsigned forgotten = 0;

	(void)state;
	for (uint64_t i = 0; i < KEYS / 2; i++) {
		unsigned was = keyset_get(s, key(s, i));

		if (!was) {
			forgotten++;
			continue;
		}
		assert_int_equal(was, state_of(i));
		keyset_raise(s, key(s, i), 2);
		assert_int_equal(keyset_get(s, key(s, i)), was == 3 ? 3 : 2);
	}
	/* Of 16 slots for 8 keys on average; more than 16 come together once
	 * in 270 buckets, with one or two to spare. */
	assert_in_range(forgotten, 0, KEYS / 200);
	keyset_free(s);
}

static void what_was_never_raised_has_no_state(void **state)
{
	struct keyset *s = half_full();
	unsigned confused = 0;

	(void)state;
	for (uint64_t i = KEYS; i < KEYS + 1000000; i++)
		confused += keyset_get(s, key(s, i)) != 0;
	/* 8 of 2^30 each: 0.007 expected. */
	assert_in_range(confused, 0, 3);
	keyset_free(s);
}

static void a_full_set_takes_new_keys(void **state)
{
	struct keyset *s = half_full();

	(void)state;
	for (uint64_t i = KEYS; i < 10 * KEYS; i++) {
		keyset_raise(s, key(s, i), 3);
		assert_int_equal(keyset_get(s, key(s, i)), 3);
	}
	keyset_free(s);
}

static void a_reset_set_is_empty(void **state)
{
	struct keyset *s = half_full();

	(void)state;
	keyset_reset(s);
	for (uint64_t i = 0; i < KEYS / 2; i++)
		assert_int_equal(keyset_get(s, key(s, i)), 0);
	keyset_free(s);
}

static size_t taken(void *p, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
	unsigned char vec[256];

	assert_in_range(len / page, 1, sizeof(vec));
	assert_int_equal(mincore(p, len, vec), 0);
	for (size_t i = 0; i < len / page; i++)
		n += vec[i] & 1;
	return n * page;
}

static void clearing_keeps_what_was_taken(void **state)
{
	const size_t len = 1 << 20;
	uint8_t *p = lazymem_new(len);
	size_t before;

	(void)state;
	assert_non_null(p);
	madvise(p, len, MADV_NOHUGEPAGE);
	p[5] = p[len / 2] = p[len - 1] = 1;
	before = taken(p, len);
	lazymem_clear(p, len / 2 + 1);
	assert_in_range(taken(p, len), before, len);
	for (size_t i = 0; i < len - 1; i++)
		assert_int_equal(p[i], 0);
	assert_int_equal(p[len - 1], 1); /* it was not asked for */
	lazymem_free(p, len);
	lazymem_free(NULL, len);
}

static void memory_can_be_taken_at_once(void **state)
{
	const size_t len = 1 << 20;
	void *p = lazymem_new(len);

	(void)state;
	assert_non_null(p);
	lazymem_take(p, len);
	if (taken(p, len) == 0)
		skip(); /* before Linux 5.14, and under qemu-user */
	assert_int_equal(taken(p, len), len);
	lazymem_free(p, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_is_remembered_and_only_rises),
		cmocka_unit_test(what_was_never_raised_has_no_state),
		cmocka_unit_test(a_full_set_takes_new_keys),
		cmocka_unit_test(a_reset_set_is_empty),
		cmocka_unit_test(clearing_keeps_what_was_taken),
		cmocka_unit_test(memory_can_be_taken_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
