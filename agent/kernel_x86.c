/* kernel_x86.c - the loops that touch every byte of a page, for AVX2 and
 * AVX-512.
 *
 * Windows of 4 bytes and fewer lie side by side, so a vector hashes eight at
 * once (a third faster).  Of wider ones a window takes two cycles of a Zen 3
 * core that is shared (the multiplication and both shifts go the same two
 * ways), so their number is all that counts.  Measured there and left out:
 * gathering eight table words at once (AVX2: slower than fetching each);
 * windows of 8 bytes every 8 or 16, side by side for vectors (as fast as 6
 * bytes every 10 or 18, slower than 5 every 14); a table of bytes (a third
 * fewer cycles, but it must be so large against chance hits that it gains
 * nothing beyond some 20 atoms); CRC-32 instead of the multiplication (as
 * fast); prefetching the next page (slower); copying less at a time, to find it
 * in L2 (the copy loses what the rest gains).
 *
 * AVX-512 picks eight windows out of 128 bytes with one instruction and gathers
 * their words with another: on a Xeon with AVX512-FP16 (family 6 model 207,
 * November 2026) 27 to 40 % faster in cache than AVX2, 9 to 22 % with the copy.
 * Before that (Ice Lake) microcode against Downfall makes gathers slow; of AMD
 * nobody knows.  So only those that have FP16 use it. */
#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#include <xxhash.h>
#include "kernel_own.h"

#define AVX2 __attribute__((target("avx2,bmi2")))

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
	__m256i words;

	_mm256_store_si256((__m256i *)at, _mm256_srl_epi32(h, shift));
	words = _mm256_setr_epi32((int)t->bits[at[0]], (int)t->bits[at[1]],
				  (int)t->bits[at[2]], (int)t->bits[at[3]],
				  (int)t->bits[at[4]], (int)t->bits[at[5]],
				  (int)t->bits[at[6]], (int)t->bits[at[7]]);
	return _mm256_srlv_epi32(words, _mm256_srli_epi32(h, 5) & five) &
	       _mm256_srlv_epi32(words, _mm256_srli_epi32(h, 10) & five);
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

/* All 32 bytes at once, though only the first word of them counts: is there a
 * zero in each of its halves, be it not the same word's?  Rarely; only then,
 * word by word. */
AVX2 static bool has_zeros_wide(const uint8_t *page)
{
	typedef uint64_t words
		__attribute__((vector_size(32), aligned(1), may_alias));
	const words *w = (const void *)page;
	__m256i a = load(page), b = load(page + 32);
	words any = { 0 };

#pragma GCC unroll 4
	for (size_t i = 64; i < FLOW_PAGE; i += 64) {
		a = _mm256_min_epu32(a, load(page + i));
		b = _mm256_min_epu32(b, load(page + i + 32));
	}
	if (((words)_mm256_min_epu32(a, b))[0])
		return false;
#pragma GCC unroll 8
	for (size_t i = 0; i < FLOW_PAGE / sizeof(*w); i++)
		any |= (words)(w[i] == 0);
	return any[0];
}

/* In memory twice, as its instruction looks up 16 bytes in each half. */
AVX2 INLINE __m256i twice(const uint8_t table[static 16])
{
	return _mm256_broadcastsi128_si256(
		_mm_loadu_si128((const __m128i_u *)table));
}

/* The buckets of each of the 32 windows at @p. */
AVX2 INLINE __m256i teddy_buckets(const __m256i low[4], const __m256i high[4],
				  const uint8_t *p)
{
	const __m256i half = _mm256_set1_epi8(15);
	__m256i buckets = _mm256_set1_epi8(-1);

#pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k++) {
		__m256i v = load(p + k);

		buckets &= _mm256_shuffle_epi8(low[k], v & half) &
			   _mm256_shuffle_epi8(high[k],
					       _mm256_srli_epi16(v, 4) & half);
	}
	return buckets;
}

AVX2 static uint64_t teddy_wide(const struct kernel_teddy *t,
				const uint8_t *page)
{
	enum { BLOCKS = FLOW_PAGE / 64, LAST = FLOW_PAGE - 32 - 3 };
	__m256i low[4], high[4], any;
	uint64_t blocks = 0;

#pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k++) {
		low[k] = twice(t->low[k]);
		high[k] = twice(t->high[k]);
	}
	for (unsigned b = 0; b < BLOCKS; b++) {
		const uint8_t *p = page + 64 * b;
		const uint8_t *q = b < BLOCKS - 1 ? p + 32 : page + LAST;

		any = teddy_buckets(low, high, p) | teddy_buckets(low, high, q);
		blocks |= (uint64_t)!_mm256_testz_si256(any, any) << b;
	}
	return blocks;
}

#define ANCHORS __attribute__((target("avx2,bmi,bmi2,popcnt")))

/* Bit k of the answer: byte k of the 32 at @p begins an anchor. */
ANCHORS INLINE uint64_t anchor_bits(const uint8_t *p)
{
	__m256i sum = _mm256_add_epi8(load(p), load(p + 1));

	sum = _mm256_add_epi8(sum, load(p + 2));
	return (uint32_t)_mm256_movemask_epi8(
		_mm256_cmpeq_epi8(sum, _mm256_set1_epi8(KERNEL_ANCHOR)));
}

/* In one go for the whole page, then those that there are: few words have any,
 * and which ones do no branch could foretell. */
ANCHORS static size_t anchors_wide(const uint8_t *page,
				   uint16_t ret[static KERNEL_ANCHORS_ROOM])
{
	enum { WORDS = FLOW_PAGE / 64, LAST = WORDS - 1 };
	uint64_t word[WORDS], some = 0;
	size_t n = 0;

	for (size_t i = 0; i < LAST; i++) {
		const uint8_t *p = page + 64 * i;

		word[i] = anchor_bits(p) | anchor_bits(p + 32) << 32;
		some |= (uint64_t)(word[i] != 0) << i;
	}
	/* The last fragment begins 32 bytes before the end. */
	word[LAST] = anchor_bits(page + 64 * LAST) |
		     (uint64_t)kernel_is_anchor(page + 64 * LAST + 32) << 32;
	some |= (uint64_t)(word[LAST] != 0) << LAST;
	for (; some && n < KERNEL_ANCHORS; some &= some - 1) {
		size_t i = _tzcnt_u64(some);

		for (uint64_t bits = word[i]; bits; bits &= bits - 1)
			ret[n++] = (uint16_t)(64 * i + _tzcnt_u64(bits));
	}
	return n < KERNEL_ANCHORS ? n : KERNEL_ANCHORS;
}

#ifndef AVX512 /* tests/unit/avx512.h does without */
#define AVX512                                                      \
	__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl," \
			      "avx512vbmi,avx2,bmi2")))
#endif

/* Eight windows of more than 4 bytes, the first at @p, the last within 128
 * bytes of it: not 0 in the lowest bits, as test(). */
AVX512 INLINE __m256i test_wide_8(const struct kernel_table *t,
				  const uint8_t *p, unsigned width,
				  unsigned stride)
{
	const uint64_t ones = 0x0101010101010101, eight = 0x0706050403020100;
	const uint64_t step = ones * stride; /* to the next window's bytes */
	const __m512i bytes = _mm512_setr_epi64(
		(int64_t)eight, (int64_t)(eight + step),
		(int64_t)(eight + 2 * step), (int64_t)(eight + 3 * step),
		(int64_t)(eight + 4 * step), (int64_t)(eight + 5 * step),
		(int64_t)(eight + 6 * step), (int64_t)(eight + 7 * step));
	__m512i w, h;
	__m256i words;

	w = _mm512_maskz_permutex2var_epi8(ones * ((1U << width) - 1),
					   _mm512_loadu_si512(p), bytes,
					   _mm512_loadu_si512(p + 64));
	h = _mm512_mullo_epi64(
		w, _mm512_set1_epi64((int64_t)kernel_hash(1, width)));
	words = _mm512_i64gather_epi32(
		_mm512_srl_epi64(h, _mm_cvtsi32_si128((int)t->shift)),
		(const void *)t->bits, 4);
	return _mm256_srlv_epi32(words,
				 _mm256_and_si256(_mm512_cvtepi64_epi32(w),
						  _mm256_set1_epi32(31)));
}

/* As look_blocks(); eight windows are no block, so one that may be an atom's
 * has them all tested again. */
AVX512 INLINE uint64_t look_wide(const struct kernel_table *table,
				 const uint8_t *page, unsigned width,
				 unsigned stride, unsigned block)
{
	const struct kernel_table t = *table;
	const size_t step = 8 * stride;
	uint64_t blocks = 0;
	size_t at = 0, end;

	if (step > 128) /* eight do not lie within 128 bytes */
		return look_blocks(table, page, width, stride, block);
	for (; at + width <= FLOW_PAGE; at = end) {
		end = at + step;
		if (at + 128 <= FLOW_PAGE) {
			__m256i any = test_wide_8(&t, page + at, width, stride);

			if (_mm256_testz_si256(any, _mm256_set1_epi32(1)))
				continue;
		}
		for (; at < end && at + width <= FLOW_PAGE; at += stride)
			if (test(&t, page + at, width) & 1)
				blocks |= 1ULL << at / block;
	}
	return blocks;
}

/* Sixteen windows of 4 bytes or fewer, as test(). */
AVX512 INLINE __m512i test_16(const struct kernel_table *t, __m512i windows)
{
	const __m512i five = _mm512_set1_epi32(31);
	const __m128i shift = _mm_cvtsi32_si128((int)t->shift - 32);
	__m512i h = _mm512_mullo_epi32(windows,
				       _mm512_set1_epi32((int)KERNEL_HASH_4));
	__m512i words = _mm512_i32gather_epi32(_mm512_srl_epi32(h, shift),
					       (const void *)t->bits, 4);
	__m512i first = _mm512_and_si512(_mm512_srli_epi32(h, 5), five);
	__m512i second = _mm512_and_si512(_mm512_srli_epi32(h, 10), five);

	return _mm512_and_si512(_mm512_srlv_epi32(words, first),
				_mm512_srlv_epi32(words, second));
}

/* As look_eights(). */
AVX512 INLINE uint64_t look_sixteens(const struct kernel_table *table,
				     const uint8_t *page, unsigned width,
				     unsigned stride, unsigned block)
{
	const struct kernel_table t = *table;
	const __m512i mask = _mm512_set1_epi32(width == 3 ? 0xffffff : -1);
	const __mmask16 used = stride == 8 ? 0x5555 : 0xffff;
	const unsigned whole = FLOW_PAGE / block - (width > stride);
	uint64_t blocks = 0;

	for (unsigned b = 0; b < whole; b++) {
		const uint8_t *p = page + b * block;
		__m512i any = _mm512_setzero_si512();

#pragma GCC unroll 4
		for (unsigned k = 0; k < 4; k += stride)
			any = _mm512_or_si512(
				any,
				test_16(&t, _mm512_and_si512(
						    _mm512_loadu_si512(p + k),
						    mask)));
		blocks |= (uint64_t) !!(_mm512_test_epi32_mask(
						any, _mm512_set1_epi32(1)) &
					used)
			  << b;
	}
	for (size_t i = whole * block; i + width <= FLOW_PAGE; i += stride)
		if (test(&t, page + i, width) & 1)
			blocks |= 1ULL << i / block;
	return blocks;
}

WIDE_GROUPS(AVX512, avx512_, look_wide)
NARROW_GROUPS(AVX512, avx512_, look_sixteens)

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") &&
	       __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2") &&
	       __builtin_cpu_supports("popcnt");
}

/* By AVX512-FP16, a bit that clang 14 has no name for. */
static bool has_fast_gathers(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && d & 1U << 23 &&
	       __builtin_cpu_supports("avx512vbmi") &&
	       __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl") && has_avx2();
}

/* libxxhash has a wider digest for CPUs that have more than SSE2, and three
 * times as fast; it looks at the CPU itself. */
#if __has_include(<xxh_x86dispatch.h>)
XXH_PUBLIC_API XXH128_hash_t XXH3_128bits_dispatch(const void *, size_t);
#else
#define XXH3_128bits_dispatch XXH3_128bits
#endif

static struct digest digest_wide(const uint8_t *page)
{
	XXH128_hash_t h = XXH3_128bits_dispatch(page, FLOW_PAGE);

	return (struct digest){ .high = h.high64, .low = h.low64 };
}

const struct kernel kernel_avx512 = {
	"avx512",     has_fast_gathers, digest_wide, has_zeros_wide,
	anchors_wide, LOOKS(avx512_),	teddy_wide,
};

const struct kernel kernel_avx2 = {
	"avx2",	      has_avx2,	   digest_wide, has_zeros_wide,
	anchors_wide, LOOKS(avx2), teddy_wide,
};
#endif
