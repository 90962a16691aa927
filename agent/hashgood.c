/* hashgood.c - an array of digests that is sorted when someone asks, or when
 * it is full: much of /usr is in it twice, so that sorting often frees room
 * and memory follows the distinct pages. */
#include <stdlib.h>
#include <string.h>
#include "flow.h"
#include "hashformat.h"
#include "hashgood.h"
#include "hashutil.h"

#define CONSTANTS 256 /* pages of one byte: in from the start */

struct hashgood {
	struct digest *digests;
	size_t n, n_sorted, cap;
};

static int compare(const void *a, const void *b)
{
	return hashformat_compare(*(const struct digest *)a,
				  *(const struct digest *)b);
}

static void sort(struct hashgood *g)
{
	size_t n = 0;

	if (g->n_sorted == g->n)
		return;
	qsort(g->digests, g->n, sizeof(*g->digests), compare);
	for (size_t i = 0; i < g->n; i++)
		if (n == 0 || compare(&g->digests[n - 1], &g->digests[i]) != 0)
			g->digests[n++] = g->digests[i];
	g->n = g->n_sorted = n;
}

static int add(struct hashgood *g, struct digest d)
{
	void *digests = g->digests;
	int error;

	if (g->n == g->cap) {
		sort(g);
		/* Half empty or larger: not to sort again for a few pages. */
		if (g->n > g->cap / 2 && g->cap < HASHGOOD_MAX) {
			error = hashutil_room(&digests, &g->cap, g->cap,
					      HASHGOOD_MAX, sizeof(d));
			if (error)
				return error;
			g->digests = digests;
		}
		if (g->n == g->cap)
			return -E2BIG;
	}
	g->digests[g->n++] = d;
	return 0;
}

struct hashgood *hashgood_new(void)
{
	struct hashgood *g = hashutil_realloc(NULL, 1, sizeof(*g));
	uint8_t page[FLOW_PAGE];

	*g = (struct hashgood){ 0 };
	g->cap = 4096;
	g->digests = hashutil_realloc(NULL, g->cap, sizeof(*g->digests));
	for (int byte = 0; byte < CONSTANTS; byte++) {
		memset(page, byte, sizeof(page));
		add(g, hashset_digest(page));
	}
	return g;
}

void hashgood_free(struct hashgood *g)
{
	if (!g)
		return;
	free(g->digests);
	free(g);
}

int hashgood_add(struct hashgood *g, const struct digestlist *list)
{
	int error = 0;

	for (size_t i = 0; i < list->n_pages && !error; i++)
		error = add(g, list->pages[i].digest);
	for (size_t i = 0; i < list->n_fragments && !error; i++)
		error = add(g, list->fragments[i].digest);
	return error;
}

bool hashgood_has(struct hashgood *g, struct digest d)
{
	sort(g);
	return bsearch(&d, g->digests, g->n, sizeof(d), compare) != NULL;
}

size_t hashgood_subtract(struct hashgood *g, struct digestlist *list)
{
	size_t n = 0, n_fragments = 0, before = list->n_pages;

	for (size_t i = 0; i < before; i++)
		if (!hashgood_has(g, list->pages[i].digest))
			list->pages[n++] = list->pages[i];
	list->n_pages = n;
	for (size_t i = 0; i < list->n_fragments; i++)
		if (!hashgood_has(g, list->fragments[i].digest))
			list->fragments[n_fragments++] = list->fragments[i];
	list->n_fragments = n_fragments;
	return before - n;
}

size_t hashgood_count(struct hashgood *g)
{
	sort(g);
	return g->n - CONSTANTS;
}
