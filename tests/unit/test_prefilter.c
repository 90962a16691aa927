#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hash_fixture.h"
#include "kernel.h"
#include "prefilter.h"

#define SPAN (3 * FLOW_PAGE) /* before, the page in the middle, behind */

static uint64_t seed = 2;

static uint32_t random_below(uint32_t n)
{
	return (uint32_t)(fixture_random(&seed) % n);
}

/* Bytes that such a filter can get wrong. */
enum filling {
	ZEROS,
	SAME,
	HIGH,
	PERIOD,
	TEXT,
	RANDOM,
	SPARSE,
	NOCASE,
	CONTENTS
};

static void fill(uint8_t *p, size_t n, enum filling content)
{
	uint8_t a = (uint8_t)(fixture_random(&seed) | 1);
	size_t period = 2 + random_below(3);

	for (size_t i = 0; i < n; i++) {
		uint8_t r = (uint8_t)fixture_random(&seed);

		p[i] = (uint8_t)(content == ZEROS    ? 0
				 : content == SAME   ? a
				 : content == HIGH   ? r | 0x80
				 : content == PERIOD ? (int)(i % period) * 85
				 : content == TEXT   ? 'a' + r % 26
				 : content == NOCASE ? "aeiou xyz-1\xe4"[r % 12]
				 : content == SPARSE ? (i == n / 2 ? a : 0)
						     : r);
	}
	if (content == SAME && a % 3 == 0)
		memset(p, 0xff, n);
}

static struct atom make_atom(uint8_t len, enum filling content)
{
	struct atom a = {
		.len = len,
		.where = (uint8_t)(1 << random_below(WHERE_COUNT)),
		.nocase = content == NOCASE,
		.before = (uint16_t)random_below(40),
		.after = (uint16_t)(len + random_below(40)),
	};

	fill(a.bytes, len, content);
	return a;
}

static struct prefilter *make_filter(const struct atom *atoms, size_t n)
{
	struct prefilter *pf = NULL;
	struct why why;

	assert_int_equal(prefilter_new(atoms, n, &pf, &why), 0);
	return pf;
}

/* Does @mark of the page at @page (offset in the span) cover what @a needs
 * when it stands at @at of the span? */
static bool covers(const struct prefilter_mark *mark, size_t page,
		   const struct atom *a, size_t at)
{
	int64_t start = (int64_t)at - (int64_t)page;

	return (mark->where & a->where) == a->where &&
	       mark->start <= start - a->before &&
	       mark->end >= start + a->after;
}

/* The atom stands at @at: one of the pages that hold its bytes says so;
 * @mark is of each page. */
static bool is_marked(const struct prefilter_mark *mark, const struct atom *a,
		      size_t at)
{
	size_t first = at / FLOW_PAGE, last = (at + a->len - 1) / FLOW_PAGE;

	return covers(&mark[first], first * FLOW_PAGE, a, at) ||
	       covers(&mark[last], last * FLOW_PAGE, a, at);
}

static bool is_met(const struct prefilter *pf, const uint8_t *span,
		   const struct atom *a, size_t at)
{
	struct prefilter_mark mark[3];
	size_t first = at / FLOW_PAGE, last = (at + a->len - 1) / FLOW_PAGE;

	for (size_t p = first; p <= last; p++)
		mark[p] = prefilter_page(pf, span + p * FLOW_PAGE);
	return is_marked(mark, a, at);
}

/* The naive twin, so simple that it is unlikely to be wrong. */
static bool stands_at(const uint8_t *span, const struct atom *a, size_t at)
{
	for (size_t i = 0; i < a->len; i++) {
		uint8_t c = span[at + i];

		if ((a->nocase ? tolower(c) : c) != a->bytes[i])
			return false;
	}
	return true;
}

static void plant(uint8_t *at, const struct atom *a)
{
	memcpy(at, a->bytes, a->len);
	for (size_t i = 0; i < a->len && a->nocase; i++)
		if (random_below(2))
			at[i] = (uint8_t)toupper(at[i]);
}

/* Plants @a at each offset where it touches the middle page. */
static void plant_everywhere(const struct prefilter *pf, const struct atom *a,
			     uint8_t *span, size_t step)
{
	uint8_t saved[ATOM_BYTES];

	for (size_t at = FLOW_PAGE - a->len + 1; at < 2 * FLOW_PAGE;) {
		bool at_edge =
			at < FLOW_PAGE + 4 || at + a->len + 4 > 2 * FLOW_PAGE;

		memcpy(saved, span + at, a->len);
		plant(span + at, a);
		assert_true(stands_at(span, a, at));
		if (!is_met(pf, span, a, at))
			fail_msg("an atom of %u bytes at %zd is lost", a->len,
				 (ssize_t)at - FLOW_PAGE);
		memcpy(span + at, saved, a->len);
		at += at_edge ? 1 : step;
	}
}

static uint8_t *aligned_span(void)
{
	return aligned_alloc(FLOW_PAGE, SPAN);
}

static const struct kernel *best_variant(void)
{
	const struct kernel *k = NULL;

	for (size_t i = 0; (k = kernel_variant(i)) != NULL; i++)
		if (!k->usable || k->usable())
			break;
	return k;
}

/* Alone, so that its own length decides the group: every length, content and
 * offset, in three kinds of surroundings. */
static void each_alone_at_every_offset(void **state)
{
	bool first = kernel_used() == best_variant();
	uint8_t *span = aligned_span();

	(void)state;
	for (uint8_t len = ATOM_MIN; len <= ATOM_BYTES; len++) {
		for (enum filling c = 0; c < CONTENTS; c++) {
			struct atom a = make_atom(len, c);
			struct prefilter *pf = make_filter(&a, 1);
			/* 1: every offset; else prime to the strides */
			size_t step = c != RANDOM	      ? 29
				      : len % 4 == 3 && first ? 1
							      : 7;

			fill(span, SPAN,
			     len % 3 == 0   ? ZEROS
			     : len % 3 == 1 ? RANDOM
					    : TEXT);
			plant_everywhere(pf, &a, span, step);
			prefilter_free(pf);
		}
	}
	free(span);
}

/* All lengths and contents in one filter, as a rule set is. */
static void many_together(void **state)
{
	enum { N = (ATOM_BYTES - ATOM_MIN + 1) * CONTENTS };
	static struct atom atoms[N];
	uint8_t *span = aligned_span();
	struct prefilter *pf;

	(void)state;
	for (size_t i = 0; i < N; i++)
		atoms[i] = make_atom((uint8_t)(ATOM_MIN + i / CONTENTS),
				     (enum filling)(i % CONTENTS));
	pf = make_filter(atoms, N);
	fill(span, SPAN, RANDOM);
	for (size_t i = random_below(3); i < N; i += 3)
		plant_everywhere(pf, &atoms[i], span, 293);
	prefilter_free(pf);
	free(span);
}

/* Only long ones, only those of 8-byte windows, and both: the groups change
 * with the company. */
static void the_company_does_not_matter(void **state)
{
	static const uint8_t lengths[][4] = {
		{ 11, 12, 14, 48 }, { 11, 15, 23, 13 }, { 31, 48, 40, 32 },
		{ 23, 24, 31, 48 }, { 15, 16, 17, 22 }, { 15, 23, 22, 48 },
		{ 7, 8, 14, 48 },   { 4, 5, 6, 23 },	{ 3, 3, 4, 48 },
	};
	uint8_t *span = aligned_span();

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / 4; i++) {
		struct atom atoms[4];
		struct prefilter *pf;

		for (size_t k = 0; k < 4; k++)
			atoms[k] =
				make_atom(lengths[i][k], k % 2 ? HIGH : RANDOM);
		pf = make_filter(atoms, 4);
		fill(span, SPAN, TEXT);
		for (size_t k = 0; k < 4; k++)
			plant_everywhere(pf, &atoms[k], span, 3);
		prefilter_free(pf);
	}
	free(span);
}

/* A hash's padding: a byte at @first, zeros, and the length from @last on; 48:
 * without it. */
static struct atom make_padding(unsigned first, unsigned last)
{
	struct atom a = { .len = 48, .where = 1, .before = 2, .after = 50 };

	if (first < 48)
		a.bytes[first] = 0x80;
	if (last < 47) {
		a.bytes[last] = 0x06;
		a.bytes[last + 1] = 0x20;
	}
	return a;
}

/* Zeros with as much beside them as there can be: @before bytes and the rest
 * of nine. */
static struct atom make_sides(unsigned before)
{
	struct atom a = { .len = 48, .where = 1, .before = 2, .after = 50 };

	for (unsigned i = 0; i < 9; i++)
		a.bytes[i < before ? i : 39 + i] = (uint8_t)(0x80 + i);
	return a;
}

/* Each alone, all together, and with company whose windows count zeros, over
 * every offset; in other content, in zeros, and in nearly nothing else. */
static void paddings_are_met_everywhere(void **state)
{
	static const enum filling around[] = { RANDOM, TEXT, SPARSE, ZEROS };
	const struct atom a[] = {
		make_padding(3, 44),   make_padding(0, 45),
		make_padding(7, 46),   make_padding(5, 48),
		make_padding(48, 43),  make_sides(0),
		make_sides(1),	       make_sides(8),
		make_sides(9),	       make_atom(20, RANDOM),
		make_atom(33, RANDOM),
	};
	enum { N = sizeof(a) / sizeof(a[0]) - 2 };
	uint8_t *span = aligned_span();

	(void)state;
	for (size_t i = 0; i < 4 * N; i++) {
		const struct atom *one = &a[i % N];
		struct prefilter *alone = make_filter(one, 1);
		struct prefilter *together = make_filter(a, N);
		struct prefilter *company = make_filter(a, N + 2);

		fill(span, SPAN, around[i / N]);
		plant_everywhere(alone, one, span, 1);
		plant_everywhere(together, one, span, 1);
		plant_everywhere(company, one, span, 1);
		prefilter_free(alone);
		prefilter_free(together);
		prefilter_free(company);
	}
	free(span);
}

/* Random filters over random bytes of a small alphabet, where atoms stand by
 * chance, overlap and straddle: whatever the twin finds is marked. */
static void against_the_twin(void **state)
{
	enum { N = 24 };
	uint8_t *span = aligned_span();
	size_t n_found = 0;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct prefilter_mark mark[3];
		struct atom atoms[N];
		struct prefilter *pf;

		for (size_t i = 0; i < SPAN; i++)
			span[i] = (uint8_t)(random_below(3) * 0x7f);
		for (size_t i = 0; i < N; i++) {
			uint8_t len = (uint8_t)(ATOM_MIN + random_below(12));
			size_t from = random_below(SPAN - ATOM_BYTES);

			atoms[i] = make_atom(len, ZEROS);
			memcpy(atoms[i].bytes, span + from, len);
		}
		pf = make_filter(atoms, N);
		for (size_t p = 0; p < 3; p++)
			mark[p] = prefilter_page(pf, span + p * FLOW_PAGE);
		for (size_t i = 0; i < N; i++)
			for (size_t at = 0; at + atoms[i].len <= SPAN; at++) {
				if (!stands_at(span, &atoms[i], at))
					continue;
				n_found++;
				assert_true(is_marked(mark, &atoms[i], at));
			}
		prefilter_free(pf);
	}
	assert_true(n_found > 60 * N);
	free(span);
}

/* Too much marked costs time: pages of random bytes and of text, with 200
 * atoms of 8 bytes and more, are hardly ever marked; a page that is marked
 * is so around the atom only. */
static void false_marks_are_few(void **state)
{
	enum { N = 200, PAGES = 2000 };
	static struct atom atoms[N];
	uint8_t *span = aligned_span();
	size_t n_marked = 0;
	struct prefilter *pf;

	(void)state;
	for (size_t i = 0; i < N; i++)
		atoms[i] =
			make_atom((uint8_t)(8 + i % 41), i % 2 ? RANDOM : TEXT);
	pf = make_filter(atoms, N);
	for (size_t i = 0; i < PAGES; i++) {
		fill(span, FLOW_PAGE, i % 2 ? RANDOM : TEXT);
		n_marked += prefilter_page(pf, span).where != 0;
	}
	/* Of the shortest, four bytes at a page's end are enough. */
	assert_in_range(n_marked, 0, 5);
	prefilter_free(pf);
	free(span);
}

static void short_atoms_mark_some_edges_only(void **state)
{
	enum { N = 20, PAGES = 4000 };
	struct atom atoms[N];
	uint8_t *span = aligned_span();
	size_t n_marked = 0;
	struct prefilter *pf;

	(void)state;
	for (size_t i = 0; i < N; i++)
		atoms[i] = make_atom(4, RANDOM);
	pf = make_filter(atoms, N);
	for (size_t i = 0; i < PAGES; i++) {
		fill(span, FLOW_PAGE, RANDOM);
		n_marked += prefilter_page(pf, span).where != 0;
	}
	/* 60 of 65536 pairs at two edges; 4096 places, 20 of 2^32 values */
	assert_true(n_marked < PAGES / 50);
	prefilter_free(pf);
	free(span);
}

static void a_mark_is_as_narrow_as_its_atom(void **state)
{
	uint8_t *page = aligned_span();
	struct atom a = make_atom(30, RANDOM);
	struct prefilter *pf = make_filter(&a, 1);

	(void)state;
	for (size_t at = 0; at + 30 <= FLOW_PAGE; at += 7) {
		struct prefilter_mark mark;

		memset(page, 0x11, FLOW_PAGE);
		memcpy(page + at, a.bytes, 30);
		mark = prefilter_page(pf, page);
		assert_int_equal(mark.start, (int)at - a.before);
		assert_int_equal(mark.end, (int)at + a.after);
		assert_int_equal(mark.where, a.where);
		/* All but one byte of it is not it. */
		page[at + random_below(30)] ^= 0x20;
		assert_int_equal(prefilter_page(pf, page).where, 0);
	}
	prefilter_free(pf);
	free(page);
}

static void two_atoms_make_one_wide_mark(void **state)
{
	uint8_t *page = aligned_span();
	struct atom a[2] = { make_atom(25, RANDOM), make_atom(9, HIGH) };
	struct prefilter *pf = make_filter(a, 2);
	struct prefilter_mark mark;

	(void)state;
	a[0].where = 1;
	memset(page, 0, FLOW_PAGE);
	memcpy(page + 3000, a[0].bytes, 25);
	memcpy(page + 100, a[1].bytes, 9);
	mark = prefilter_page(pf, page);
	assert_int_equal(mark.start, 100 - a[1].before);
	assert_int_equal(mark.end, 3000 + a[0].after);
	prefilter_free(pf);
	free(page);
}

/* What was found out about a frame holds wherever it is mapped: next to the
 * rest of the atom, and next to anything else. */
static void the_neighbours_do_not_matter(void **state)
{
	uint8_t *span = aligned_span(), *page = span + FLOW_PAGE;

	(void)state;
	for (uint8_t len = ATOM_MIN; len <= ATOM_BYTES; len++) {
		struct atom a = make_atom(len, RANDOM);
		struct prefilter *pf = make_filter(&a, 1);

		for (int at = 1 - len; at < FLOW_PAGE; at++) {
			struct prefilter_mark with, without;

			if (at == 1)
				at = FLOW_PAGE - len + 1;
			memset(span, 0x55, SPAN);
			memcpy(page + at, a.bytes, len);
			with = prefilter_page(pf, page);
			memset(span, 0xaa, FLOW_PAGE);
			memset(page + FLOW_PAGE, 0xaa, FLOW_PAGE);
			without = prefilter_page(pf, page);
			assert_int_equal(with.start, without.start);
			assert_int_equal(with.end, without.end);
			assert_int_equal(with.where, without.where);
		}
		prefilter_free(pf);
	}
	free(span);
}

/* No byte behind the page is read: ASan sees it, or the page fault does. */
static void only_the_page_is_read(void **state)
{
	uint8_t *page = malloc(FLOW_PAGE);
	struct atom a[5];
	struct prefilter *pf;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		a[i] = make_atom((uint8_t)(i == 4 ? 48 : 3 + 5 * i), SAME);
	pf = make_filter(a, 5);
	for (int c = 0; c < 256; c++) {
		memset(page, c, FLOW_PAGE);
		prefilter_page(pf, page);
	}
	prefilter_free(pf);
	free(page);
}

static void no_atoms_mark_nothing(void **state)
{
	static const uint8_t page[FLOW_PAGE];
	struct prefilter *pf = make_filter(NULL, 0);
	char text[64] = "?";

	(void)state;
	assert_int_equal(prefilter_page(pf, page).where, 0);
	prefilter_describe(pf, text, sizeof(text));
	assert_string_equal(text, "");
	prefilter_free(pf);
	prefilter_free(NULL);
}

static void bad_lengths_are_refused(void **state)
{
	static const uint8_t bad[] = { 0, 1, 2, ATOM_BYTES + 1, 255 };
	struct prefilter *pf = NULL;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad); i++) {
		struct atom a[2] = { make_atom(9, RANDOM) };

		a[1].len = bad[i];
		assert_int_equal(prefilter_new(a, 2, &pf, &why), -EINVAL);
		assert_null(pf);
		assert_non_null(strstr(why.text, "atom 1"));
		assert_int_equal(prefilter_new(a, 2, &pf, NULL), -EINVAL);
	}
}

/* What has no window of 4 bytes every 8 that tells anything goes together. */
static void what_is_left_shares_a_group(void **state)
{
	struct atom a[3] = { make_atom(11, RANDOM), make_atom(32, RANDOM),
			     make_atom(48, RANDOM) };
	struct prefilter *pf;
	char text[256];

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		if (i % 8 >= 4)
			a[1].bytes[i] = 0;
	for (uint8_t i = 0; i < 48; i++)
		a[2].bytes[i] = i % 8 ? 0xaa : 0xa0 + i / 8;
	pf = make_filter(a, 3);
	prefilter_describe(pf, text, sizeof(text));
	assert_string_equal(text, "2 by 6-byte windows every 18 bytes, "
				  "1 by 4-byte windows every 8 bytes");
	prefilter_free(pf);
}

static void the_description_fits(void **state)
{
	struct atom a[5] = { make_atom(48, RANDOM), make_atom(16, RANDOM),
			     make_atom(4, RANDOM), make_atom(3, RANDOM),
			     make_padding(3, 44) };
	struct prefilter *pf = make_filter(a, 5);
	char text[256];

	(void)state;
	prefilter_describe(pf, text, sizeof(text));
	assert_string_equal(text,
			    kernel_used()->teddy
				    ? "2 by 6-byte windows every 10 bytes, "
				      "2 by Teddy at every byte, "
				      "1 beside zeros in a row"
				    : "2 by 6-byte windows every 10 bytes, "
				      "1 by 4-byte windows every 1 bytes, "
				      "1 by 3-byte windows every 1 bytes, "
				      "1 beside zeros in a row");
	for (size_t cap = 1; cap < 200; cap++) {
		char *small = malloc(cap);

		prefilter_describe(pf, small, cap);
		assert_true(strlen(small) < cap);
		free(small);
	}
	prefilter_free(pf);
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
		cmocka_unit_test(each_alone_at_every_offset),
		cmocka_unit_test(many_together),
		cmocka_unit_test(the_company_does_not_matter),
		cmocka_unit_test(paddings_are_met_everywhere),
		cmocka_unit_test(against_the_twin),
		cmocka_unit_test(false_marks_are_few),
		cmocka_unit_test(short_atoms_mark_some_edges_only),
		cmocka_unit_test(a_mark_is_as_narrow_as_its_atom),
		cmocka_unit_test(two_atoms_make_one_wide_mark),
		cmocka_unit_test(the_neighbours_do_not_matter),
		cmocka_unit_test(only_the_page_is_read),
		cmocka_unit_test(no_atoms_mark_nothing),
		cmocka_unit_test(bad_lengths_are_refused),
		cmocka_unit_test(what_is_left_shares_a_group),
		cmocka_unit_test(the_description_fits),
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
				  : cmocka_run_group_tests(tests, NULL, NULL);
	}
	return failed;
}
