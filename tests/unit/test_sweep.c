#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "hash_fixture.h"
#include "hashset.h"
#include "kernel.h"
#include "maps.h"
#include "sweep.h"
#include "wire.h"

#define BASE 0x7f0000000000ULL
#define P    FLOW_PAGE

/* A suspect's edges are odd, so that no one takes them for a mapping's. */
#define LOW(address)  (((address) - 1) | 1)
#define HIGH(address) ((address) | 1)

#define CODE  (1 << WHERE_CODE)
#define IMAGE (1 << WHERE_IMAGE)
#define JIT   (1 << WHERE_JIT)
#define ANY   (1 << WHERE_ANY)

/* A batch of @n pages that stand behind each other. */
static uint8_t *bytes;
static uint64_t address[BATCH_PAGES];
static struct region region;
static struct batch batch = { .region = &region, .address = address };
static struct sweep_result result;
static struct hashset *set;
static uint8_t *set_bytes;
static struct prefilter *own_filter[SWEEP_FILTERS];

static const struct atom atoms[] = {
	{ "sixteen bytes ok", 16, CODE | IMAGE, .before = 20, .after = 40 },
	{ "anywhere you like it, 32 bytes..", 32, ANY, .before = 100,
	  .after = 300 },
};

/* Pages 0 to 9 of the set: no two alike, none with an atom. */
static void known_page(uint8_t *page, unsigned i)
{
	memset(page, (int)(0x90 + i), P);
	page[i] = 1;
}

/* Of those of the @n atoms that number @i is to have. */
static int make_filter(size_t i, const struct atom *a, size_t n,
		       struct prefilter **ret)
{
	struct atom own[4];
	size_t n_own = 0;

	for (size_t k = 0; k < n; k++)
		if (a[k].where & sweep_where[i])
			own[n_own++] = a[k];
	return prefilter_new(own, n_own, ret, NULL);
}

static int make(void **state)
{
	struct digestlist list = fixture_list("known", 0, 0);
	struct hashbuild *build = hashbuild_new();
	size_t len;

	(void)state;
	bytes = aligned_alloc(P, BATCH_PAGES * P);
	batch.bytes = bytes;
	for (unsigned i = 0; i < 10; i++) {
		struct digestlist_page page = { .flags = REGION_EXEC };

		known_page(bytes, i);
		page.digest = hashset_digest(bytes);
		if (digestlist_add(&list, page))
			return -1;
	}
	if (hashbuild_add(build, &list, NULL))
		return -1;
	digestlist_free(&list);
	set_bytes = fixture_finish(build, &len);
	for (size_t i = 0; i < SWEEP_FILTERS; i++)
		if (make_filter(i, atoms, 2, &own_filter[i]))
			return -1;
	return hashset_from_memory(set_bytes, len, &set, NULL);
}

static int drop(void **state)
{
	(void)state;
	hashset_free(set);
	for (size_t i = 0; i < SWEEP_FILTERS; i++)
		prefilter_free(own_filter[i]);
	free(set_bytes);
	free(bytes);
	return 0;
}

/* @n pages of noise, from @page on; at most BATCH_PAGES. */
static void fill(size_t n, uint8_t flags)
{
	region = (struct region){ .start = BASE, .end = BASE + 1000 * P,
				  .flags = flags,
				  .where = maps_where(flags) };
	batch.n_pages = n;
	for (size_t i = 0; i < n * P; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251 + 1);
	for (size_t i = 0; i < n; i++)
		address[i] = BASE + i * P;
	memset(&result, 0xee, sizeof(result)); /* of the batch before */
}

static void plant(size_t atom, size_t at)
{
	memcpy(bytes + at, atoms[atom].bytes, atoms[atom].len);
}

static void sweep(uint8_t every_page)
{
	struct sweep s = { .set = set, .every_page = every_page };

	for (size_t i = 0; i < SWEEP_FILTERS; i++)
		s.filter[i] = own_filter[i];
	sweep_batch(&s, &batch, &result);
}

#define RX   (REGION_READ | REGION_EXEC)
#define HEAP (REGION_READ | REGION_WRITE | REGION_ANON)
#define DATA (REGION_READ | REGION_WRITE)

static void noise_is_nothing(void **state)
{
	(void)state;
	fill(BATCH_PAGES, RX);
	sweep(0);
	assert_int_equal(result.n_known, 0);
	assert_int_equal(result.n_suspects, 0);
	assert_int_equal(result.n_zero, 0);
	for (size_t i = 0; i < BATCH_PAGES; i++)
		assert_false(result.found[i]);
	batch.n_pages = 0;
	sweep(0xff);
	assert_int_equal(result.n_suspects, 0);
}

/* One byte anywhere, and the page is not zero: the digest is looked up. */
static void only_zeros_are_zero(void **state)
{
	struct hashbuild *build = hashbuild_new();
	struct digestlist list = fixture_list("one byte", 0, 0);
	struct sweep s = { 0 };
	uint8_t *own;
	size_t len;

	(void)state;
	fill(1, RX);
	for (size_t i = 0; i < P; i += 61) {
		struct digestlist_page page = { .flags = REGION_EXEC };

		memset(bytes, 0, P);
		bytes[i] = 0x80;
		page.digest = hashset_digest(bytes);
		assert_int_equal(digestlist_add(&list, page), 0);
	}
	assert_int_equal(hashbuild_add(build, &list, NULL), 0);
	digestlist_free(&list);
	own = fixture_finish(build, &len);
	assert_int_equal(hashset_from_memory(own, len,
					     (struct hashset **)&s.set, NULL),
			 0);
	for (size_t i = 0; i < P; i += 61) {
		memset(bytes, 0, P);
		bytes[i] = 0x80;
		sweep_batch(&s, &batch, &result);
		assert_int_equal(result.n_zero, 0);
		assert_int_equal(result.n_known, 1);
		bytes[i] = 0;
		sweep_batch(&s, &batch, &result);
		assert_int_equal(result.n_zero, 1);
		assert_int_equal(result.n_known, 0);
	}
	hashset_free((struct hashset *)s.set);
	free(own);
}

static void known_pages_are_known(void **state)
{
	uint32_t number[10];

	(void)state;
	fill(BATCH_PAGES, RX);
	for (unsigned i = 0; i < 10; i++)
		known_page(bytes + (i * 20 + 3) * P, i);
	memset(bytes, 0, 2 * P); /* zero pages must not shift the others */
	memset(bytes + 10 * P, 0, 5 * P);
	sweep(0);
	assert_int_equal(result.n_zero, 7);
	assert_int_equal(result.n_known, 10);
	for (unsigned i = 0; i < 10; i++) {
		struct digest d = hashset_digest(bytes + (i * 20 + 3) * P);

		hashset_lookup(set, &d, 1, &number[i]);
		assert_int_equal(result.known[i].page, i * 20 + 3);
		assert_int_equal(result.known[i].number, number[i]);
	}
	for (size_t i = 0; i < BATCH_PAGES; i++)
		assert_int_equal(result.found[i], i % 20 == 3 && i < 200);
}

static void a_suspect_is_where_the_atom_is(void **state)
{
	(void)state;
	fill(64, RX);
	plant(0, 5 * P + 1000);
	plant(0, 9 * P + 8); /* its beginning reaches into page 8 */
	plant(1, 30 * P - 7); /* across two pages */
	sweep(0);
	assert_int_equal(result.n_suspects, 3);
	assert_int_equal(result.suspects[0].start,
			 LOW(BASE + 5 * P + 1000 - 20));
	assert_int_equal(result.suspects[0].end,
			 HIGH(BASE + 5 * P + 1000 + 40));
	assert_int_equal(result.suspects[0].where, CODE | IMAGE);
	assert_int_equal(result.suspects[1].start,
			 LOW(BASE + 9 * P + 8 - 20));
	assert_int_equal(result.suspects[2].where, ANY);
	assert_true(result.suspects[2].start <= BASE + 30 * P - 7 - 100);
	assert_true(result.suspects[2].end >= BASE + 30 * P - 7 + 300);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(result.found[i],
				 i == 5 || i == 9 || i == 30);
}

/* Near ones are one; all are in order and apart. */
static void suspects_are_merged(void **state)
{
	(void)state;
	fill(64, RX);
	plant(0, 5 * P + 100);
	plant(1, 5 * P + 3000);
	plant(0, 6 * P + 100);
	plant(0, 20 * P);
	sweep(0);
	assert_int_equal(result.n_suspects, 2);
	assert_true(result.suspects[0].start <= BASE + 5 * P + 80);
	assert_true(result.suspects[0].end >= BASE + 6 * P + 140);
	assert_int_equal(result.suspects[0].where, CODE | IMAGE | ANY);
	assert_true(result.suspects[1].start > result.suspects[0].end);
	/* Of two pages, each with another set; the second begins earlier. */
	fill(8, RX);
	plant(0, 3 * P - 60);
	plant(1, 3 * P + 8);
	sweep(0);
	assert_int_equal(result.n_suspects, 1);
	assert_int_equal(result.suspects[0].where, CODE | IMAGE | ANY);
	assert_int_equal(result.suspects[0].start, LOW(BASE + 3 * P + 8 - 100));
	assert_int_equal(result.suspects[0].end, HIGH(BASE + 3 * P + 8 + 300));
}

static void every_plant_is_suspected(void **state)
{
	static uint64_t seed = 9;

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t at[12], which[12];

		fill(64, RX);
		for (size_t i = 0; i < 12; i++) {
			which[i] = fixture_random(&seed) % 2;
			at[i] = i * 5 * P + fixture_random(&seed) % (4 * P);
			plant(which[i], at[i]);
		}
		sweep(0);
		for (size_t i = 0; i < 12; i++) {
			const struct atom *a = &atoms[which[i]];
			bool met = false;

			for (size_t k = 0; k < result.n_suspects; k++) {
				const struct suspect *s = &result.suspects[k];

				met |= (s->where & a->where) == a->where &&
				       s->start <= BASE + at[i] - a->before &&
				       s->end >= BASE + at[i] + a->after;
			}
			/* the first one can begin before the batch */
			assert_true(met || at[i] < a->before);
		}
		for (size_t k = 0; k < result.n_suspects; k++) {
			const struct suspect *s = &result.suspects[k];

			assert_true(s->start & s->end & 1);
			assert_true(k == 0 || s->start > s[-1].end);
		}
	}
}

/* A rule for code is not looked for in data: its frame is looked at again
 * where it is code.  What is looked for and does not count here may count
 * elsewhere, and is found. */
static void each_content_has_its_own_filter(void **state)
{
	static const struct atom own[] = {
		{ "only code counts", 16, CODE, .after = 16 },
		{ "only images count", 16, IMAGE, .after = 16 },
		{ "only a JIT counts", 16, JIT, .after = 16 },
		{ "it counts anywhere", 16, ANY, .after = 16 },
	};
	static const struct {
		uint8_t flags, found, counts; /* a bit for each of @own */
	} cases[] = {
		{ HEAP, 8, 8 },
		{ DATA, 8 | 4 | 2, 8 | 2 },
		{ REGION_READ | REGION_ANON, 8 | 4 | 2, 8 | 2 },
		{ RX | REGION_ANON, 8 | 4 | 2, 8 | 4 | 2 },
		{ RX, 8 | 4 | 2 | 1, 8 | 2 | 1 },
	};
	struct prefilter *pf[SWEEP_FILTERS];
	struct sweep s = { .set = set };

	(void)state;
	for (size_t i = 0; i < SWEEP_FILTERS; i++) {
		assert_int_equal(make_filter(i, own, 4, &pf[i]), 0);
		s.filter[i] = pf[i];
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t counts = 0;

		fill(8, cases[i].flags);
		/* As in maps, where only files have code. */
		region.inode = !(cases[i].flags & REGION_ANON);
		for (size_t k = 0; k < 4; k++)
			memcpy(bytes + 2 * k * P + 50, own[k].bytes, 16);
		sweep_batch(&s, &batch, &result);
		for (size_t k = 0; k < result.n_suspects; k++)
			counts |= (uint8_t)(1U << (result.suspects[k].start -
						   BASE) / (2 * P));
		assert_int_equal(counts, cases[i].counts);
		for (size_t k = 0; k < 8; k++)
			assert_int_equal(result.found[k],
					 k % 2 == 0 &&
						 cases[i].found >> k / 2 & 1);
	}
	for (size_t i = 0; i < SWEEP_FILTERS; i++)
		prefilter_free(pf[i]);
}

/* A heap is looked at with its own filter, and not for digests. */
static void plain_data_has_its_own_filter(void **state)
{
	(void)state;
	fill(8, HEAP);
	plant(0, 2 * P + 9);
	plant(1, 4 * P + 9);
	known_page(bytes + 6 * P, 1);
	sweep(0);
	assert_int_equal(result.n_known, 0);
	assert_int_equal(result.n_suspects, 1);
	assert_int_equal(result.suspects[0].where, ANY);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(result.found[i], i == 4);
}

/* All that a match in [start, end) can depend on, and little more. */
static void check_around(const struct suspect *s, uint64_t start, uint64_t end)
{
	assert_in_range(s->start, start - WIRE_SPAN - 64, start - WIRE_SPAN);
	assert_in_range(s->end, end + WIRE_SPAN, end + WIRE_SPAN + 64);
	assert_true(s->start & s->end & 1);
}

static void some_rules_see_every_page(void **state)
{
	(void)state;
	fill(8, RX);
	memset(bytes + 5 * P, 0, P);
	address[7] = BASE + 100 * P; /* a hole before it */
	sweep(CODE | JIT);
	assert_int_equal(result.n_suspects, 2);
	check_around(&result.suspects[0], BASE, BASE + 7 * P);
	assert_int_equal(result.suspects[0].where, CODE);
	check_around(&result.suspects[1], BASE + 100 * P, BASE + 101 * P);
	for (size_t i = 0; i < 8; i++) /* to be seen in each process */
		assert_int_equal(result.found[i], i != 5);
	fill(8, HEAP);
	sweep(CODE | JIT);
	assert_int_equal(result.n_suspects, 0);
	assert_false(result.found[0]);
	sweep(ANY);
	assert_int_equal(result.suspects[0].where, ANY);
	assert_true(result.found[0]);
}

static void addresses_do_not_wrap(void **state)
{
	(void)state;
	fill(1, RX);
	address[0] = 0;
	plant(0, 3);
	sweep(CODE);
	assert_int_equal(result.n_suspects, 1);
	assert_int_equal(result.suspects[0].start, 0);
	assert_in_range(result.suspects[0].end, P, 4 * P);
}

static void nothing_is_looked_for_without_tables(void **state)
{
	static const struct sweep none;

	(void)state;
	fill(4, RX);
	plant(0, 9);
	known_page(bytes + P, 0);
	memset(bytes + 2 * P, 0, P);
	sweep_batch(&none, &batch, &result);
	assert_int_equal(result.n_known + result.n_suspects, 0);
	assert_int_equal(result.n_zero, 1);
	assert_false(result.found[0] || result.found[1]);
}

/* An atom that has zeros, between a page and one that is all zero. */
static void an_atom_that_ends_in_a_zero_page(void **state)
{
	static const char *const shapes[] = { "\x5a\0\0\0", "\x5a\xa5\0\0",
					      "\x5a\xa5\x7e\0", "\0\0\0\x5a",
					      "\0\0\x5a\xa5",
					      "\0\x5a\xa5\x7e" };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct atom a = { .len = 4, .where = CODE, .after = 4 };
		bool ends = shapes[i][0] != 0;
		struct prefilter *pf = NULL;
		struct sweep s = { 0 };

		memcpy(a.bytes, shapes[i], 4);
		assert_int_equal(prefilter_new(&a, 1, &pf, NULL), 0);
		s.filter[SWEEP_DATA] = pf;
		for (size_t cut = 1; cut < 4; cut++) {
			uint64_t at = BASE + P - cut;
			bool met = false;

			fill(2, RX);
			memset(bytes + (ends ? P : 0), 0, P);
			memcpy(bytes + P - cut, a.bytes, 4);
			sweep_batch(&s, &batch, &result);
			for (size_t k = 0; k < result.n_suspects; k++)
				met |= result.suspects[k].start <= at &&
				       result.suspects[k].end >= at + 4;
			assert_true(met);
		}
		prefilter_free(pf);
	}
}

static void this_cpu_lacks_the_variant(void **state)
{
	(void)state;
	puts("this CPU lacks it");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noise_is_nothing),
		cmocka_unit_test(only_zeros_are_zero),
		cmocka_unit_test(known_pages_are_known),
		cmocka_unit_test(a_suspect_is_where_the_atom_is),
		cmocka_unit_test(suspects_are_merged),
		cmocka_unit_test(every_plant_is_suspected),
		cmocka_unit_test(each_content_has_its_own_filter),
		cmocka_unit_test(plain_data_has_its_own_filter),
		cmocka_unit_test(some_rules_see_every_page),
		cmocka_unit_test(addresses_do_not_wrap),
		cmocka_unit_test(nothing_is_looked_for_without_tables),
		cmocka_unit_test(an_atom_that_ends_in_a_zero_page),
	};

	const struct CMUnitTest lacking[] = {
		cmocka_unit_test(this_cpu_lacks_the_variant),
	};
	int failed = 0;

	for (size_t i = 0; kernel_variant(i); i++) {
		const char *name = kernel_variant(i)->name;

		print_message("variant %s\n", name);
		failed += kernel_choose(name)
				  ? cmocka_run_group_tests(lacking, NULL, NULL)
				  : cmocka_run_group_tests(tests, make, drop);
	}
	return failed;
}
