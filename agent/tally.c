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
	uint32_t (*seen)[HASHSET_KINDS]; /* per binary, HASHSET_REF_KIND() */
	uint32_t *seen_code;		 /* of the pages, per binary */
};

int tally_new(const struct hashset *set, struct tally **ret)
{
	struct tally *t = calloc(1, sizeof(*t));
	size_t pages = set ? hashset_n_pages(set) : 0;
	size_t binaries = set ? hashset_n_binaries(set) : 0;

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

double tally_pages(const struct share *s)
{
	return (double)s->seen / s->n_pages;
}

double tally_fragments(const struct share *s)
{
	return s->n_fragments ? (double)s->seen_fragments / s->n_fragments : 0;
}

/* What is the very binary shows all of both. */
static double rank(const struct share *s)
{
	return tally_pages(s) + tally_fragments(s);
}

static int by_seen(const void *a, const void *b)
{
	const struct share *x = a, *y = b;
	double p = rank(x), q = rank(y);

	if (p > q || p < q)
		return p > q ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Room for one more of the family of @s: the worst of too many goes.  False:
 * @s is worse. */
static bool make_room(struct share *ret, size_t *n, const struct share *s)
{
	size_t of_family = 0, worst = 0;

	for (size_t i = 0; i < *n; i++)
		if (!strcmp(ret[i].family, s->family)) {
			of_family++;
			worst = i;
		}
	if (of_family < TALLY_VERSIONS)
		return true;
	if (by_seen(s, &ret[worst]) >= 0)
		return false;
	memmove(&ret[worst], &ret[worst + 1],
		(--*n - worst) * sizeof(*ret));
	return true;
}

/* Keeps the @cap best of those inserted in @ret, in order. */
static size_t insert(struct share *ret, size_t n, size_t cap,
		     const struct share *s)
{
	if (!make_room(ret, &n, s))
		return n;
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
			t->seen_code[b] += kind == HASHSET_PAGE &&
					   t->pages[t->touched[i]] & CODE;
		}
	}
}

size_t tally_shares(struct tally *t, struct share *ret, size_t cap)
{
	size_t binaries, n = 0;

	if (!t->n_touched)
		return 0;
	binaries = hashset_n_binaries(t->set);
	count_pages(t);
	for (uint32_t b = 0; b < binaries; b++) {
		struct hashset_binary known = hashset_binary(t->set, b);
		struct share s = { .family = known.family,
				   .name = known.name,
				   .version = known.version,
				   .n_pages = known.n_pages,
				   .n_fragments = known.n_fragments };

		s.seen = t->seen[b][HASHSET_PAGE];
		s.seen_code = t->seen_code[b];
		s.seen_fragments = t->seen[b][HASHSET_FRAGMENT];
		if (s.seen || s.seen_fragments)
			n = insert(ret, n, cap, &s);
		memset(t->seen[b], 0, sizeof(t->seen[b]));
		t->seen_code[b] = 0;
	}
	return n;
}

void tally_reset(struct tally *t)
{
	for (size_t i = 0; i < t->n_touched; i++)
		t->pages[t->touched[i]] = 0;
	t->n_touched = 0;
}
