/* avx512.h - the AVX-512 that kernel_x86.c uses, a byte or word at a time, so
 * that its variant is tested on any CPU with AVX2.  By the pseudocode of
 * Intel's intrinsics guide. */
#ifndef AVX512_H
#define AVX512_H

#include <cpuid.h>
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define AVX512	  __attribute__((target("avx2,bmi2")))
#define EMULATION AVX512 __attribute__((unused)) static inline

union v512 {
	uint8_t b[64];
	uint32_t d[16];
	uint64_t q[8];
};

#define __m512i union v512

/* @op of lane i of a and b, both of them vectors of @n @lane. */
#define EMULATE_2(name, n, lane, op)                                \
	EMULATION union v512 emu_##name(union v512 a, union v512 b) \
	{                                                           \
		for (unsigned i = 0; i < (n); i++)                  \
			a.lane[i] = op;                             \
		return a;                                           \
	}
#define EMULATE_COUNT(name, type, n, lane, count)                       \
	EMULATION union v512 emu_##name(union v512 a, type by)          \
	{                                                               \
		uint64_t c = count;                                     \
                                                                        \
		for (unsigned i = 0; i < (n); i++)                      \
			a.lane[i] = c < 512 / (n) ? a.lane[i] >> c : 0; \
		return a;                                               \
	}

EMULATE_2(and_si512, 8, q, a.q[i] & b.q[i])
EMULATE_2(or_si512, 8, q, a.q[i] | b.q[i])
EMULATE_2(mullo_epi32, 16, d, a.d[i] * b.d[i])
EMULATE_2(mullo_epi64, 8, q, a.q[i] * b.q[i])
EMULATE_2(srlv_epi32, 16, d, b.d[i] < 32 ? a.d[i] >> b.d[i] : 0)
EMULATE_COUNT(srl_epi32, __m128i, 16, d, (uint64_t)_mm_cvtsi128_si64(by))
EMULATE_COUNT(srl_epi64, __m128i, 8, q, (uint64_t)_mm_cvtsi128_si64(by))
EMULATE_COUNT(srli_epi32, unsigned, 16, d, by)

EMULATION union v512 emu_loadu_si512(const void *p)
{
	union v512 a;

	memcpy(&a, p, sizeof(a));
	return a;
}

EMULATION union v512 emu_set1_epi32(int x)
{
	union v512 a;

	for (unsigned i = 0; i < 16; i++)
		a.d[i] = (uint32_t)x;
	return a;
}

EMULATION union v512 emu_set1_epi64(long long x)
{
	union v512 a;

	for (unsigned i = 0; i < 8; i++)
		a.q[i] = (uint64_t)x;
	return a;
}

EMULATION union v512 emu_setr_epi64(long long a, long long b, long long c,
				    long long d, long long e, long long f,
				    long long g, long long h)
{
	return (union v512){ .q = { (uint64_t)a, (uint64_t)b, (uint64_t)c,
				    (uint64_t)d, (uint64_t)e, (uint64_t)f,
				    (uint64_t)g, (uint64_t)h } };
}

EMULATION union v512 emu_maskz_permutex2var_epi8(uint64_t k, union v512 a,
						 union v512 from, union v512 b)
{
	union v512 r;

	for (unsigned i = 0; i < 64; i++) {
		const union v512 *v = from.b[i] & 64 ? &b : &a;

		r.b[i] = k >> i & 1 ? v->b[from.b[i] & 63] : 0;
	}
	return r;
}

EMULATION __m256i emu_i64gather_epi32(union v512 at, const void *base,
				      int scale)
{
	uint32_t d[8];

	for (unsigned i = 0; i < 8; i++)
		memcpy(&d[i], (const uint8_t *)base + (int64_t)at.q[i] * scale,
		       4);
	return _mm256_loadu_si256((const __m256i_u *)d);
}

EMULATION union v512 emu_i32gather_epi32(union v512 at, const void *base,
					 int scale)
{
	for (unsigned i = 0; i < 16; i++)
		memcpy(&at.d[i],
		       (const uint8_t *)base + (int64_t)(int)at.d[i] * scale,
		       4);
	return at;
}

EMULATION __m256i emu_cvtepi64_epi32(union v512 a)
{
	uint32_t d[8];

	for (unsigned i = 0; i < 8; i++)
		d[i] = (uint32_t)a.q[i];
	return _mm256_loadu_si256((const __m256i_u *)d);
}

EMULATION uint16_t emu_test_epi32_mask(union v512 a, union v512 b)
{
	uint16_t k = 0;

	for (unsigned i = 0; i < 16; i++)
		k |= (uint16_t)((a.d[i] & b.d[i] ? 1 : 0) << i);
	return k;
}

/* Compilers have these as macros. */
#undef _mm512_i32gather_epi32
#undef _mm512_i64gather_epi32
#undef _mm512_setr_epi64

#define _mm512_and_si512	       emu_and_si512
#define _mm512_cvtepi64_epi32	       emu_cvtepi64_epi32
#define _mm512_i32gather_epi32	       emu_i32gather_epi32
#define _mm512_i64gather_epi32	       emu_i64gather_epi32
#define _mm512_loadu_si512	       emu_loadu_si512
#define _mm512_maskz_permutex2var_epi8 emu_maskz_permutex2var_epi8
#define _mm512_mullo_epi32	       emu_mullo_epi32
#define _mm512_mullo_epi64	       emu_mullo_epi64
#define _mm512_or_si512		       emu_or_si512
#define _mm512_set1_epi32	       emu_set1_epi32
#define _mm512_set1_epi64	       emu_set1_epi64
#define _mm512_setr_epi64	       emu_setr_epi64
#define _mm512_setzero_si512()	       emu_set1_epi32(0)
#define _mm512_srl_epi32	       emu_srl_epi32
#define _mm512_srl_epi64	       emu_srl_epi64
#define _mm512_srli_epi32	       emu_srli_epi32
#define _mm512_srlv_epi32	       emu_srlv_epi32
#define _mm512_test_epi32_mask	       emu_test_epi32_mask

#endif
