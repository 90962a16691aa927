/* prefilter_own.h - the prefilter's tables, for prefilter*.c only. */
#ifndef PREFILTER_OWN_H
#define PREFILTER_OWN_H

#include "kernel.h"
#include "prefilter.h"

#define BUCKETS 4096
#define GROUPS	KERNEL_GROUPS

/* Indexes of kernel_groups[]. */
enum {
	GROUP_FAST = 2,	 /* the last of those with a stride above 8 */
	GROUP_STRIDED = 4, /* the last with one window of 4 bytes a stride */
	GROUP_ZEROS,	 /* for what has nearly nothing but zeros */
	GROUP_EVERY_4,	 /* every offset */
	GROUP_EVERY_3,
};

/* An atom that reaches beyond a page has its bytes so near to the edge. */
#define EDGE ATOM_BYTES

struct prefilter_entry {
	uint64_t window;
	uint32_t atom;
	uint32_t offset; /* of the window in the atom */
};

/* One group's atoms: a bit table to pass most places by, then the entries,
 * grouped by the top bits of their hash.
 *
 * Where strides do not fit into a page, or windows overlap, an atom that lies
 * across two pages has not the same phase in both: near the edges every
 * window that an atom has is looked for, not just one of each phase. */
struct prefilter_table {
	struct kernel_table look;
	uint32_t *bits; /* what look.bits points to; NULL: not in use */
	uint32_t *edge; /* the same with all windows; NULL: not needed */
	size_t last_edge; /* the first window of a page's last EDGE bytes */
	size_t n_entries, n_atoms;
	struct prefilter_entry *entries;
	uint32_t bucket[BUCKETS + 1];
};

struct prefilter {
	struct atom *atoms;
	size_t n_atoms;
	struct prefilter_table table[GROUPS];
	/* So many windows of zeros in a row, of group @zeros_by, are in every
	 * page that holds an atom of GROUP_ZEROS; 0: look in each. */
	unsigned zero_windows;
	size_t zeros_by;
	/* For stride 1, where an atom can straddle two pages: the two bytes
	 * that a page ends or begins with are, somewhere, an atom's. */
	bool straddles;
	uint8_t *tail, *head; /* 65536 bits each */
	uint8_t straddle_where;
	uint16_t straddle_before, straddle_after;
};

/* Is there more to look for at a page's edges? */
static inline bool prefilter_has_edges(const struct kernel_group *g)
{
	return FLOW_PAGE % g->stride || (g->stride > 1 && g->width > g->stride);
}

#endif
