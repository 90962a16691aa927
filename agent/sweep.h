/* sweep.h - one look at every byte, while it is in cache.
 *
 * Per page: is it all zero? which known binary has this page, or a fragment
 * that is in it (not asked of plain data, where it would not count)? could a
 * string of a loaded rule stand here? */
#ifndef SWEEP_H
#define SWEEP_H

#include "flow.h"
#include "hashset.h"
#include "kernel.h"
#include "prefilter.h"

/* A page of the batch that the hash set knows, or in which it knows a
 * fragment. */
struct sweep_known {
	uint32_t page;	 /* in the batch */
	uint32_t number; /* in the hash set */
};

#define SWEEP_KNOWN (BATCH_PAGES * (1 + KERNEL_ANCHORS))

/* What one batch holds.  The caller owns it; sweep_batch() fills it anew. */
struct sweep_result {
	struct sweep_known known[SWEEP_KNOWN];
	size_t n_known;
	struct suspect suspects[BATCH_PAGES]; /* by address, apart */
	size_t n_suspects;
	bool found[BATCH_PAGES]; /* for mem_settle(): any of the above,
				    whether or not it counts in this region */
	size_t n_zero; /* pages */
};

/* All borrowed; NULL: not looked for.  Memory that only the rules of WHERE_ANY
 * see (heaps: the most of it) has a filter of their atoms alone, and anonymous
 * memory one without those of WHERE_CODE: fewer and longer, so faster.  (By
 * what the frame is, not by how it is mapped: what is found out about a frame
 * of a file holds wherever the file is mapped.)  @every_page: bit per enum where that has rules which
 * must see all pages, suspect or not. */
struct sweep {
	const struct hashset *set;
	const struct prefilter *filter;	     /* atoms of all rules */
	const struct prefilter *anon_filter; /* not of WHERE_CODE alone */
	const struct prefilter *any_filter;  /* of those with WHERE_ANY */
	uint8_t every_page;
};

void sweep_batch(const struct sweep *, const struct batch *,
		 struct sweep_result *ret);

#endif
