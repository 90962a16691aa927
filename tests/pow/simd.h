/* simd.h - SIMD-512 (SHA-3 second round, tweaked). */
#ifndef SIMD_H
#define SIMD_H

#include "pow.h"

static const uint32_t simd512_iv[32] = {
	0x0ba16b95, 0x72f999ad, 0x9fecc2ae, 0xba3264fc, 0x5e894929, 0x8e9f30e5,
	0x2f1daa37, 0xf0f2c558, 0xac506643, 0xa90635a5, 0xe25b878b, 0xaab7878f,
	0x88817f7a, 0x0a02892b, 0x559a7550, 0x598f657e, 0x7eef60a1, 0x6b70e3e8,
	0x9c1714d1, 0xb958e2a8, 0xab02675e, 0xed1c014f, 0xcd8d65bb, 0xfdb7a257,
	0x09254899, 0xd699c7bc, 0x9019b6dc, 0x2b9022e4, 0x8fa14956, 0x21bf9bd3,
	0xb94d0943, 0x6ffddc22,
};

/* The number-theoretic transform modulo 257, and its offset for the last or
 * any other block; residues from -128 to 128. */
static inline void simd_transform(const uint8_t *block, bool last,
				  int32_t y[256])
{
	uint32_t power[256], beta = 1, gamma = 1;

	power[0] = 1;
	for (int i = 1; i < 256; i++)
		power[i] = power[i - 1] * 41 % 257;
	for (unsigned i = 0; i < 256; i++) {
		uint32_t sum = beta + (last ? gamma : 0);

		for (unsigned j = 0; j < 128; j++)
			sum += block[j] * power[i * j % 256];
		sum %= 257;
		y[i] = sum <= 128 ? (int32_t)sum : (int32_t)sum - 257;
		beta = beta * 163 % 257;
		gamma = gamma * 40 % 257;
	}
}

static inline void simd_step(uint32_t s[4][8], const uint32_t w[8], bool maj,
			     unsigned r, unsigned t, unsigned step)
{
	static const uint8_t swap[7] = { 1, 6, 2, 3, 5, 7, 4 };
	uint32_t a[8];

	for (int n = 0; n < 8; n++)
		a[n] = rotl32(s[0][n], r);
	for (int n = 0; n < 8; n++) {
		uint32_t x = s[0][n], y = s[1][n], z = s[2][n];
		uint32_t f = maj ? (x & y) | ((x | y) & z) : ((y ^ z) & x) ^ z;

		s[0][n] = rotl32(s[3][n] + w[n] + f, t) + a[n ^ swap[step % 7]];
		s[3][n] = z;
		s[2][n] = y;
		s[1][n] = a[n];
	}
}

static inline void simd_block(uint32_t h[32], const uint8_t *block, bool last)
{
	static const uint8_t order[32] = { 4,  6,  0,  2,  7,  5,  3,  1,
					   15, 11, 12, 8,  9,  13, 10, 14,
					   17, 18, 23, 20, 22, 21, 16, 19,
					   30, 24, 25, 31, 27, 29, 28, 26 };
	static const uint8_t shift[4][4] = { { 3, 23, 17, 27 },
					     { 28, 19, 22, 7 },
					     { 29, 9, 15, 5 },
					     { 4, 13, 10, 25 } };
	static const struct {
		int low, high, factor;
	} pick[4] = { { 0, 1, 185 },
		      { 0, 1, 185 },
		      { -256, -128, 233 },
		      { -383, -255, 233 } };
	uint32_t s[4][8], w[8];
	int32_t y[256];

	simd_transform(block, last, y);
	for (int i = 0; i < 32; i++)
		s[i / 8][i % 8] = h[i] ^ load32(block + 4 * (size_t)i);
	for (unsigned i = 0; i < 32; i++) {
		unsigned r = i / 8;

		for (int n = 0; n < 8; n++) {
			int at = 16 * order[i] + 2 * n;
			int32_t x = y[at + pick[r].low] * pick[r].factor;
			int32_t z = y[at + pick[r].high] * pick[r].factor;

			w[n] = ((uint32_t)x & 0xffff) + ((uint32_t)z << 16);
		}
		simd_step(s, w, i % 8 >= 4, shift[r][i % 4],
			  shift[r][(i + 1) % 4], i);
	}
	for (unsigned i = 0; i < 4; i++)
		simd_step(s, h + 8 * i, false, shift[3][i],
			  shift[3][(i + 1) % 4], 32 + i);
	memcpy(h, s, 128);
}

static inline void simd512(const void *data, size_t len, uint8_t out[64])
{
	uint8_t m[512] = { 0 }, tail[128] = { 0 };
	uint32_t h[32];

	memcpy(h, simd512_iv, 128);
	memcpy(m, data, len);
	for (size_t b = 0; 128 * b < len; b++)
		simd_block(h, m + 128 * b, false);
	store64(tail, 8 * len);
	simd_block(h, tail, true);
	memcpy(out, h, 64);
}

#endif
