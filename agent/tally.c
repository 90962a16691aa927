/* tally.c - which known binaries' pages did one process show? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "tally.h"

enum { SEEN = 1, CODE = 2 };

struct tally {
	const struct hashset *set;
	uint8_t *pages;	   /* per page of the set: SEEN, CODE */
	uint32_t *touched; /* pages that are not 0 */
	size_t n_touched;
	/* Per binary and HASHSET_REF_KIND(). */
	uint32_t (*seen)[HASHSET_KINDS], (*seen_code)[HASHSET_KINDS];
};

int tally_new(const struct hashset *set, struct tally **ret)
{
	struct tally *t = calloc(1, sizeof(*t));
	size_t pages = hashset_n_pages(set);
	size_t binaries = hashset_n_binaries(set);

	if (!t)
		return -ENOMEM;
	t->set = set;
	t->pages = calloc(pages + 1, 1);
	t->touched = calloc(pages + 1, sizeof(*t->touched));
	t->seen = calloc(binaries + 1, sizeof(*t->seen));
	t->seen_code = calloc(binaries + 1, sizeof(*t->seen_code));
	if (!t->pages || !t->touched || !t->seen || !t->seen_code) {
		tally_free(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	free(t->pages);
	free(t->touched);
	free(t->seen);
	free(t->seen_code);
	free(t);
}

void tally_add(struct tally *t, uint32_t number, bool code)
{
	if (!t->pages[number])
		t->touched[t->n_touched++] = number;
	t->pages[number] |= (uint8_t)(SEEN | (code ? CODE : 0));
}

double tally_share(const struct share *s)
{
	double pages = (double)s->seen / s->n_pages;
	double rolls = s->n_rolls ? (double)s->seen_rolls / s->n_rolls : 0;

	return pages > rolls ? pages : rolls;
}

static int by_seen(const void *a, const void *b)
{
	const struct share *x = a, *y = b;
	double p = tally_share(x), q = tally_share(y);

	if (p > q || p < q)
		return p > q ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Keeps the @cap best of those inserted in @ret, in order. */
static size_t insert(struct share *ret, size_t n, size_t cap,
		     const struct share *s)
{
	if (n == cap && (n == 0 || by_seen(s, &ret[n - 1]) >= 0))
		return n;
	if (n < cap)
		n++;
	ret[n - 1] = *s;
	for (size_t i = n - 1; i && by_seen(&ret[i], &ret[i - 1]) < 0; i--) {
		struct share swap = ret[i];

		ret[i] = ret[i - 1];
		ret[i - 1] = swap;
	}
	return n;
}

static void count_pages(struct tally *t)
{
	for (size_t i = 0; i < t->n_touched; i++) {
		const uint32_t *refs;
		size_t n = hashset_refs(t->set, t->touched[i], &refs);

		for (size_t k = 0; k < n; k++) {
			uint32_t b = HASHSET_REF_BINARY(refs[k]);
			uint32_t kind = HASHSET_REF_KIND(refs[k]);

			if (b >= hashset_n_binaries(t->set) ||
			    kind >= HASHSET_KINDS)
				continue; /* changed under us */
			t->seen[b][kind]++;
			if (t->pages[t->touched[i]] & CODE)
				t->seen_code[b][kind]++;
		}
	}
}

/* A copy shows the digests of one phase, that of where it begins. */
static void fill_rolls(const struct tally *t, uint32_t b,
		       const struct hashset_binary *known, struct share *s)
{
	for (int k = 0; k < 4; k++) {
		uint32_t seen = t->seen[b][k + 1];

		if (seen <= s->seen_rolls || !known->n_rolls[k])
			continue;
		s->seen_rolls = seen;
		s->seen_rolls_code = t->seen_code[b][k + 1];
		s->n_rolls = known->n_rolls[k];
	}
}

size_t tally_shares(struct tally *t, struct share *ret, size_t cap)
{
	size_t binaries = hashset_n_binaries(t->set), n = 0;

	if (!t->n_touched)
		return 0;
	count_pages(t);
	for (uint32_t b = 0; b < binaries; b++) {
		struct hashset_binary known = hashset_binary(t->set, b);
		struct share s = { .family = known.family,
				   .name = known.name,
				   .version = known.version,
				   .n_pages = known.n_pages,
				   .seen = t->seen[b][0],
				   .seen_code = t->seen_code[b][0] };

		fill_rolls(t, b, &known, &s);
		if (s.seen || s.seen_rolls)
			n = insert(ret, n, cap, &s);
		memset(t->seen[b], 0, sizeof(t->seen[b]));
		memset(t->seen_code[b], 0, sizeof(t->seen_code[b]));
	}
	return n;
}

void tally_reset(struct tally *t)
{
	for (size_t i = 0; i < t->n_touched; i++)
		t->pages[t->touched[i]] = 0;
	t->n_touched = 0;
}
