/* prefilter_own.h - the prefilter's tables, for prefilter*.c only. */
#ifndef PREFILTER_OWN_H
#define PREFILTER_OWN_H

#include "kernel.h"
#include "prefilter.h"

#define BUCKETS	   4096
#define GROUPS	   KERNEL_GROUPS
#define TAIL_SHIFT (64 - 12) /* 2^17 bits */

struct prefilter_entry {
	uint64_t window;
	uint32_t atom;
	uint32_t offset; /* of the window in the atom */
};

/* One group's atoms: a bit table to pass most places by, then the entries,
 * grouped by the top bits of their hash. */
struct prefilter_table {
	struct kernel_table look;
	uint32_t *bits; /* what look.bits points to */
	uint32_t *tail; /* the same for the half of a window that is a page's
			   last bytes; NULL: no window straddles */
	size_t n_entries, n_atoms;
	struct prefilter_entry *entries;
	uint32_t bucket[BUCKETS + 1];
};

struct prefilter {
	struct atom *atoms;
	size_t n_atoms;
	struct prefilter_table table[GROUPS];
	/* For stride 1, where an atom can straddle two pages: the two bytes
	 * that a page ends or begins with are, somewhere, an atom's. */
	bool straddles;
	uint8_t *tail, *head; /* 65536 bits each */
	uint8_t straddle_where;
	uint16_t straddle_before, straddle_after;
};

/* 8-byte windows every 4 bytes: the last of a page lies half in the next one,
 * so each half has to tell something. */
static inline bool prefilter_by_half(const struct kernel_group *g)
{
	return g->stride > 1 && g->width > g->stride;
}

#endif
