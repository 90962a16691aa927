/* sweep.h - one look at every byte, while it is in cache.
 *
 * Per page: is it all zero? which known binary has this page (not asked of
 * plain data, where it would not count), or a fragment that is in it (asked of
 * code)? could a string of a loaded rule stand here? */
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

/* Memory has a filter without the atoms that can not count there: fewer, and
 * most of them longer, so faster. */
enum sweep_filter {
	SWEEP_PLAIN, /* of WHERE_ANY: for the most of it */
	SWEEP_DATA,  /* not of WHERE_CODE: for code that no file holds, too */
	SWEEP_CODE,
	SWEEP_FILTERS
};

/* Bits per enum where: of the rules whose atoms are in each. */
extern const uint8_t sweep_where[SWEEP_FILTERS];

enum sweep_filter sweep_filter(const struct region *);

/* All borrowed; NULL: not looked for.  @every_page: bit per enum where that has
 * rules which must see all pages, suspect or not. */
struct sweep {
	const struct hashset *set;
	const struct prefilter *filter[SWEEP_FILTERS];
	uint8_t every_page;
};

void sweep_batch(const struct sweep *, const struct batch *,
		 struct sweep_result *ret);

#endif
