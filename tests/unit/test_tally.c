#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "hash_fixture.h"
#include "hashset.h"
#include "tally.h"

/* alpha has pages 0-19, beta 10-29, gamma 29-39. */
static struct hashset *set;
static uint8_t *bytes;
static struct tally *tally;
static struct share share[SHARES_MAX];

static int make(void **state)
{
	size_t len;

	(void)state;
	bytes = fixture_set(&len);
	return hashset_from_memory(bytes, len, &set, NULL) ||
	       tally_new(set, &tally);
}

static int drop(void **state)
{
	(void)state;
	tally_free(tally);
	tally_free(NULL);
	hashset_free(set);
	free(bytes);
	return 0;
}

static void see(uint64_t page, bool code)
{
	struct digest d = fixture_digest(1, page);
	uint32_t number;

	hashset_lookup(set, &d, 1, &number);
	assert_int_not_equal(number, HASHSET_NONE);
	tally_add(tally, number, code);
}

static void nothing_seen_is_no_share(void **state)
{
	(void)state;
	assert_int_equal(tally_shares(tally, share, SHARES_MAX), 0);
}

static void each_page_counts_once(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		see(1, false);
		see(2, true);
		see(3, false);
	}
	see(3, true); /* mapped twice, once as code */
	assert_int_equal(tally_shares(tally, share, SHARES_MAX), 1);
	assert_string_equal(share[0].name, "alpha");
	assert_string_equal(share[0].family, "Fixture");
	assert_string_equal(share[0].version, "1.2");
	assert_int_equal(share[0].n_pages, 20);
	assert_int_equal(share[0].seen, 3);
	assert_int_equal(share[0].seen_code, 2);
	/* Asking changes nothing. */
	assert_int_equal(tally_shares(tally, share, SHARES_MAX), 1);
	assert_int_equal(share[0].seen, 3);
}

/* Page 29 is beta's and gamma's: 1 of 20 and 1 of 11. */
static void a_page_counts_for_all_that_have_it(void **state)
{
	(void)state;
	see(29, true);
	assert_int_equal(tally_shares(tally, share, SHARES_MAX), 2);
	assert_string_equal(share[0].name, "gamma");
	assert_string_equal(share[1].name, "beta");
	assert_int_equal(share[0].seen_code, 1);
	assert_int_equal(share[1].seen_code, 1);
}

/* By share of their pages: beta 20 of 20, gamma 1 of 11, alpha 10 of 20. */
static void the_most_complete_comes_first(void **state)
{
	(void)state;
	for (uint64_t i = 10; i < 30; i++)
		see(i, false);
	assert_int_equal(tally_shares(tally, share, SHARES_MAX), 3);
	assert_string_equal(share[0].name, "beta");
	assert_string_equal(share[1].name, "alpha");
	assert_string_equal(share[2].name, "gamma");
	assert_int_equal(share[0].seen, 20);
	assert_int_equal(share[1].seen, 10);
	assert_int_equal(share[2].seen, 1);
	for (size_t cap = 0; cap < 3; cap++) {
		struct share few[3] = { 0 };

		few[cap].seen = 77;
		assert_int_equal(tally_shares(tally, few, cap), cap);
		assert_int_equal(few[cap].seen, 77);
		if (cap)
			assert_string_equal(few[0].name, "beta");
	}
	/* What a small answer left out is not lost. */
	assert_int_equal(tally_shares(tally, share, SHARES_MAX), 3);
	assert_int_equal(share[1].seen, 10);
}

static void a_new_process_begins_at_nothing(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 40; i++)
		see(i, true);
	tally_reset(tally);
	assert_int_equal(tally_shares(tally, share, SHARES_MAX), 0);
	see(5, false);
	assert_int_equal(tally_shares(tally, share, SHARES_MAX), 1);
	assert_int_equal(share[0].seen, 1);
	assert_int_equal(share[0].seen_code, 0);
}

/* Fragments stand beside the pages, and count as much. */
static void fragments_are_counted(void **state)
{
	struct hashset *s;
	struct tally *t;
	struct share got[SHARES_MAX];
	size_t len;
	uint8_t *b = fixture_fragments(&len);

	(void)state;
	assert_int_equal(hashset_from_memory(b, len, &s, NULL), 0);
	assert_int_equal(tally_new(s, &t), 0);
	for (uint64_t i = 5; i < 30; i++) {
		struct digest d = fixture_digest(3, i);
		uint32_t number;

		hashset_lookup(s, &d, 1, &number);
		tally_add(t, number, true);
	}
	assert_int_equal(tally_shares(t, got, SHARES_MAX), 2);
	assert_string_equal(got[0].name, "beta");
	assert_int_equal(got[0].n_fragments, 20);
	assert_int_equal(got[0].seen_fragments, 20);
	assert_int_equal(got[0].seen, 0);
	assert_true(tally_fragments(&got[0]) >= 1 && tally_pages(&got[0]) <= 0);
	assert_string_equal(got[1].name, "alpha");
	assert_int_equal(got[1].seen_fragments, 15);
	tally_free(t);
	hashset_free(s);
	free(b);
}

#define MANY	 40
#define FAMILIES 5

static uint64_t seen_of(uint64_t i)
{
	return 1 + i * 7 % MANY; /* no two are equal */
}

/* The best, one after the other, of those whose family has room. */
static size_t best(uint64_t ret[static SHARES_MAX])
{
	unsigned of_family[FAMILIES] = { 0 };
	size_t n = 0;

	for (uint64_t seen = MANY; seen && n < SHARES_MAX; seen--)
		for (uint64_t i = 0; i < MANY; i++)
			if (seen_of(i) == seen &&
			    of_family[i * i % FAMILIES]++ < TALLY_VERSIONS)
				ret[n++] = seen;
	return n;
}

static void more_binaries_than_room(void **state)
{
	struct hashbuild *build = hashbuild_new();
	uint64_t want[SHARES_MAX];
	struct hashset *many;
	struct tally *t;
	uint8_t *own;
	size_t len, n = best(want);

	(void)state;
	for (uint64_t i = 0; i < MANY; i++) { /* of 100 pages each */
		struct digestlist list;
		char name[16];

		snprintf(name, sizeof(name), "binary-%02d", (int)i);
		list = fixture_list(name, i * 100, i * 100 + 100);
		snprintf(list.family, sizeof(list.family), "Family%d",
			 (int)(i * i % FAMILIES));
		assert_int_equal(hashbuild_add(build, &list, NULL), 0);
		digestlist_free(&list);
	}
	own = fixture_finish(build, &len);
	assert_int_equal(hashset_from_memory(own, len, &many, NULL), 0);
	assert_int_equal(tally_new(many, &t), 0);
	for (uint64_t i = 0; i < MANY; i++)
		for (uint64_t k = 0; k < seen_of(i); k++) {
			struct digest d = fixture_digest(1, i * 100 + k);
			uint32_t number;

			hashset_lookup(many, &d, 1, &number);
			tally_add(t, number, false);
		}
	assert_in_range(n, 1, SHARES_MAX - 1); /* the families are full */
	assert_int_equal(tally_shares(t, share, SHARES_MAX), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(share[i].seen, want[i]);
	tally_free(t);
	hashset_free(many);
	free(own);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(nothing_seen_is_no_share),
		TEST(each_page_counts_once),
		TEST(a_page_counts_for_all_that_have_it),
		TEST(the_most_complete_comes_first),
		TEST(a_new_process_begins_at_nothing),
		TEST(more_binaries_than_room),
		cmocka_unit_test(fragments_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
