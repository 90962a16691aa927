/* kernel.c - the loops that touch every byte of a page, in variants.
 *
 * What a window costs is one multiplication and one load from the bit table;
 * the variants differ in how many are under way before anyone looks at the
 * result.
 *
 * Windows of 4 bytes allow wider strides than those of 6, but in text and code
 * they are often an atom's by chance: every 12 bytes against every 10 they gain
 * a tenth on noise and lose half on text.
 *
 * Windows of 4 bytes and fewer lie side by side, so a vector hashes eight at
 * once (a third faster).  Of wider ones a window takes two cycles of a Zen 3
 * core that is shared (the multiplication and both shifts go the same two
 * ways), so their number is all that counts.  Measured and left out: gathering
 * eight table words at once (AVX2: slower than fetching each); windows of 8
 * bytes every 8 or 16, side by side for vectors (as fast as 6 bytes every 10 or
 * 18, slower than 5 every 14); a table of bytes (a third fewer cycles, but it
 * must be so large against chance hits that it gains nothing beyond some 20
 * atoms); CRC-32 instead of the multiplication (as fast); prefetching the next
 * page (slower); copying less at a time, to find it in L2 (the copy loses what
 * the rest gains). */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <xxhash.h>
#include "kernel.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define INLINE __attribute__((always_inline)) static inline

const struct kernel_group kernel_groups[KERNEL_GROUPS] = {
	{ 6, 26, 208 }, { 6, 18, 144 }, { 5, 14, 112 },
	{ 6, 10, 80 },	{ 4, 8, 64 },	{ 4, 4, 64 },
	{ 8, 4, 64 },	{ 4, 1, 64 },	{ 3, 1, 64 },
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

static size_t anchors(const uint8_t *page, uint16_t ret[static KERNEL_ANCHORS])
{
	size_t n = 0;

	for (size_t i = 0; i <= FLOW_PAGE - KERNEL_FRAGMENT; i++)
		if (kernel_is_anchor(page + i) && n < KERNEL_ANCHORS)
			ret[n++] = (uint16_t)i;
	return n;
}

/* Not 0 in its lowest bit: the window at @p may be an atom's.  The hash of a
 * narrow one is not put together, only to be taken apart. */
INLINE uint32_t test(const struct kernel_table *t, const uint8_t *p,
		     unsigned width)
{
	uint64_t w = kernel_window(p, width), h = kernel_hash(w, width);
	uint32_t narrow = (uint32_t)w * KERNEL_HASH_4;

	return width > 4 ? t->bits[h >> t->shift] >> (h & 31)
			 : t->bits[narrow >> (t->shift - 32)] >>
				   (narrow >> 5 & 31);
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

/* The same; of 5 and 6 bytes, eight are read and the others left out. */
INLINE uint32_t test_wide(const struct kernel_table *t, const uint8_t *p,
			  unsigned width)
{
	uint64_t w, h;

	if (width != 5 && width != 6)
		return test(t, p, width);
	memcpy(&w, p, 8);
	h = kernel_hash(w & ((1ULL << 8 * width) - 1), width);
	return t->bits[h >> t->shift] >> (h & 31);
}

/* A block at a time, without a branch in it; at last what is less than one. */
INLINE uint64_t look_blocks(const struct kernel_table *table,
			    const uint8_t *page, unsigned width,
			    unsigned stride, unsigned block)
{
	const struct kernel_table t = *table; /* in registers */
	const unsigned read = width == 5 || width == 6 ? 8 : width;
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
	GROUP(attribute, name, loop, 2, 5, 14, 112) \
	GROUP(attribute, name, loop, 3, 6, 10, 80)  \
	GROUP(attribute, name, loop, 6, 8, 4, 64)
#define NARROW_GROUPS(attribute, name, loop)      \
	GROUP(attribute, name, loop, 4, 4, 8, 64) \
	GROUP(attribute, name, loop, 5, 4, 4, 64) \
	GROUP(attribute, name, loop, 7, 4, 1, 64) \
	GROUP(attribute, name, loop, 8, 3, 1, 64)
#define LOOKS(name)                                                            \
	{                                                                      \
		name##0, name##1, name##2, name##3, name##4, name##5, name##6, \
			name##7, name##8                                       \
	}

WIDE_GROUPS(, scalar, look_scalar)
NARROW_GROUPS(, scalar, look_scalar)
WIDE_GROUPS(, blocks, look_blocks)
NARROW_GROUPS(, blocks, look_blocks)

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))

AVX2 INLINE __m256i load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i_u *)p);
}

/* Eight windows at once: not 0 in the lowest bits, as test(). */
AVX2 INLINE __m256i test_8(const struct kernel_table *t, __m256i windows)
{
	const __m256i five = _mm256_set1_epi32(31);
	const __m128i shift = _mm_cvtsi32_si128((int)t->shift - 32);
	__m256i h = _mm256_mullo_epi32(windows,
				       _mm256_set1_epi32((int)KERNEL_HASH_4));
	uint32_t at[8] __attribute__((aligned(32)));

	_mm256_store_si256((__m256i *)at, _mm256_srl_epi32(h, shift));
	return _mm256_srlv_epi32(
		_mm256_setr_epi32((int)t->bits[at[0]], (int)t->bits[at[1]],
				  (int)t->bits[at[2]], (int)t->bits[at[3]],
				  (int)t->bits[at[4]], (int)t->bits[at[5]],
				  (int)t->bits[at[6]], (int)t->bits[at[7]]),
		_mm256_and_si256(_mm256_srli_epi32(h, 5), five));
}

/* The windows that begin in the 64 bytes at @p, of 4 bytes or fewer. */
AVX2 INLINE __m256i test_block(const struct kernel_table *t, const uint8_t *p,
			       unsigned width, unsigned stride)
{
	const __m256i mask = _mm256_set1_epi32(width == 3 ? 0xffffff : -1);
	__m256i any = _mm256_setzero_si256();

	if (stride == 8) /* every other of them; their order does not matter */
		return test_8(
			t, _mm256_castps_si256(_mm256_shuffle_ps(
				   _mm256_castsi256_ps(load(p)),
				   _mm256_castsi256_ps(load(p + 32)), 0x88)));
#pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k += stride)
		for (unsigned half = 0; half < 64; half += 32)
			any |= test_8(t, load(p + k + half) & mask);
	return any;
}

/* As look_blocks(). */
AVX2 INLINE uint64_t look_eights(const struct kernel_table *table,
				 const uint8_t *page, unsigned width,
				 unsigned stride, unsigned block)
{
	const struct kernel_table t = *table;
	const unsigned whole = FLOW_PAGE / block - (width > stride);
	uint64_t blocks = 0;

	for (unsigned b = 0; b < whole; b++) {
		__m256i any = test_block(&t, page + b * block, width, stride);

		any &= _mm256_set1_epi32(1);
		blocks |= (uint64_t)!_mm256_testz_si256(any, any) << b;
	}
	for (size_t i = whole * block; i + width <= FLOW_PAGE; i += stride)
		if (test(&t, page + i, width) & 1)
			blocks |= 1ULL << i / block;
	return blocks;
}

WIDE_GROUPS(AVX2, avx2, look_blocks)
NARROW_GROUPS(AVX2, avx2, look_eights)

/* All four words of 32 bytes at once, though only the first one counts. */
AVX2 static bool has_zeros_wide(const uint8_t *page)
{
	typedef uint64_t words
		__attribute__((vector_size(32), aligned(1), may_alias));
	const words *w = (const void *)page;
	words any = { 0 };

#pragma GCC unroll 8
	for (size_t i = 0; i < FLOW_PAGE / sizeof(*w); i++)
		any |= (words)(w[i] == 0);
	return any[0];
}

/* Those of the windows at every second byte from @p that are anchors: all bits
 * of their 16 are set. */
AVX2 INLINE __m256i test_anchors(const uint8_t *p)
{
	__m256i sum = _mm256_add_epi16(load(p), load(p + 2));

	sum = _mm256_mullo_epi16(sum, _mm256_set1_epi16((short)0x9E37));
	return _mm256_cmpgt_epi16(sum, _mm256_set1_epi16(INT16_MAX - 256));
}

/* Bit k of the answer: byte k of the 32 at @p begins an anchor. */
AVX2 INLINE uint64_t anchor_bits(const uint8_t *p)
{
	const __m256i odd = _mm256_set1_epi16((short)0xff00);

	return (uint32_t)_mm256_movemask_epi8(_mm256_blendv_epi8(
		test_anchors(p), test_anchors(p + 1), odd));
}

/* Of 64 bytes hardly ever more than two begin one, and which ones do no branch
 * could foretell: two are written, whether they are there or not. */
AVX2 static size_t anchors_wide(const uint8_t *page,
				uint16_t ret[static KERNEL_ANCHORS])
{
	const size_t last = FLOW_PAGE - 64; /* 32 bytes and one of it */
	uint16_t at[KERNEL_ANCHORS + 64];
	size_t n = 0;

	for (size_t i = 0; i <= last && n < KERNEL_ANCHORS; i += 64) {
		uint64_t high = i < last ? anchor_bits(page + i + 32)
					 : kernel_is_anchor(page + i + 32);
		uint64_t bits = anchor_bits(page + i) | high << 32;
		size_t all = n + (size_t)__builtin_popcountll(bits);

		at[n++] = (uint16_t)(i + _tzcnt_u64(bits));
		bits &= bits - 1;
		at[n++] = (uint16_t)(i + _tzcnt_u64(bits));
		for (bits &= bits - 1; bits; bits &= bits - 1)
			at[n++] = (uint16_t)(i + _tzcnt_u64(bits));
		n = all;
	}
	n = n < KERNEL_ANCHORS ? n : KERNEL_ANCHORS;
	memcpy(ret, at, n * sizeof(*ret));
	return n;
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") &&
	       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
	       __builtin_cpu_supports("popcnt");
}

/* libxxhash has a wider digest for CPUs that have more than SSE2, and three
 * times as fast; it looks at the CPU itself. */
#if __has_include(<xxh_x86dispatch.h>)
XXH_PUBLIC_API XXH128_hash_t XXH3_128bits_dispatch(const void *, size_t);

static struct digest digest_wide(const uint8_t *page)
{
	XXH128_hash_t h = XXH3_128bits_dispatch(page, FLOW_PAGE);

	return (struct digest){ .high = h.high64, .low = h.low64 };
}
#else
#define digest_wide digest
#endif
#endif

static const struct kernel variants[] = {
/* best first */
#ifdef __x86_64__
	{ "avx2", has_avx2, digest_wide, has_zeros_wide, anchors_wide,
	  LOOKS(avx2) },
	{ "sse2", NULL, digest, has_zeros, anchors, LOOKS(blocks) },
#else
	/* libxxhash's digest is the NEON one wherever that is compiled for. */
	{ "neon", NULL, digest, has_zeros, anchors, LOOKS(blocks) },
#endif
	{ "scalar", NULL, digest, has_zeros, anchors, LOOKS(scalar) },
};

#define N_VARIANTS (sizeof(variants) / sizeof(variants[0]))

/* By whichever thread asks first; all find the same. */
static const struct kernel *_Atomic chosen;

const struct kernel *kernel_variant(size_t i)
{
	return i < N_VARIANTS ? &variants[i] : NULL;
}

const struct kernel *kernel_used(void)
{
	const struct kernel *k =
		atomic_load_explicit(&chosen, memory_order_relaxed);

	if (k)
		return k;
	for (size_t i = 0; !k; i++)
		if (!variants[i].usable || variants[i].usable())
			k = &variants[i];
	atomic_store_explicit(&chosen, k, memory_order_relaxed);
	return k;
}

int kernel_choose(const char *name)
{
	for (size_t i = 0; i < N_VARIANTS; i++) {
		if (strcmp(variants[i].name, name))
			continue;
		if (variants[i].usable && !variants[i].usable())
			return -ENOTSUP;
		chosen = &variants[i];
		return 0;
	}
	return -ENOENT;
}
