/* image.c - memory to scan: pages of every kind with strings planted. */
#include <stdlib.h>
#include <string.h>
#include "image.h"
#include "wire.h"

#define BASE 0x10000000 /* as in the conditions of generate.c */

/* ---- what stands there ----------------------------------------------- */

static void fill_code(struct rng *r, uint8_t *page)
{
	static const char *const pieces[] = {
		"\x48\x89\xe5",
		"\x55",
		"\x48\x83\xec\x10",
		"\x0f\x1f\x40\x00",
		"\x48\x8b\x45\xf8",
		"\xff\xff\xff\xff",
		"\xe8\x12\x00\x00\x00",
		"\xc3",
		"\x5d\xc3",
		"\x90\x90\x90\x90",
		"\x31\xc0",
		"\x00\x00\x00\x00\x00\x00\x00\x00",
	};
	static const uint8_t lens[] = { 3, 1, 4, 4, 4, 4, 5, 1, 2, 4, 2, 8 };

	for (size_t i = 0; i < FLOW_PAGE;) {
		uint32_t which = rng_below(r, 16);
		uint8_t random = (uint8_t)rng_below(r, 256);
		const void *piece =
			which < 12 ? pieces[which] : (const char *)&random;
		size_t n = which < 12 ? lens[which] : 1;

		n = n < FLOW_PAGE - i ? n : FLOW_PAGE - i;
		memcpy(page + i, piece, n);
		i += n;
	}
}

static void fill_text(struct rng *r, uint8_t *page)
{
	for (size_t i = 0; i < FLOW_PAGE; i++) {
		uint32_t c = rng_below(r, 40);

		page[i] = c < 26   ? (uint8_t)('a' + c)
			  : c < 33 ? ' '
			  : c < 35 ? '\n'
			  : c < 38 ? (uint8_t)('A' + rng_below(r, 26))
				   : (uint8_t)('0' + rng_below(r, 10));
	}
}

static void fill(struct rng *r, uint8_t *page)
{
	uint32_t kind = rng_below(r, 100);

	memset(page, 0, FLOW_PAGE);
	if (kind < 35)
		fill_code(r, page);
	else if (kind < 55)
		fill_text(r, page);
	else if (kind < 80)
		for (size_t i = 0; i < FLOW_PAGE; i++)
			page[i] = (uint8_t)rng_below(r, 256);
	/* else zeros */
}

/* ---- where the strings go -------------------------------------------- */

static void plant(struct rng *r, struct image *m, const struct string *s,
		  size_t *last)
{
	static uint8_t bytes[8192];
	size_t n = generate_instance(r, s, bytes, sizeof(bytes));
	const struct segment *seg =
		&m->segments[rng_below(r, (uint32_t)m->n_segments)];
	size_t size = seg->n_pages * FLOW_PAGE, at, page;
	size_t batch = m->batch[rng_below(r, (uint32_t)m->n_batches + 1)];
	uint32_t back = rng_below(r, (uint32_t)n + 1);

	if (n == 0 || n > size)
		return;
	page = rng_below(r, (uint32_t)seg->n_pages);
	switch (rng_below(r, 10)) {
	case 0: /* at the ends of a segment */
		at = rng_chance(r, 50) ? 0 : size - n;
		at += rng_chance(r, 30) && at == 0;
		break;
	case 1:
	case 2: /* across two pages, or up to the seam */
		at = page * FLOW_PAGE - back;
		break;
	case 3: /* across two batches */
		at = (size_t)(m->memory + batch * FLOW_PAGE - seg->bytes) -
		     back;
		break;
	case 4: /* where a window is cut, for rules that see every page */
		at = rng_below(r, 8) * (WIRE_WINDOW - WIRE_SPAN);
		at += (rng_chance(r, 50) ? WIRE_WINDOW : 0) - back;
		break;
	case 5: /* over or close behind the last one */
		at = *last + rng_below(r, 64);
		break;
	default:
		at = rng_below(r, (uint32_t)size);
	}
	if (at > size - n) /* or below 0 */
		at = rng_below(r, (uint32_t)(size - n + 1));
	*last = at + n;
	memcpy(seg->bytes + at, bytes, n);
	/* What fullword is about. */
	if (at + n < size && rng_chance(r, 30))
		seg->bytes[at + n] = rng_chance(r, 50) ? 'x' : ' ';
	if (at && rng_chance(r, 30))
		seg->bytes[at - 1] = rng_chance(r, 50) ? 'x' : ' ';
}

static void plant_all(struct rng *r, struct image *m,
		      const struct rule_set *set)
{
	/* Few of them leave windows apart, many make them touch. */
	static const uint32_t mosts[] = { 1, 5, 20, 60, 150 };
	uint32_t most = set->tiny ? 5 : mosts[rng_below(r, 5)];
	size_t last = 0;

	for (size_t i = 0; i < set->n_strings; i++)
		for (uint32_t n = rng_range(r, 1, most); n; n--)
			plant(r, m, &set->strings[i], &last);
}

/* ---- its shape ------------------------------------------------------- */

static void cut_into_segments(struct rng *r, struct image *m)
{
	size_t left = m->n_pages, page = 0;
	uint64_t address = BASE;

	m->n_segments = rng_range(r, 1, SEGMENTS_MAX);
	for (size_t i = 0; i < m->n_segments; i++) {
		struct segment *s = &m->segments[i];
		bool last = i + 1 == m->n_segments;

		s->n_pages = last ? left
				  : 1 + rng_below(r, (uint32_t)(left -
								(m->n_segments -
								 i - 1)));
		s->bytes = m->memory + page * FLOW_PAGE;
		s->region.start = address;
		s->region.end = address + s->n_pages * FLOW_PAGE;
		for (size_t k = 0; k < s->n_pages; k++)
			m->address[page++] = address + k * FLOW_PAGE;
		left -= s->n_pages;
		address = s->region.end + FLOW_PAGE * rng_range(r, 1, 9);
	}
}

/* Within a segment, of 1 to BATCH_PAGES pages. */
static void cut_into_batches(struct rng *r, struct image *m)
{
	uint32_t most = rng_chance(r, 50) ? BATCH_PAGES : 9;

	m->n_batches = 0;
	for (size_t i = 0; i < m->n_segments; i++) {
		size_t page =
			(size_t)(m->segments[i].bytes - m->memory) / FLOW_PAGE;
		size_t end = page + m->segments[i].n_pages;

		while (page < end) {
			if (m->n_batches > BATCHES_MAX / 2)
				most = BATCH_PAGES;
			m->batch[m->n_batches++] = page;
			page += rng_range(r, 1, most);
		}
	}
	m->batch[m->n_batches] = m->n_pages;
}

/* Where all rules count, or those of images alone, or in plain data. */
static struct region make_region(struct rng *r)
{
	switch (rng_range(r, 0, 5)) {
	case 0:
		return (struct region){ .where = WHERE_PLAIN };
	case 1:
		return (struct region){ .where = 1U << WHERE_IMAGE |
						 WHERE_PLAIN };
	default: /* in maps, only files have code */
		return (struct region){ .where = (1U << WHERE_COUNT) - 1,
					.flags = REGION_EXEC,
					.inode = 1 };
	}
}

void image_make(struct rng *r, const struct rule_set *set, struct image *m)
{
	struct region region = make_region(r);

	memset(m, 0, sizeof(*m));
	m->n_pages = set->tiny ? rng_range(r, SEGMENTS_MAX, 12)
			       : rng_range(r, SEGMENTS_MAX, 500);
	m->memory = aligned_alloc(FLOW_PAGE, m->n_pages * FLOW_PAGE);
	m->address = calloc(m->n_pages, sizeof(*m->address));
	if (!m->memory || !m->address)
		abort();
	for (size_t i = 0; i < m->n_pages; i++)
		fill(r, m->memory + i * FLOW_PAGE);
	cut_into_segments(r, m);
	cut_into_batches(r, m);
	for (size_t i = 0; i < m->n_segments; i++) {
		struct region *own = &m->segments[i].region;

		region.start = own->start;
		region.end = own->end;
		*own = region;
	}
	plant_all(r, m, set);
}

void image_free(struct image *m)
{
	free(m->memory);
	free(m->address);
}
