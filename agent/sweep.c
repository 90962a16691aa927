/* sweep.c - one look at every byte, while it is in cache. */
#include <string.h>
#include "kernel.h"
#include "sweep.h"
#include "wire.h"

/* Suspects nearer to each other than this are one: a message to the matcher
 * costs more than the bytes between. */
#define NEAR 1024

/* For rules that must see every page: what can stand around one of them. */
#define AROUND (WIRE_SPAN + 1)

/* Edges are made odd (wire.h): the matcher must know them from those of
 * mappings, which are page-aligned. */
static void add_suspect(struct sweep_result *r, uint64_t start, uint64_t end,
			uint8_t where)
{
	struct suspect *last;

	start = start ? (start - 1) | 1 : 0;
	end |= 1;
	if (r->n_suspects == 0 ||
	    start > r->suspects[r->n_suspects - 1].end + NEAR) {
		r->suspects[r->n_suspects++] =
			(struct suspect){ start, end, where };
		return;
	}
	last = &r->suspects[r->n_suspects - 1];
	if (start < last->start)
		last->start = start;
	if (end > last->end)
		last->end = end;
	last->where |= where;
}

/* The address @offset bytes from @base, kept inside the address space. */
static uint64_t move(uint64_t base, int32_t offset)
{
	if (offset < 0 && base < (uint64_t)-(int64_t)offset)
		return 0;
	return base + (uint64_t)(int64_t)offset;
}

const uint8_t sweep_where[SWEEP_FILTERS] = {
	[SWEEP_PLAIN] = WHERE_PLAIN,
	[SWEEP_DATA] = (uint8_t) ~(1U << WHERE_CODE),
	[SWEEP_CODE] = UINT8_MAX,
};

enum sweep_filter sweep_filter(const struct region *r)
{
	enum content content = region_content(r);

	if (content == CONTENT_PLAIN)
		return SWEEP_PLAIN;
	return content == CONTENT_CODE && r->inode ? SWEEP_CODE : SWEEP_DATA;
}

static void filter_page(const struct sweep *s, const struct batch *b, size_t i,
			struct sweep_result *r)
{
	uint64_t at = b->address[i];
	struct prefilter_mark mark = { 0 };
	enum sweep_filter f = sweep_filter(b->region);
	const struct prefilter *filter = s->filter[f];
	uint8_t every, where;

	if (filter)
		mark = prefilter_page(filter, b->bytes + i * FLOW_PAGE);
	/* A rule that must see every page must in each process: no frame is
	 * clean then, for looks of this kind (frames.h). */
	if (mark.where || s->every_page & sweep_where[f])
		r->found[i] = true;
	where = b->region->where & mark.where;
	if (where)
		add_suspect(r, move(at, mark.start), move(at, mark.end), where);
	every = b->region->where & s->every_page;
	if (every)
		add_suspect(r, move(at, -AROUND), at + FLOW_PAGE + AROUND,
			    every);
}

static void look_up(const struct sweep *s, const struct digest *digest,
		    const uint32_t *page, size_t n, struct sweep_result *r)
{
	uint32_t number[BATCH_PAGES];

	hashset_lookup(s->set, digest, n, number);
	for (size_t i = 0; i < n; i++) {
		if (number[i] == HASHSET_NONE)
			continue;
		r->found[page[i]] = true;
		r->known[r->n_known++] =
			(struct sweep_known){ page[i], number[i] };
	}
}

/* Fragments that wait for being looked up. */
struct fragments {
	struct digest digest[BATCH_PAGES];
	uint32_t page[BATCH_PAGES];
	size_t n;
};

static void look_up_fragments(const struct sweep *s, struct fragments *f,
			      struct sweep_result *r)
{
	look_up(s, f->digest, f->page, f->n, r);
	f->n = 0;
}

static void fragment_page(const struct sweep *s, const struct batch *b,
			  size_t i, struct fragments *f, struct sweep_result *r)
{
	const uint8_t *page = b->bytes + i * FLOW_PAGE;
	uint16_t at[KERNEL_ANCHORS_ROOM];
	size_t n = kernel_used()->anchors(page, at);

	n = hashset_likely(s->set, page, at, n, at);
	if (f->n + n > BATCH_PAGES)
		look_up_fragments(s, f, r);
	for (size_t k = 0; k < n; k++) {
		f->digest[f->n] = hashset_fragment(page + at[k]);
		f->page[f->n++] = (uint32_t)i;
	}
}

void sweep_batch(const struct sweep *s, const struct batch *b,
		 struct sweep_result *r)
{
	struct digest digest[BATCH_PAGES];
	uint32_t page[BATCH_PAGES];
	struct fragments fragments = { .n = 0 };
	enum content content = region_content(b->region);
	bool known = s->set && content >= CONTENT_DATA;
	bool code = s->set && content >= CONTENT_CODE &&
		    hashset_n_fragments(s->set);
	size_t n = 0;

	r->n_known = r->n_suspects = r->n_zero = 0;
	memset(r->found, 0, b->n_pages);
	for (size_t i = 0; i < b->n_pages; i++) {
		const uint8_t *bytes = b->bytes + i * FLOW_PAGE;

		if (kernel_is_zero(bytes)) {
			r->n_zero++;
			continue;
		}
		if (known) {
			digest[n] = kernel_used()->digest(bytes);
			page[n++] = (uint32_t)i;
		}
		if (code)
			fragment_page(s, b, i, &fragments, r);
		filter_page(s, b, i, r);
	}
	if (code)
		look_up_fragments(s, &fragments, r);
	if (n)
		look_up(s, digest, page, n, r);
}
