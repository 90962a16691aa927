/* prefilter.c - where in a page could a rule's string be? */
#include <string.h>
#include "prefilter_own.h"

static void widen(struct prefilter_mark *mark, int32_t start, int32_t end,
		  uint8_t where)
{
	if (!mark->where || start < mark->start)
		mark->start = start;
	if (!mark->where || end > mark->end)
		mark->end = end;
	mark->where |= where;
}

/* Do the atom's bytes stand at @start of the page, as far as they lie in it?
 * What lies in the neighbour is not known here, so it counts as equal. */
static bool stands(const struct atom *a, const uint8_t *page, int32_t start)
{
	int32_t from = start < 0 ? -start : 0;
	int32_t to = start + a->len > FLOW_PAGE ? FLOW_PAGE - start : a->len;

	return !memcmp(page + start + from, a->bytes + from,
		       (size_t)(to - from));
}

/* Which atoms, if any, have this window, and do they stand here? */
static void verify(const struct prefilter *pf, const struct prefilter_table *t,
		   const uint8_t *page, size_t at, uint64_t window,
		   struct prefilter_mark *mark)
{
	uint64_t b = kernel_hash(window) >> 52;

	for (uint32_t i = t->bucket[b]; i < t->bucket[b + 1]; i++) {
		const struct prefilter_entry *e = &t->entries[i];
		const struct atom *a = &pf->atoms[e->atom];
		int32_t start = (int32_t)at - (int32_t)e->offset;

		if (e->window == window && stands(a, page, start))
			widen(mark, start - a->before, start + a->after,
			      a->where);
	}
}

/* The windows of a block in which some window's bit is set. */
static void verify_block(const struct prefilter *pf, size_t g,
			 const uint8_t *page, size_t at,
			 struct prefilter_mark *mark)
{
	const struct kernel_group *k = &kernel_groups[g];
	const struct prefilter_table *t = &pf->table[g];
	size_t end = at + KERNEL_BLOCK;

	for (; at < end && at + k->width <= FLOW_PAGE; at += k->stride) {
		uint64_t w = kernel_window(page + at, k->width);
		uint64_t h = kernel_hash(w);

		if (t->bits[h >> t->look.shift] >> (h & 31) & 1)
			verify(pf, t, page, at, w, mark);
	}
}

/* The window that lies half in this page, by its first half. */
static void look_at_tail(const struct prefilter *pf, size_t g,
			 const uint8_t *page, struct prefilter_mark *mark)
{
	const struct prefilter_table *t = &pf->table[g];
	const unsigned half = kernel_groups[g].stride;
	const size_t at = FLOW_PAGE - half;
	uint64_t w = kernel_window(page + at, half), h = kernel_hash(w);

	if (!(t->tail[h >> TAIL_SHIFT] >> (h & 31) & 1))
		return;
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct prefilter_entry *e = &t->entries[i];
		const struct atom *a = &pf->atoms[e->atom];
		int32_t start = (int32_t)at - (int32_t)e->offset;

		if (!memcmp(&e->window, &w, half) && stands(a, page, start))
			widen(mark, start - a->before, start + a->after,
			      a->where);
	}
}

static bool has_pair(const uint8_t *bits, const uint8_t *two)
{
	unsigned v = (unsigned)(two[0] | two[1] << 8);

	return bits[v / 8] >> v % 8 & 1;
}

static void look_at_edges(const struct prefilter *pf, const uint8_t *page,
			  struct prefilter_mark *mark)
{
	if (has_pair(pf->tail, page + FLOW_PAGE - 2))
		widen(mark, FLOW_PAGE - pf->straddle_before,
		      FLOW_PAGE + pf->straddle_after, pf->straddle_where);
	if (has_pair(pf->head, page))
		widen(mark, -pf->straddle_before, pf->straddle_after,
		      pf->straddle_where);
}

struct prefilter_mark prefilter_page(const struct prefilter *pf,
				     const uint8_t page[static FLOW_PAGE])
{
	const struct kernel *kernel = kernel_used();
	struct prefilter_mark mark = { 0 };

	for (size_t g = 0; g < GROUPS; g++) {
		uint64_t blocks;

		if (!pf->table[g].bits)
			continue;
		blocks = kernel->look[g](&pf->table[g].look, page);
		for (; blocks; blocks &= blocks - 1)
			verify_block(pf, g, page,
				     (size_t)__builtin_ctzll(blocks) *
					     KERNEL_BLOCK,
				     &mark);
		if (pf->table[g].tail)
			look_at_tail(pf, g, page, &mark);
	}
	if (pf->straddles)
		look_at_edges(pf, page, &mark);
	return mark;
}

void prefilter_describe(const struct prefilter *pf, char *ret, size_t cap)
{
	size_t at = 0;

	ret[0] = '\0';
	for (size_t g = 0; g < GROUPS && at < cap; g++)
		if (pf->table[g].n_atoms)
			at += (size_t)snprintf(
				ret + at, cap - at,
				"%s%zu by %u-byte windows every %u bytes",
				at ? ", " : "", pf->table[g].n_atoms,
				kernel_groups[g].width,
				kernel_groups[g].stride);
}
