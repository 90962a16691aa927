/* prefilter.c - where in a page could a rule's string be? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "kernel.h"
#include "prefilter.h"

#define BUCKETS 4096
#define GROUPS	KERNEL_GROUPS

struct entry {
	uint64_t window;
	uint32_t atom;
	uint32_t offset; /* of the window in the atom */
};

/* One group's atoms: a bit table to pass most places by, then the entries,
 * grouped by the top bits of their hash. */
struct table {
	struct kernel_table look;
	uint32_t *bits; /* what look.bits points to */
	uint32_t *tail; /* the same for the half of a window that is a page's
			   last bytes; NULL: no window straddles */
	size_t n_entries, n_atoms;
	struct entry *entries;
	uint32_t bucket[BUCKETS + 1];
};

struct prefilter {
	struct atom *atoms;
	size_t n_atoms;
	struct table table[GROUPS];
	/* For stride 1, where an atom can straddle two pages: the two bytes
	 * that a page ends or begins with are, somewhere, an atom's. */
	bool straddles;
	uint8_t *tail, *head; /* 65536 bits each */
	uint8_t straddle_where;
	uint16_t straddle_before, straddle_after;
};

/* ---- which window of an atom ------------------------------------------- */

/* How often a byte value stands in code and text, log2 scale, 0 rare; from
 * counting Debian's /usr/bin and /usr/share/doc. */
static unsigned commonness(uint8_t c)
{
	if (c == 0)
		return 12;
	if (c == 0xff || c == ' ' || c == 'e' || c == 0x48)
		return 7;
	if (c < 0x20 || (c >= 'a' && c <= 'z'))
		return 5;
	return c < 0x80 ? 4 : 3;
}

/* The lower the rarer.  UINT32_MAX: useless, all bytes are the same. */
static uint32_t cost(const uint8_t *p, unsigned width)
{
	uint32_t sum = 0;
	bool same = true;

	for (unsigned i = 0; i < width; i++) {
		sum += commonness(p[i]);
		if (i && p[i] == p[i - 1])
			sum += 3;
		same &= p[i] == p[0];
	}
	return same ? UINT32_MAX : sum;
}

/* 8-byte windows every 4 bytes: the last of a page lies half in the next one,
 * so each half has to tell something. */
static bool straddles_by_half(const struct kernel_group *g)
{
	return g->stride > 1 && g->width > g->stride;
}

/* The best offset of phase @phase, or -1 if none will do. */
static int best_offset(const struct atom *a, const struct kernel_group *g,
		       unsigned phase)
{
	uint32_t best = UINT32_MAX;
	int at = -1;

	for (unsigned o = phase; o + g->width <= a->len; o += g->stride) {
		uint32_t c = cost(a->bytes + o, g->width);

		if (straddles_by_half(g) &&
		    cost(a->bytes + o, g->stride) == UINT32_MAX)
			continue;
		if (c < best) {
			best = c;
			at = (int)o;
		}
	}
	return at;
}

static bool fits(const struct atom *a, const struct kernel_group *g)
{
	for (unsigned phase = 0; phase < g->stride; phase++)
		if (best_offset(a, g, phase) < 0)
			return false;
	return true;
}

/* An atom of one repeated byte fits nowhere above: take it at every offset,
 * costly as that is.  The last group takes any. */
static size_t group_of(const struct atom *a)
{
	for (size_t g = 0; g < GROUPS; g++)
		if (fits(a, &kernel_groups[g]))
			return g;
	return a->len >= 4 ? GROUPS - 2 : GROUPS - 1;
}

/* ---- building ---------------------------------------------------------- */

static int by_hash(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	uint64_t h = kernel_hash(x->window), k = kernel_hash(y->window);

	if (h != k)
		return h < k ? -1 : 1;
	if (x->atom != y->atom)
		return x->atom < y->atom ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

static void add_atom(struct table *t, const struct kernel_group *g,
		     const struct atom *a, uint32_t number)
{
	for (unsigned phase = 0; phase < g->stride; phase++) {
		int o = best_offset(a, g, phase);
		struct entry *e = &t->entries[t->n_entries++];

		e->offset = o < 0 ? 0 : (uint32_t)o;
		e->window = kernel_window(a->bytes + e->offset, g->width);
		e->atom = number;
	}
	t->n_atoms++;
}

/* 256 bits an entry keep chance hits rare; 2^17 to 2^22 bits. */
static int finish_table(struct table *t)
{
	unsigned log2 = 17;
	size_t j = 0;

	while (log2 < 22 && (1UL << log2) < t->n_entries * 256)
		log2++;
	t->look.shift = 64 - (log2 - 5);
	t->bits = calloc(1UL << (log2 - 5), sizeof(*t->bits));
	if (!t->bits)
		return -ENOMEM;
	t->look.bits = t->bits;
	qsort(t->entries, t->n_entries, sizeof(*t->entries), by_hash);
	for (size_t i = 0; i < t->n_entries; i++) {
		uint64_t h = kernel_hash(t->entries[i].window);

		t->bits[h >> t->look.shift] |= 1U << (h & 31);
	}
	for (size_t b = 0; b <= BUCKETS; b++) {
		while (j < t->n_entries &&
		       kernel_hash(t->entries[j].window) >> 52 < b)
			j++;
		t->bucket[b] = (uint32_t)j;
	}
	return 0;
}

#define TAIL_SHIFT (64 - 12) /* 2^17 bits */

static int make_tail(struct table *t, const struct kernel_group *g)
{
	t->tail = calloc(1U << 12, sizeof(*t->tail));
	if (!t->tail)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_entries; i++) {
		const uint8_t *w = (const uint8_t *)&t->entries[i].window;
		uint64_t h = kernel_hash(kernel_window(w, g->stride));

		t->tail[h >> TAIL_SHIFT] |= 1U << (h & 31);
	}
	return 0;
}

static void set_pair(uint8_t *bits, const uint8_t *two)
{
	unsigned v = (unsigned)(two[0] | two[1] << 8);

	bits[v / 8] |= (uint8_t)(1 << v % 8);
}

/* All pairs with @c as their first or second byte. */
static void set_pairs(uint8_t *bits, uint8_t c, bool first)
{
	for (unsigned other = 0; other < 256; other++) {
		uint8_t two[2] = { (uint8_t)other, (uint8_t)other };

		two[first ? 0 : 1] = c;
		set_pair(bits, two);
	}
}

/* Where @w is split so that one side is zeros: its page may be all zero and
 * then no one looks at it, so the other side's page must do, by what there is
 * of the window, even a single byte. */
static void add_zero_straddle(struct prefilter *pf, const uint8_t *w,
			      unsigned width)
{
	for (unsigned i = 1; i < width; i++) { /* bytes in the first page */
		bool zeros_behind = true, zeros_before = true;

		for (unsigned k = 0; k < width; k++)
			*(k < i ? &zeros_before : &zeros_behind) &= !w[k];
		if (zeros_behind && i == 1)
			set_pairs(pf->tail, w[0], false);
		if (zeros_behind && i > 1)
			set_pair(pf->tail, w + i - 2);
		if (zeros_before && width - i == 1)
			set_pairs(pf->head, w[i], true);
		if (zeros_before && width - i > 1)
			set_pair(pf->head, w + i);
	}
}

/* Split 1|3, 2|2 or 3|1, a 4-byte window shows two bytes on one side. */
static void add_straddle(struct prefilter *pf, const struct atom *a,
			 const struct kernel_group *g)
{
	int o = best_offset(a, g, 0);
	const uint8_t *w = a->bytes + (o < 0 ? 0 : o);
	uint16_t before = (uint16_t)(a->before + (o < 0 ? 0 : o) + 3);

	pf->straddles = true;
	set_pair(pf->tail, w);
	set_pair(pf->head, w + 1);
	if (g->width == 4)
		set_pair(pf->tail, w + 1);
	add_zero_straddle(pf, w, g->width);
	pf->straddle_where |= a->where;
	if (before > pf->straddle_before)
		pf->straddle_before = before;
	if (a->after > pf->straddle_after)
		pf->straddle_after = a->after;
}

/* Each group in use reads every page once more: what fits the smallest stride
 * of 8-byte windows that is needed at all goes there. */
static void choose_groups(const struct prefilter *pf, uint8_t *group)
{
	size_t last = 0;

	for (size_t i = 0; i < pf->n_atoms; i++) {
		group[i] = (uint8_t)group_of(&pf->atoms[i]);
		if (kernel_groups[group[i]].width == 8 && group[i] > last)
			last = group[i];
	}
	for (size_t i = 0; i < pf->n_atoms; i++)
		if (group[i] < last &&
		    fits(&pf->atoms[i], &kernel_groups[last]))
			group[i] = (uint8_t)last;
}

static int build(struct prefilter *pf, uint8_t *group)
{
	size_t want[GROUPS] = { 0 };

	choose_groups(pf, group);
	for (size_t i = 0; i < pf->n_atoms; i++)
		want[group[i]] += kernel_groups[group[i]].stride;
	for (size_t g = 0; g < GROUPS; g++) {
		const struct kernel_group *k = &kernel_groups[g];
		struct table *t = &pf->table[g];

		if (!want[g])
			continue;
		t->entries = calloc(want[g], sizeof(*t->entries));
		if (!t->entries)
			return -ENOMEM;
		for (size_t i = 0; i < pf->n_atoms; i++) {
			if (group[i] != g)
				continue;
			add_atom(t, k, &pf->atoms[i], (uint32_t)i);
			if (k->stride == 1)
				add_straddle(pf, &pf->atoms[i], k);
		}
		if (finish_table(t) ||
		    (straddles_by_half(k) && make_tail(t, k)))
			return -ENOMEM;
	}
	return 0;
}

int prefilter_new(const struct atom *atoms, size_t n, struct prefilter **ret,
		  struct why *why)
{
	struct prefilter *pf = calloc(1, sizeof(*pf));
	uint8_t *group = calloc(n + 1, 1);
	int err = -ENOMEM;

	if (!pf || !group)
		goto out;
	pf->atoms = calloc(n + 1, sizeof(*atoms));
	pf->tail = calloc(2, 65536 / 8);
	if (!pf->atoms || !pf->tail)
		goto out;
	pf->head = pf->tail + 65536 / 8;
	pf->n_atoms = n;
	for (size_t i = 0; i < n; i++) {
		if (atoms[i].len < ATOM_MIN || atoms[i].len > ATOM_BYTES) {
			err = why_set(why, -EINVAL,
				      "atom %zu of the rules has %u bytes, "
				      "not %d to %d: a defect of davylamp-match",
				      i, atoms[i].len, ATOM_MIN, ATOM_BYTES);
			goto out;
		}
		pf->atoms[i] = atoms[i];
	}
	err = build(pf, group);
out:
	free(group);
	if (err)
		prefilter_free(pf);
	else
		*ret = pf;
	return err;
}

void prefilter_free(struct prefilter *pf)
{
	if (!pf)
		return;
	for (size_t g = 0; g < GROUPS; g++) {
		free(pf->table[g].bits);
		free(pf->table[g].tail);
		free(pf->table[g].entries);
	}
	free(pf->tail);
	free(pf->atoms);
	free(pf);
}

/* ---- looking ------------------------------------------------------------ */

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
static void verify(const struct prefilter *pf, const struct table *t,
		   const uint8_t *page, size_t at, uint64_t window,
		   struct prefilter_mark *mark)
{
	uint64_t b = kernel_hash(window) >> 52;

	for (uint32_t i = t->bucket[b]; i < t->bucket[b + 1]; i++) {
		const struct entry *e = &t->entries[i];
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
	const struct table *t = &pf->table[g];
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
	const struct table *t = &pf->table[g];
	const unsigned half = kernel_groups[g].stride;
	const size_t at = FLOW_PAGE - half;
	uint64_t w = kernel_window(page + at, half), h = kernel_hash(w);

	if (!(t->tail[h >> TAIL_SHIFT] >> (h & 31) & 1))
		return;
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct entry *e = &t->entries[i];
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
				kernel_groups[g].width, kernel_groups[g].stride);
}
