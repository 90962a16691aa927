/* kernel.c - the loops that touch every byte of a page, in variants.
 *
 * What a window costs is one multiplication and one load from the bit table;
 * the variants differ in how many are under way before anyone looks at the
 * result.
 *
 * Windows of 4 bytes allow wider strides than those of 6, but in text and code
 * they are often an atom's by chance: every 12 bytes against every 10 they gain
 * a tenth on noise and lose half on text. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>
#include "kernel_own.h"
#ifdef __aarch64__
#include <arm_neon.h>
#endif

const struct kernel_group kernel_groups[KERNEL_GROUPS] = {
	{ 6, 26, 208 }, { 6, 18, 144 }, { 6, 16, 128 },
	{ 6, 10, 80 },	{ 4, 8, 64 },	{ 4, 4, 64 },
	{ 4, 1, 64 },	{ 3, 1, 64 },
};

bool kernel_is_zero(const uint8_t *page)
{
	for (size_t i = 0; i < FLOW_PAGE; i += 64) {
		uint64_t w[8];

		memcpy(w, page + i, sizeof(w));
		if (w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7])
			return false;
	}
	return true;
}

static struct digest digest(const uint8_t *page)
{
	XXH128_hash_t h = XXH3_128bits(page, FLOW_PAGE);

	return (struct digest){ .high = h.high64, .low = h.low64 };
}

static bool has_zeros(const uint8_t *page)
{
	for (size_t i = 0; i < FLOW_PAGE; i += 32)
		if (!kernel_window(page + i, 8))
			return true;
	return false;
}

static size_t anchors(const uint8_t *page,
		      uint16_t ret[static KERNEL_ANCHORS_ROOM])
{
	size_t n = 0;

	for (size_t i = 0; i <= FLOW_PAGE - KERNEL_FRAGMENT; i++)
		if (kernel_is_anchor(page + i) && n < KERNEL_ANCHORS)
			ret[n++] = (uint16_t)i;
	return n;
}

/* Those of the 16 bytes at @p that begin an anchor: all bits set. */
typedef uint8_t sixteen __attribute__((vector_size(16)));

static sixteen test_anchors(const uint8_t *p)
{
	sixteen a, b, c;

	memcpy(&a, p, sizeof(a));
	memcpy(&b, p + 1, sizeof(b));
	memcpy(&c, p + 2, sizeof(c));
	return (sixteen)(a + b + c == KERNEL_ANCHOR);
}

/* In most places 16 bytes begin none; where they do, each is asked. */
static size_t anchors_vector(const uint8_t *page,
			     uint16_t ret[static KERNEL_ANCHORS_ROOM])
{
	const size_t last = FLOW_PAGE - KERNEL_FRAGMENT;
	size_t n = 0;

	for (size_t i = 0; i <= last; i += 16) {
		uint64_t any[2];
		sixteen here = test_anchors(page + i);

		memcpy(any, &here, sizeof(any));
		if (!(any[0] | any[1]))
			continue;
		for (size_t k = i; k < i + 16 && k <= last; k++)
			if (kernel_is_anchor(page + k) && n < KERNEL_ANCHORS)
				ret[n++] = (uint16_t)k;
	}
	return n;
}

/* The definition. */
INLINE uint64_t look_scalar(const struct kernel_table *t, const uint8_t *page,
			    unsigned width, unsigned stride, unsigned block)
{
	uint64_t blocks = 0;

	for (size_t i = 0; i + width <= FLOW_PAGE; i += stride)
		if (test(t, page + i, width) & 1)
			blocks |= 1ULL << i / block;
	return blocks;
}

static uint64_t teddy(const struct kernel_teddy *t, const uint8_t *page)
{
	uint64_t blocks = 0;

	for (size_t i = 0; i + 4 <= FLOW_PAGE; i++)
		blocks |= (uint64_t)kernel_teddy_has(t, page + i) << i / 64;
	return blocks;
}

#ifdef __aarch64__
/* The buckets of each of the 16 windows at @p. */
static uint8x16_t teddy_buckets(const uint8x16_t low[4],
				const uint8x16_t high[4], const uint8_t *p)
{
	uint8x16_t buckets = vdupq_n_u8(UINT8_MAX);

	for (unsigned k = 0; k < 4; k++) {
		uint8x16_t v = vld1q_u8(p + k);

		buckets &= vqtbl1q_u8(low[k], v & vdupq_n_u8(15)) &
			   vqtbl1q_u8(high[k], vshrq_n_u8(v, 4));
	}
	return buckets;
}

static uint64_t teddy_neon(const struct kernel_teddy *t, const uint8_t *page)
{
	const size_t last = FLOW_PAGE - 16 - 3;
	uint8x16_t low[4], high[4];
	uint64_t blocks = 0;

	for (unsigned k = 0; k < 4; k++) {
		low[k] = vld1q_u8(t->low[k]);
		high[k] = vld1q_u8(t->high[k]);
	}
	for (unsigned b = 0; b < FLOW_PAGE / 64; b++) {
		uint8x16_t any = vdupq_n_u8(0);

		for (size_t i = 64 * b; i < 64 * b + 64; i += 16)
			any |= teddy_buckets(low, high,
					     page + (i < last ? i : last));
		blocks |= (uint64_t)(vmaxvq_u8(any) != 0) << b;
	}
	return blocks;
}
#endif

WIDE_GROUPS(, scalar, look_scalar)
NARROW_GROUPS(, scalar, look_scalar)
WIDE_GROUPS(, blocks, look_blocks)
NARROW_GROUPS(, blocks, look_blocks)

#ifdef __x86_64__
#define BASELINE "sse2"
#define TEDDY	 NULL /* SSSE3 has it */
#else
/* libxxhash's digest is the NEON one wherever that is compiled for. */
#define BASELINE "neon"
#define TEDDY	 teddy_neon
#endif

static const struct kernel baseline = {
	BASELINE, NULL, digest, has_zeros, anchors_vector, LOOKS(blocks), TEDDY,
};

static const struct kernel definition = {
	"scalar", NULL, digest, has_zeros, anchors, LOOKS(scalar), teddy,
};

static const struct kernel *const variants[] = {
/* best first */
#ifdef __x86_64__
	&kernel_avx512,
	&kernel_avx2,
#endif
	&baseline,
	&definition,
};

#define N_VARIANTS (sizeof(variants) / sizeof(variants[0]))

/* By whichever thread asks first; all find the same. */
static const struct kernel *_Atomic chosen;

const struct kernel *kernel_variant(size_t i)
{
	return i < N_VARIANTS ? variants[i] : NULL;
}

const struct kernel *kernel_used(void)
{
	const struct kernel *k =
		atomic_load_explicit(&chosen, memory_order_relaxed);

	if (k)
		return k;
	for (size_t i = 0; !k; i++)
		if (!variants[i]->usable || variants[i]->usable())
			k = variants[i];
	atomic_store_explicit(&chosen, k, memory_order_relaxed);
	return k;
}

void kernel_describe(char *ret, size_t cap)
{
	size_t at = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < N_VARIANTS && at < cap; i++)
		if (!variants[i]->usable || variants[i]->usable())
			at += (size_t)snprintf(ret + at, cap - at, "%s%s",
					       at ? ", " : "",
					       variants[i]->name);
}

int kernel_choose(const char *name)
{
	for (size_t i = 0; i < N_VARIANTS; i++) {
		if (strcmp(variants[i]->name, name))
			continue;
		if (variants[i]->usable && !variants[i]->usable())
			return -ENOTSUP;
		chosen = variants[i];
		return 0;
	}
	return -ENOENT;
}
