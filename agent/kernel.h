/* kernel.h - the loops that touch every byte of a page, in variants.
 *
 * Each variant gives the same answers; `scalar` is their definition. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "flow.h"
#include "hashset.h"

#define KERNEL_GROUPS 8

/* The windows that a prefilter can look at: @width bytes at every multiple of
 * @stride that leaves them whole within the page.  The answer has a bit for
 * each @block bytes of the page. */
extern const struct kernel_group {
	uint8_t width, stride, block;
} kernel_groups[KERNEL_GROUPS];

/* "This window may be an atom's": bits[hash >> shift] has all of its
 * kernel_bits().  A second bit is one operation for eight windows of 4
 * bytes, and costs wider ones, whose shifts are what they wait for, more than
 * the chance hits that it saves. */
struct kernel_table {
	const uint32_t *bits;
	unsigned shift; /* 32..63 */
};

/* The first @width bytes (3, 4, 6 or 8) at @p as a number, and its hash.  No
 * copy of a number of bytes that only the run knows: that is a call. */
static inline uint64_t kernel_window(const uint8_t *p, unsigned width)
{
	uint64_t eight;
	uint32_t four;
	uint16_t two;

	if (width == 8) {
		__builtin_memcpy(&eight, p, 8);
		return eight;
	}
	if (width == 3)
		return (uint64_t)(p[0] | p[1] << 8 | p[2] << 16);
	__builtin_memcpy(&four, p, 4);
	if (width == 4)
		return four;
	__builtin_memcpy(&two, p + 4, 2);
	return (uint64_t)two << 32 | four;
}

#define KERNEL_HASH_4 0x9E3779B1U	    /* 2^32 / golden ratio, a prime */
#define KERNEL_HASH_8 0x9E3779B97F4A7C15ULL /* likewise 2^64, odd */
#define KERNEL_HASH_6 (KERNEL_HASH_8 << 16) /* drops two bytes of 8 */

static inline uint64_t kernel_hash(uint64_t window, unsigned width)
{
	uint32_t h;

	if (width > 4)
		return window * (width == 6 ? KERNEL_HASH_6 : KERNEL_HASH_8);
	h = (uint32_t)window * KERNEL_HASH_4; /* a vector has eight at once */
	return (uint64_t)h << 32 | h >> 5;
}

/* A fragment is KERNEL_FRAGMENT bytes of code, and begins where the bytes
 * themselves say so (fragment.h): where three have this sum, at about one of
 * 256 places.  Of all sums it is the one that code of either machine, whoever
 * compiled it, and text have most evenly (0.98 to 1.23 of 256). */
#define KERNEL_FRAGMENT 32
#define KERNEL_ANCHOR	    0x53
#define KERNEL_ANCHORS	    128 /* of a page; the rest are passed over */
#define KERNEL_ANCHORS_ROOM (KERNEL_ANCHORS + 64) /* of what is written */

static inline bool kernel_is_anchor(const uint8_t *p)
{
	return (uint8_t)(p[0] + p[1] + p[2]) == KERNEL_ANCHOR;
}

/* A wide window's own lowest bits say which bit: those of the product say no
 * more, and come later. */
static inline uint32_t kernel_bits(uint64_t window, unsigned width)
{
	uint64_t hash = kernel_hash(window, width);

	if (width > 4)
		return 1U << (window & 31);
	return 1U << (hash & 31) | 1U << (hash >> 5 & 31);
}

/* "This window of 4 bytes may be an atom's", without hashing, as Teddy of
 * Intel's Hyperscan does it: a bit for each of eight buckets of atoms that have
 * such a byte there, by its lower and by its upper half.  A window is looked at
 * if some bucket has all eight halves.  For few atoms that is the fastest look
 * at every offset; each further one makes more windows pass by chance. */
struct kernel_teddy {
	uint8_t low[4][16], high[4][16]; /* [byte of the window][its half] */
};

static inline bool kernel_teddy_has(const struct kernel_teddy *t,
				    const uint8_t *p)
{
	uint8_t buckets = UINT8_MAX;

	for (unsigned k = 0; k < 4; k++)
		buckets &= t->low[k][p[k] & 15] & t->high[k][p[k] >> 4];
	return buckets;
}

struct kernel {
	const char *name;
	bool (*usable)(void); /* NULL: everywhere */
	/* XXH3-128 of the FLOW_PAGE bytes at @page. */
	struct digest (*digest)(const uint8_t *page);
	/* Is one of the 8-byte words at multiples of 32 all zero? */
	bool (*has_zeros)(const uint8_t *page);
	/* Where the first KERNEL_ANCHORS fragments of the page begin, those
	 * that lie wholly in it; how many.  What is behind them in @ret is
	 * nothing. */
	size_t (*anchors)(const uint8_t *page,
			  uint16_t ret[static KERNEL_ANCHORS_ROOM]);
	/* Looks up the windows of group i.  Bit k of the answer: one that
	 * begins in block k has its bit set. */
	uint64_t (*look[KERNEL_GROUPS])(const struct kernel_table *,
					const uint8_t *page);
	/* Bit k of the answer: a window that begins in the 64 bytes of block k
	 * may be an atom's.  NULL: no instruction for it. */
	uint64_t (*teddy)(const struct kernel_teddy *, const uint8_t *page);
};

/* Are all FLOW_PAGE bytes zero?  Most pages are not in their first word. */
bool kernel_is_zero(const uint8_t *page);

/* The variant in use: the best that this CPU has, until kernel_choose(). */
const struct kernel *kernel_used(void);

/* Uses variant @name.  Call before threads start.  -ENOENT: there is no such;
 * -ENOTSUP: this CPU lacks it. */
int kernel_choose(const char *name);

/* For people: "avx2, sse2, scalar", those that this CPU has, best first. */
void kernel_describe(char *ret, size_t cap);

/* Variant number @i, best first; NULL: no more. */
const struct kernel *kernel_variant(size_t i);

#endif
