/* kernel_own.h - what the variants of the kernel have in common, for kernel*.c
 * only. */
#ifndef KERNEL_OWN_H
#define KERNEL_OWN_H

#include <string.h>
#include "kernel.h"

#define INLINE __attribute__((always_inline)) static inline

#ifdef __x86_64__
extern const struct kernel kernel_avx512, kernel_avx2;
#endif

/* Not 0 in its lowest bit: the window at @p may be an atom's.  The hash of a
 * narrow one is not put together, only to be taken apart. */
INLINE uint32_t test(const struct kernel_table *t, const uint8_t *p,
		     unsigned width)
{
	uint64_t w = kernel_window(p, width), h = kernel_hash(w, width);
	uint32_t narrow = (uint32_t)w * KERNEL_HASH_4, word;

	if (width > 4)
		return t->bits[h >> t->shift] >> (w & 31);
	word = t->bits[narrow >> (t->shift - 32)];
	return word >> (narrow >> 5 & 31) & word >> (narrow >> 10 & 31);
}

/* The same; of 6 bytes, eight are read, and the hash loses the others. */
INLINE uint32_t test_wide(const struct kernel_table *t, const uint8_t *p,
			  unsigned width)
{
	uint64_t w;

	if (width != 6)
		return test(t, p, width);
	memcpy(&w, p, 8);
	return t->bits[kernel_hash(w, width) >> t->shift] >> (w & 31);
}

/* A block at a time, without a branch in it; at last what is less than one. */
INLINE uint64_t look_blocks(const struct kernel_table *table,
			    const uint8_t *page, unsigned width,
			    unsigned stride, unsigned block)
{
	const struct kernel_table t = *table; /* in registers */
	const unsigned read = width == 6 ? 8 : width;
	const unsigned over = read > stride ? read - stride : 0;
	const unsigned whole = (FLOW_PAGE - over) / block;
	const uint8_t *p = page;
	uint64_t blocks = 0;
	uint32_t any;

	for (unsigned b = 0; b < whole; b++, p += block) {
		any = 0;
#pragma GCC unroll 64
		for (unsigned k = 0; k < block; k += stride)
			any |= test_wide(&t, p + k, width);
		blocks |= (uint64_t)(any & 1) << b;
	}
	any = 0;
	for (; p + width <= page + FLOW_PAGE; p += stride)
		any |= test(&t, p, width);
	/* With no block left, @whole is 64 and nothing was looked at. */
	return blocks | (uint64_t)(any & 1) << (whole & 63);
}

/* One function a group, so that width and stride are constants. */
#define GROUP(attribute, name, loop, n, width, stride, block)           \
	attribute static uint64_t name##n(const struct kernel_table *t, \
					  const uint8_t *page)          \
	{                                                               \
		return loop(t, page, width, stride, block);             \
	}
#define WIDE_GROUPS(attribute, name, loop)          \
	GROUP(attribute, name, loop, 0, 6, 26, 208) \
	GROUP(attribute, name, loop, 1, 6, 18, 144) \
	GROUP(attribute, name, loop, 2, 6, 16, 128) \
	GROUP(attribute, name, loop, 3, 6, 10, 80)
#define NARROW_GROUPS(attribute, name, loop)      \
	GROUP(attribute, name, loop, 4, 4, 8, 64) \
	GROUP(attribute, name, loop, 5, 4, 4, 64) \
	GROUP(attribute, name, loop, 6, 4, 1, 64) \
	GROUP(attribute, name, loop, 7, 3, 1, 64)
#define LOOKS(name)                                                            \
	{                                                                      \
		name##0, name##1, name##2, name##3, name##4, name##5, name##6, \
			name##7                                                \
	}

#endif
