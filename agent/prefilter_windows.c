/* prefilter_windows.c - which windows of an atom are looked for. */
#include "prefilter_own.h"

const struct kernel_group *prefilter_group(size_t g)
{
	static const struct kernel_group zeros = {
		.width = ZEROS_WIDTH,
		.stride = ZEROS_STRIDE,
	};

	return g == GROUP_ZEROS ? &zeros : &kernel_groups[g];
}

/* How often each byte value stands in code and text: log2 of its times in
 * 65536 bytes, half of them code, half text.  Counted in Debian 12 amd64: the
 * executable sections of all of /usr/bin (137 MB; of each file 1 MiB), and 25
 * MB of scripts, headers, Perl and Python sources and /usr/share/doc. */
static const uint8_t commonness[256] = {
	12, 9,	8,  7, 8, 8,  6, 7, 8,	7, 10, 6,  6,  6, 5,  10, 8,  6,  5, 5,
	6,  6,	5,  5, 7, 5,  5, 5, 5,	5, 5,  8,  12, 5, 7,  7,  10, 7,  5, 6,
	8,  8,	7,  6, 8, 9,  9, 9, 8,	9, 7,  6,  6,  7, 6,  5,  7,  8,  7, 7,
	8,  8,	7,  5, 8, 10, 7, 8, 9,	9, 7,  7,  11, 9, 5,  5,  9,  8,  8, 8,
	8,  5,	8,  9, 9, 8,  6, 7, 6,	6, 5,  7,  7,  7, 6,  9,  6,  10, 8, 10,
	10, 11, 10, 9, 9, 11, 6, 7, 10, 9, 10, 10, 9,  5, 10, 10, 11, 9,  8, 8,
	7,  8,	6,  6, 7, 6,  5, 6, 7,	6, 5,  9,  8,  9, 5,  5,  6,  10, 4, 10,
	5,  9,	4,  4, 7, 4,  4, 5, 5,	5, 4,  4,  5,  4, 4,  4,  4,  4,  4, 4,
	5,  4,	4,  4, 5, 4,  4, 4, 5,	4, 4,  4,  4,  4, 4,  4,  5,  4,  4, 4,
	5,  5,	7,  5, 6, 6,  7, 5, 5,	5, 7,  6,  9,  7, 6,  8,  7,  6,  7, 8,
	6,  6,	5,  4, 5, 5,  5, 5, 7,	5, 6,  5,  5,  5, 5,  5,  6,  5,  5, 6,
	4,  5,	6,  7, 7, 6,  6, 5, 5,	5, 6,  6,  10, 8, 6,  7,  6,  6,  6, 7,
	6,  5,	6,  6, 5, 5,  7, 6, 7,	6, 6,  7,  7,  7, 8,  11,
};

uint32_t prefilter_times(uint8_t byte)
{
	return 1U << commonness[byte];
}

/* What the windows of an atom are worth. */
struct worth {
	const struct atom *atom;
	const struct kernel_group *group;
	uint32_t cost[ATOM_BYTES]; /* of that at each offset: rarer, lower */
	uint64_t good;		   /* a bit for each that tells anything */
};

/* A window of one repeated byte tells nothing. */
static void weigh(const struct atom *a, const struct kernel_group *g,
		  struct worth *ret)
{
	uint32_t sum[ATOM_BYTES + 1] = { 0 }, same[ATOM_BYTES + 1] = { 0 };

	*ret = (struct worth){ .atom = a, .group = g };
	for (unsigned i = 0; i < a->len; i++) {
		sum[i + 1] = sum[i] + commonness[a->bytes[i]];
		same[i + 1] = same[i] + (i && a->bytes[i] == a->bytes[i - 1]);
	}
	for (unsigned o = 0; o + g->width <= a->len; o++) {
		uint32_t repeats = same[o + g->width] - same[o + 1];

		ret->cost[o] = sum[o + g->width] - sum[o] + 3 * repeats;
		if (repeats + 1 < g->width)
			ret->good |= 1ULL << o;
	}
}

/* Strides that do not fit into a page begin anew in the next, and a window may
 * not reach into it: an atom across two pages has phases of its own in each. */
bool prefilter_own_phases(const struct kernel_group *g)
{
	return FLOW_PAGE % g->stride || (g->stride > 1 && g->width > g->stride);
}

/* The best offset of phase @phase, or -1 if none will do. */
static int best_offset(const struct worth *w, unsigned phase)
{
	uint32_t best = UINT32_MAX;
	int at = -1;

	for (unsigned o = phase; o + w->group->width <= w->atom->len;
	     o += w->group->stride) {
		if (w->good >> o & 1 && w->cost[o] < best) {
			best = w->cost[o];
			at = (int)o;
		}
	}
	return at;
}

int prefilter_best(const struct atom *a, const struct kernel_group *g)
{
	struct worth w;

	weigh(a, g, &w);
	return best_offset(&w, 0);
}

/* With its first @n bytes in one page and the rest in the next: which windows
 * are looked at? */
static uint64_t seen_across(const struct atom *a, const struct kernel_group *g,
			    unsigned n)
{
	uint64_t seen = 0;
	unsigned at = (FLOW_PAGE - n + g->stride - 1) / g->stride * g->stride;

	for (; at + g->width <= FLOW_PAGE; at += g->stride)
		seen |= 1ULL << (at - (FLOW_PAGE - n));
	for (at = 0; n + at + g->width <= a->len; at += g->stride)
		seen |= 1ULL << (n + at);
	return seen;
}

/* Is one of @windows looked at wherever the atom stands? */
static bool suffice(const struct atom *a, const struct kernel_group *g,
		    uint64_t windows)
{
	uint64_t phases = 0;

	for (unsigned o = 0; o < a->len; o += g->stride)
		phases |= windows >> o;
	if (~phases & ((1ULL << g->stride) - 1))
		return false;
	for (unsigned n = 1; n < a->len && prefilter_own_phases(g); n++)
		if (!(seen_across(a, g, n) & windows))
			return false;
	return true;
}

bool prefilter_fits(const struct atom *a, const struct kernel_group *g)
{
	struct worth w;

	if (a->len < g->stride + g->width - 1) /* not one for each phase */
		return false;
	if (a->nocase && g->width > 4)
		return false;
	weigh(a, g, &w);
	return suffice(a, g, w.good);
}

/* From the last window of a page to the first of the next. */
static unsigned gap(const struct kernel_group *g)
{
	const unsigned page = FLOW_PAGE;

	return page - (page - g->width) / g->stride * g->stride;
}

/* Where the rarest good windows in a row stand, one for each phase, or -1.
 * Some window of a row is looked at even across pages, unless the gap there is
 * wider than a stride. */
static int best_row(const struct worth *w)
{
	const struct kernel_group *g = w->group;
	const uint64_t row = (1ULL << g->stride) - 1;
	uint32_t best = UINT32_MAX;
	int at = -1;

	if (gap(g) > g->stride)
		return -1;
	for (int from = 0; from + g->stride + g->width - 1 <= w->atom->len;
	     from++) {
		uint32_t sum = 0;

		for (int o = from; o < from + g->stride; o++)
			sum += w->cost[o];
		if ((w->good >> from & row) == row && sum < best) {
			best = sum;
			at = from;
		}
	}
	return at;
}

/* Few windows that suffice, the rarest: the others go, most common first. */
static uint64_t few_windows(const struct worth *w)
{
	uint64_t windows = w->good, left = w->good;

	while (left) {
		unsigned most = (unsigned)__builtin_ctzll(left);

		for (uint64_t o = left; o; o &= o - 1) {
			unsigned at = (unsigned)__builtin_ctzll(o);

			if (w->cost[at] > w->cost[most])
				most = at;
		}
		left &= ~(1ULL << most);
		if (suffice(w->atom, w->group, windows & ~(1ULL << most)))
			windows &= ~(1ULL << most);
	}
	return windows;
}

uint64_t prefilter_windows(const struct atom *a, const struct kernel_group *g)
{
	uint64_t windows = 0;
	struct worth w;
	int row;

	weigh(a, g, &w);
	row = best_row(&w);
	if (row >= 0)
		return ((1ULL << g->stride) - 1) << row;
	if (prefilter_own_phases(g))
		return few_windows(&w);
	for (unsigned phase = 0; phase < g->stride; phase++) {
		int o = best_offset(&w, phase);

		windows |= 1ULL << (o < 0 ? 0 : o);
	}
	return windows;
}
