/* prefilter_own.h - the prefilter's tables, for prefilter*.c only. */
#ifndef PREFILTER_OWN_H
#define PREFILTER_OWN_H

#include "kernel.h"
#include "prefilter.h"

#define BUCKETS 4096

/* Indexes of kernel_groups[], and one more. */
enum {
	GROUP_FAST = 3,	   /* the last of those with a stride above 8 */
	GROUP_STRIDED = 5, /* the last with one window a stride */
	GROUP_EVERY_4,	   /* every offset */
	GROUP_EVERY_3,
	GROUP_ZEROS, /* for what has nearly nothing but zeros: beside these */
	GROUPS
};
_Static_assert(GROUP_ZEROS == KERNEL_GROUPS, "the others are the kernel's");

/* GROUP_ZEROS has windows of 8 bytes every 4. */
enum { ZEROS_WIDTH = 8, ZEROS_STRIDE = 4 };

const struct kernel_group *prefilter_group(size_t g);

/* Zeros in a row that bring an atom into GROUP_ZEROS. */
#define ZERO_RUN 39

/* An atom that reaches beyond a page has its bytes so near to the edge. */
#define EDGE ATOM_BYTES

struct prefilter_entry {
	uint64_t hash; /* of the window; no two windows of a width share one */
	uint32_t atom;
	uint32_t offset; /* of the window in the atom */
};

/* A second hash, of a window's first. */
#define SIEVE_BITS (1U << 17)

static inline size_t prefilter_sieve_bit(uint64_t hash)
{
	return hash * KERNEL_HASH_8 >> 47;
}

/* One group's atoms: a bit table to pass most places by; another, for most of
 * those that the first one has by chance, because an entry is far from cache;
 * then the entries, grouped by the top bits of their hash. */
struct prefilter_table {
	struct kernel_table look;
	uint32_t *bits; /* what look.bits points to; NULL: not in use */
	size_t n_entries, n_atoms;
	struct prefilter_entry *entries;
	uint64_t sieve[SIEVE_BITS / 64];
	uint32_t bucket[BUCKETS + 1];
};

struct prefilter {
	struct atom *atoms;
	size_t n_atoms;
	struct prefilter_table table[GROUPS];
	/* Of the groups with a window at every offset, if they have so few
	 * that this is the faster way to those blocks that may have one. */
	struct kernel_teddy teddy;
	bool use_teddy;
	unsigned zero_run; /* bytes, in every atom of GROUP_ZEROS */
	/* For stride 1, where an atom can straddle two pages: the two bytes
	 * that a page ends or begins with are, somewhere, an atom's. */
	bool straddles;
	uint8_t *tail, *head; /* 65536 bits each */
	uint8_t straddle_where;
	uint16_t straddle_before, straddle_after;
};

/* How often @byte stands in 65536 bytes of code and text. */
uint32_t prefilter_times(uint8_t byte);

/* Fills in pf->teddy, when the tables are done. */
void prefilter_make_teddy(struct prefilter *);

/* Does an atom across two pages of @g's strides have phases of its own? */
bool prefilter_own_phases(const struct kernel_group *g);

/* Is some window of @a that tells anything looked at in @g wherever @a stands?
 */
bool prefilter_fits(const struct atom *a, const struct kernel_group *g);

/* Offsets in @a, a bit each: windows of which one is looked at wherever @a
 * stands, if @a fits @g; where it does not, some. */
uint64_t prefilter_windows(const struct atom *a, const struct kernel_group *g);

/* The offset of @a's rarest window that is a multiple of @g's stride, or -1. */
int prefilter_best(const struct atom *a, const struct kernel_group *g);

#endif
