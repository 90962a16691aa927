/* prefilter_build.c - the tables of a prefilter. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "prefilter_own.h"

/* ---- which group ------------------------------------------------------ */

static unsigned zero_run(const struct atom *a)
{
	unsigned run = 0, most = 0;

	for (unsigned i = 0; i < a->len; i++) {
		run = a->bytes[i] ? 0 : run + 1;
		most = run > most ? run : most;
	}
	return most;
}

/* An atom of one repeated byte fits nowhere above: take it at every offset,
 * costly as that is.  The last group takes any. */
static size_t group_of(const struct atom *a)
{
	for (size_t g = 0; g <= GROUP_FAST; g++)
		if (prefilter_fits(a, prefilter_group(g)))
			return g;
	if (zero_run(a) >= ZERO_RUN &&
	    prefilter_fits(a, prefilter_group(GROUP_ZEROS)))
		return GROUP_ZEROS;
	for (size_t g = GROUP_FAST + 1; g <= GROUP_STRIDED; g++)
		if (prefilter_fits(a, prefilter_group(g)))
			return g;
	return a->len >= 4 ? GROUP_EVERY_4 : GROUP_EVERY_3;
}

/* Of 4 bytes, at most. */
#define NOCASE_SPELLINGS 16

/* ---- building ---------------------------------------------------------- */

/* A window of an atom in one of its spellings. */
struct spelling {
	uint8_t bytes[8];
	unsigned letters, capitals; /* a bit each */
};

static struct spelling spell(const struct atom *a, unsigned offset,
			     unsigned width)
{
	struct spelling s = { 0 };

	memcpy(s.bytes, a->bytes + offset, width);
	for (unsigned i = 0; i < width && a->nocase; i++)
		if (s.bytes[i] >= 'a' && s.bytes[i] <= 'z')
			s.letters |= 1U << i;
	return s;
}

/* The next one; false: it was the last, and is the first again. */
static bool respell(struct spelling *s)
{
	unsigned next = (s->capitals - s->letters) & s->letters;

	for (unsigned i = 0; i < sizeof(s->bytes); i++)
		if ((next ^ s->capitals) >> i & 1)
			s->bytes[i] ^= 'a' ^ 'A';
	s->capitals = next;
	return next;
}

static void add_entry(struct prefilter_table *t, const struct kernel_group *g,
		      const uint8_t *window, uint32_t number, unsigned offset)
{
	uint64_t w = kernel_window(window, g->width);
	uint64_t h = kernel_hash(w, g->width);
	size_t bit = prefilter_sieve_bit(h);

	t->sieve[bit / 64] |= 1ULL << bit % 64;
	t->bits[h >> t->look.shift] |= kernel_bits(w, g->width);
	t->entries[t->n_entries++] =
		(struct prefilter_entry){ h, number, offset };
}

static void add_atom(struct prefilter_table *t, const struct kernel_group *g,
		     const struct atom *a, uint32_t number)
{
	uint64_t windows = prefilter_windows(a, g);

	t->n_atoms++;
	for (; windows; windows &= windows - 1) {
		unsigned offset = (unsigned)__builtin_ctzll(windows);
		struct spelling s = spell(a, offset, g->width);

		do {
			add_entry(t, g, s.bytes, number, offset);
		} while (respell(&s));
	}
}

/* For @n atoms, all spellings counted.  256 bits a window keep chance hits
 * rare, a quarter of that where two bits tell: the smaller, the more of it
 * stays in cache.  2^17 to 2^22. */
static int make_table(struct prefilter_table *t, const struct kernel_group *g,
		      size_t n)
{
	size_t most = prefilter_own_phases(g) ? ATOM_BYTES : g->stride;
	size_t bits = n * g->stride * (g->width > 4 ? 256 : 64);
	unsigned log2 = 17;
	size_t words;

	while (log2 < 22 && (1UL << log2) < bits)
		log2++;
	words = 1UL << (log2 - 5);
	t->look.shift = 64 - (log2 - 5);
	t->look.bits = t->bits = calloc(words, sizeof(*t->bits));
	t->entries = calloc(n * most, sizeof(*t->entries));
	return t->bits && t->entries ? 0 : -ENOMEM;
}

/* By their buckets; within one, as they came. */
static int sort_entries(struct prefilter_table *t)
{
	struct prefilter_entry *sorted =
		malloc((t->n_entries + 1) * sizeof(*sorted));
	uint32_t at[BUCKETS + 1] = { 0 };

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_entries; i++)
		at[(t->entries[i].hash >> 52) + 1]++;
	for (size_t b = 0; b < BUCKETS; b++)
		at[b + 1] += at[b];
	memcpy(t->bucket, at, sizeof(at));
	for (size_t i = 0; i < t->n_entries; i++)
		sorted[at[t->entries[i].hash >> 52]++] = t->entries[i];
	free(t->entries);
	t->entries = sorted;
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
	int o = prefilter_best(a, g);
	struct spelling s = spell(a, o < 0 ? 0 : (unsigned)o, g->width);
	uint16_t before = (uint16_t)(a->before + (o < 0 ? 0 : o) + 3);

	pf->straddles = true;
	do {
		set_pair(pf->tail, s.bytes);
		set_pair(pf->head, s.bytes + 1);
		if (g->width == 4)
			set_pair(pf->tail, s.bytes + 1);
		add_zero_straddle(pf, s.bytes, g->width);
	} while (respell(&s));
	pf->straddle_where |= a->where;
	if (before > pf->straddle_before)
		pf->straddle_before = before;
	if (a->after > pf->straddle_after)
		pf->straddle_after = a->after;
}

/* Each group in use reads every page once more: what fits the smallest stride
 * that is needed at all goes there; and so on with those that are left.  Of
 * the groups that remain an atom has the one with the widest stride: its
 * windows are the widest, too, and rarely there by chance. */
static void choose_groups(const struct prefilter *pf, uint8_t *group)
{
	for (size_t i = 0; i < pf->n_atoms; i++)
		group[i] = (uint8_t)group_of(&pf->atoms[i]);
	for (uint8_t g = GROUP_STRIDED + 1; g-- > 0;) {
		if (!memchr(group, g, pf->n_atoms))
			continue;
		for (size_t i = 0; i < pf->n_atoms; i++)
			if ((group[i] < g || group[i] == GROUP_ZEROS) &&
			    prefilter_fits(&pf->atoms[i], prefilter_group(g)))
				group[i] = g;
	}
	for (size_t i = 0; i < pf->n_atoms; i++)
		for (uint8_t g = 0; g <= GROUP_STRIDED && g < group[i]; g++)
			if (memchr(group, g, pf->n_atoms) &&
			    prefilter_fits(&pf->atoms[i], prefilter_group(g)))
				group[i] = g;
}

/* The shortest run of zeros that says where GROUP_ZEROS must look. */
static unsigned least_zeros(const struct prefilter *pf, const uint8_t *group)
{
	unsigned least = ATOM_BYTES;

	for (size_t i = 0; i < pf->n_atoms; i++)
		if (group[i] == GROUP_ZEROS && zero_run(&pf->atoms[i]) < least)
			least = zero_run(&pf->atoms[i]);
	return least;
}

static int build(struct prefilter *pf, uint8_t *group)
{
	size_t want[GROUPS] = { 0 };

	choose_groups(pf, group);
	for (size_t i = 0; i < pf->n_atoms; i++)
		want[group[i]] += pf->atoms[i].nocase ? NOCASE_SPELLINGS : 1;
	for (size_t g = 0; g < GROUPS; g++) {
		const struct kernel_group *k = prefilter_group(g);
		struct prefilter_table *t = &pf->table[g];

		if (!want[g])
			continue;
		if (make_table(t, k, want[g]))
			return -ENOMEM;
		for (size_t i = 0; i < pf->n_atoms; i++) {
			if (group[i] != g)
				continue;
			add_atom(t, k, &pf->atoms[i], (uint32_t)i);
			if (k->stride == 1)
				add_straddle(pf, &pf->atoms[i], k);
		}
		if (sort_entries(t))
			return -ENOMEM;
	}
	prefilter_make_teddy(pf);
	pf->zero_run = least_zeros(pf, group);
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
			err = why_set(
				why, -EINVAL,
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
		free(pf->table[g].entries);
	}
	free(pf->tail);
	free(pf->atoms);
	free(pf);
}
