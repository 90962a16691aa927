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

bool prefilter_stands(const struct atom *a, const uint8_t *p, size_t from,
		      size_t to)
{
	if (!a->nocase)
		return !memcmp(p + from, a->bytes + from, to - from);
	for (; from < to; from++)
		if (atom_lower(p[from]) != a->bytes[from])
			return false;
	return true;
}

/* Do they stand at @start of the page, as far as they lie in it?  What lies in
 * the neighbour is not known here, so it counts as equal. */
static bool stands(const struct atom *a, const uint8_t *page, int32_t start)
{
	int32_t from = start < 0 ? -start : 0;
	int32_t to = start + a->len > FLOW_PAGE ? FLOW_PAGE - start : a->len;

	return prefilter_stands(a, page + start, (size_t)from, (size_t)to);
}

/* Which atoms, if any, have the window at @at, and do they stand here? */
static void verify(const struct prefilter *pf, const struct prefilter_table *t,
		   const uint8_t *page, size_t at, uint64_t hash,
		   struct prefilter_mark *mark)
{
	uint64_t b = hash >> 52;

	for (uint32_t i = t->bucket[b]; i < t->bucket[b + 1]; i++) {
		const struct prefilter_entry *e = &t->entries[i];
		const struct atom *a = &pf->atoms[e->atom];
		int32_t start = (int32_t)at - (int32_t)e->offset;

		if (e->hash == hash && stands(a, page, start))
			widen(mark, start - a->before, start + a->after,
			      a->where);
	}
}

/* Those windows of [from, to) that have their bits set, a bit each.  Which do
 * no branch could foretell. */
static uint64_t windows_set(const struct prefilter_table *t,
			    const struct kernel_group *k, const uint8_t *page,
			    size_t from, size_t to)
{
	const unsigned width = k->width;
	uint64_t set = 0;

	if (to > FLOW_PAGE - width + 1)
		to = FLOW_PAGE - width + 1;
	for (unsigned i = 0; from < to; from += k->stride, i++) {
		uint64_t w = kernel_window(page + from, width);
		uint32_t word = t->bits[kernel_hash(w, width) >> t->look.shift];

		set |= (uint64_t) !(kernel_bits(w, width) & ~word) << i;
	}
	return set;
}

/* A block's windows, or a part of them.  Most have them by chance. */
static void verify_block(const struct prefilter *pf, size_t g,
			 const uint8_t *page, size_t from, size_t to,
			 struct prefilter_mark *mark)
{
	const struct kernel_group *k = &kernel_groups[g];
	const struct prefilter_table *t = &pf->table[g];
	uint64_t set = windows_set(t, k, page, from, to);

	for (; set; set &= set - 1) {
		size_t at = from + (size_t)__builtin_ctzll(set) * k->stride;
		uint64_t w = kernel_window(page + at, k->width);
		uint64_t h = kernel_hash(w, k->width);
		size_t bit = prefilter_sieve_bit(h);

		if (t->sieve[bit / 64] >> bit % 64 & 1)
			verify(pf, t, page, at, h, mark);
	}
}

static void look_at_group(const struct prefilter *pf, size_t g,
			  const uint8_t *page, struct prefilter_mark *mark)
{
	const size_t size = kernel_groups[g].block;
	uint64_t blocks = kernel_used()->look[g](&pf->table[g].look, page);

	for (; blocks; blocks &= blocks - 1) {
		size_t from = size * (size_t)__builtin_ctzll(blocks);

		verify_block(pf, g, page, from, from + size, mark);
	}
}

/* The groups with a window at every offset, both at once; but for the last
 * window of 3 bytes, which is none of 4. */
static void look_by_teddy(const struct prefilter *pf, const uint8_t *page,
			  struct prefilter_mark *mark)
{
	uint64_t blocks = kernel_used()->teddy(&pf->teddy, page);

	for (; blocks; blocks &= blocks - 1) {
		size_t from = 64 * (size_t)__builtin_ctzll(blocks);

		for (size_t g = GROUP_STRIDED + 1; g < KERNEL_GROUPS; g++)
			if (pf->table[g].bits)
				verify_block(pf, g, page, from, from + 64,
					     mark);
	}
	if (pf->table[GROUP_EVERY_3].bits)
		verify_block(pf, GROUP_EVERY_3, page, FLOW_PAGE - 3, FLOW_PAGE,
			     mark);
}

static bool has_pair(const uint8_t *bits, uint8_t first, uint8_t second)
{
	unsigned v = (unsigned)(first | second << 8);

	return bits[v / 8] >> v % 8 & 1;
}

static void look_at_edges(const struct prefilter *pf, const uint8_t *page,
			  struct prefilter_mark *mark)
{
	if (has_pair(pf->tail, page[FLOW_PAGE - 2], page[FLOW_PAGE - 1]))
		widen(mark, FLOW_PAGE - pf->straddle_before,
		      FLOW_PAGE + pf->straddle_after, pf->straddle_where);
	if (has_pair(pf->head, page[0], page[1]))
		widen(mark, -pf->straddle_before, pf->straddle_after,
		      pf->straddle_where);
}

/* The windows of GROUP_ZEROS that begin in [from, to), within the page; most
 * are none's. */
static void look_for_zeros(const struct prefilter *pf, const uint8_t *page,
			   size_t from, size_t to, struct prefilter_mark *mark)
{
	const size_t end = FLOW_PAGE - ZEROS_WIDTH + 1;
	const struct prefilter_table *t = &pf->table[GROUP_ZEROS];
	const struct kernel_table look = t->look;

	from = (from + ZEROS_STRIDE - 1) / ZEROS_STRIDE * ZEROS_STRIDE;
	to = to < end ? to : end;
	for (; from < to; from += ZEROS_STRIDE) {
		uint64_t w = kernel_window(page + from, ZEROS_WIDTH);
		uint64_t h = kernel_hash(w, ZEROS_WIDTH);

		if (look.bits[h >> look.shift] >> (w & 31) & 1)
			verify(pf, t, page, from, h, mark);
	}
}

/* Paddings.  They have pf->zero_run zeros in a row, of which a whole word lies
 * at a multiple of 32, and what tells anything lies close beside them: in
 * windows that end behind the last one or begin before the first.  Of one
 * across pages either may show fewer zeros, then up to its edge; or none, then
 * what is beside them up to its edge, and of so few bytes that is one window.
 */
static void look_at_zeros(const struct prefilter *pf, const uint8_t *page,
			  struct prefilter_mark *mark)
{
	const size_t beside = ATOM_BYTES - ZERO_RUN;
	const size_t last = FLOW_PAGE - ZEROS_WIDTH;

	_Static_assert(ATOM_BYTES - ZERO_RUN < ZEROS_WIDTH + ZEROS_STRIDE,
		       "two windows beside the zeros");
	look_for_zeros(pf, page, 0, page[0] ? 1 : EDGE, mark);
	look_for_zeros(pf, page, page[FLOW_PAGE - 1] ? last : FLOW_PAGE - EDGE,
		       FLOW_PAGE, mark);
	if (!kernel_used()->has_zeros(page))
		return;
	for (size_t i = 0; i < FLOW_PAGE; i += 32) {
		size_t from = i, to = i + 8;

		if (kernel_window(page + i, 8))
			continue;
		while (from && !page[from - 1])
			from--;
		while (to < FLOW_PAGE && !kernel_window(page + to, 8))
			to += 8;
		while (to < FLOW_PAGE && !page[to])
			to++;
		i = to / 32 * 32;
		if (to - from < pf->zero_run)
			continue;
		look_for_zeros(pf, page, from > beside ? from - beside : 0,
			       from, mark);
		look_for_zeros(pf, page, to - 7, to + beside, mark);
	}
}

static bool has_teddy(const struct prefilter *pf)
{
	return pf->use_teddy && kernel_used()->teddy;
}

struct prefilter_mark prefilter_page(const struct prefilter *pf,
				     const uint8_t page[static FLOW_PAGE])
{
	struct prefilter_mark mark = { 0 };
	bool teddy = has_teddy(pf);

	for (size_t g = 0; g < KERNEL_GROUPS; g++)
		if (pf->table[g].bits && !(teddy && g > GROUP_STRIDED))
			look_at_group(pf, g, page, &mark);
	if (teddy)
		look_by_teddy(pf, page, &mark);
	if (pf->table[GROUP_ZEROS].bits)
		look_at_zeros(pf, page, &mark);
	if (pf->straddles)
		look_at_edges(pf, page, &mark);
	return mark;
}

void prefilter_describe(const struct prefilter *pf, char *ret, size_t cap)
{
	size_t at = 0;

	ret[0] = '\0';
	for (size_t g = 0; g < GROUPS && at < cap; g++) {
		const struct kernel_group *k = prefilter_group(g);
		const char *comma = at ? ", " : "";
		size_t n = pf->table[g].n_atoms, left = cap - at;

		if (g == GROUP_EVERY_4 && has_teddy(pf))
			at += (size_t)snprintf(
				ret + at, left, "%s%zu by Teddy at every byte",
				comma, n + pf->table[GROUP_EVERY_3].n_atoms);
		else if (g == GROUP_EVERY_3 && has_teddy(pf))
			continue;
		else if (n && g == GROUP_ZEROS)
			at += (size_t)snprintf(ret + at, left,
					       "%s%zu beside zeros in a row",
					       comma, n);
		else if (n)
			at += (size_t)snprintf(
				ret + at, left,
				"%s%zu by %u-byte windows every %u bytes",
				comma, n, k->width, k->stride);
	}
}
