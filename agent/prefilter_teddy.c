/* prefilter_teddy.c - few atoms that must be looked for at every offset.
 *
 * A window's bytes are known by their halves, in buckets: the halves of all
 * windows in a bucket are one set, so what passes is more than its windows.
 * Which windows share one decides how much more. */
#include "prefilter_own.h"

#define BUCKETS_OF_TEDDY 8
#define WINDOWS_MOST	 128

/* Where more than one of so many windows of code and text pass by chance, what
 * they cost is more than Teddy saves (Zen 3, November 2026: a page takes 0.4 us
 * instead of 2.3, each block that passes 0.06). */
#define RARE 256

/* Bytes at each place of a window: a bit for each value of either half. */
struct halves {
	uint16_t low[4], high[4];
};

static void add_byte(struct halves *h, unsigned k, uint8_t c)
{
	h->low[k] |= (uint16_t)(1U << (c & 15));
	h->high[k] |= (uint16_t)(1U << (c >> 4));
}

/* A window of 3 bytes has any byte behind them. */
static struct halves window_halves(const struct atom *a, unsigned offset,
				   unsigned width)
{
	struct halves h = { .low[3] = UINT16_MAX, .high[3] = UINT16_MAX };

	if (width > 3)
		h.low[3] = h.high[3] = 0;
	for (unsigned k = 0; k < width; k++) {
		uint8_t c = a->bytes[offset + k];

		add_byte(&h, k, c);
		if (a->nocase && c >= 'a' && c <= 'z')
			add_byte(&h, k, c ^ 'a' ^ 'A');
	}
	return h;
}

static struct halves both(struct halves a, const struct halves *b)
{
	for (unsigned k = 0; k < 4; k++) {
		a.low[k] |= b->low[k];
		a.high[k] |= b->high[k];
	}
	return a;
}

/* Which share of the windows of code and text passes. */
static double share(const struct halves *h)
{
	double all = 1;

	for (unsigned k = 0; k < 4; k++) {
		uint32_t times = 0, most = 0;

		for (unsigned c = 0; c < 256; c++) {
			uint32_t n = prefilter_times((uint8_t)c);

			most += n;
			if (h->low[k] >> (c & 15) & h->high[k] >> (c >> 4) & 1)
				times += n;
		}
		all *= (double)times / most;
	}
	return all;
}

struct buckets {
	struct halves halves[BUCKETS_OF_TEDDY];
	double share[BUCKETS_OF_TEDDY];
};

/* Into the bucket that it makes the least wider. */
static void add_window(struct buckets *b, const struct halves *window)
{
	double least = 2, new_share = 0;
	size_t best = 0;

	for (size_t i = 0; i < BUCKETS_OF_TEDDY; i++) {
		struct halves wider = both(b->halves[i], window);
		double s = share(&wider);

		if (s - b->share[i] < least) {
			least = s - b->share[i];
			new_share = s;
			best = i;
		}
	}
	b->halves[best] = both(b->halves[best], window);
	b->share[best] = new_share;
}

/* An atom in several spellings has its entries one behind the other or not: the
 * same halves once more cost nothing. */
static void add_group(const struct prefilter *pf, size_t g, struct buckets *b)
{
	const struct prefilter_table *t = &pf->table[g];

	for (size_t i = 0; i < t->n_entries; i++) {
		const struct prefilter_entry *e = &t->entries[i];
		struct halves h = window_halves(&pf->atoms[e->atom], e->offset,
						kernel_groups[g].width);

		add_window(b, &h);
	}
}

static void fill_in(struct kernel_teddy *t, const struct buckets *b)
{
	for (size_t i = 0; i < BUCKETS_OF_TEDDY; i++)
		for (unsigned k = 0; k < 4; k++)
			for (unsigned v = 0; v < 16; v++) {
				const struct halves *h = &b->halves[i];

				t->low[k][v] |=
					(uint8_t)((h->low[k] >> v & 1) << i);
				t->high[k][v] |=
					(uint8_t)((h->high[k] >> v & 1) << i);
			}
}

void prefilter_make_teddy(struct prefilter *pf)
{
	const struct prefilter_table *four = &pf->table[GROUP_EVERY_4];
	const struct prefilter_table *three = &pf->table[GROUP_EVERY_3];
	size_t n = four->n_entries + three->n_entries;
	struct buckets b = { 0 };
	double sum = 0;

	if (!n || n > WINDOWS_MOST)
		return;
	add_group(pf, GROUP_EVERY_3, &b); /* the widest first */
	add_group(pf, GROUP_EVERY_4, &b);
	for (size_t i = 0; i < BUCKETS_OF_TEDDY; i++)
		sum += b.share[i];
	pf->use_teddy = sum * RARE <= 1;
	if (pf->use_teddy)
		fill_in(&pf->teddy, &b);
}
