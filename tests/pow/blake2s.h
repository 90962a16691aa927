/* blake2s.h - BLAKE2s (RFC 7693) of one keyed block and a last one, all that
 * NeoScrypt asks for. */
#ifndef BLAKE2S_H
#define BLAKE2S_H

#include "pow.h"

/* The initial value with the parameters of a 32-byte digest and key folded in;
 * and without, for the compression function. */
static const uint32_t blake2s_keyed_iv[8] = {
	0x6b08c647, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t blake2s_iv[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint8_t blake2s_sigma[10][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static inline void blake2s_g(uint32_t v[16], int a, int b, int c, int d,
			     uint32_t x, uint32_t y)
{
	v[a] += v[b] + x;
	v[d] = rotr32(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = rotr32(v[b] ^ v[c], 12);
	v[a] += v[b] + y;
	v[d] = rotr32(v[d] ^ v[a], 8);
	v[c] += v[d];
	v[b] = rotr32(v[b] ^ v[c], 7);
}

static inline void blake2s_block(uint32_t h[8], const uint8_t *block,
				 uint32_t count, bool last)
{
	uint32_t v[16], m[16];

	memcpy(m, block, 64);
	memcpy(v, h, 32);
	memcpy(v + 8, blake2s_iv, 32);
	v[12] ^= count;
	if (last)
		v[14] = ~v[14];
	for (int r = 0; r < 10; r++) {
		const uint8_t *s = blake2s_sigma[r];

		for (int i = 0; i < 4; i++)
			blake2s_g(v, i, i + 4, i + 8, i + 12, m[s[2 * i]],
				  m[s[2 * i + 1]]);
		for (int i = 0; i < 4; i++)
			blake2s_g(v, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8,
				  (i + 3) % 4 + 12, m[s[2 * i + 8]],
				  m[s[2 * i + 9]]);
	}
	for (int i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

/* Of 64 bytes under a key of 32. */
static inline void blake2s_keyed(const uint8_t *data, const uint8_t *key,
				 uint8_t out[32])
{
	uint8_t block[64] = { 0 };
	uint32_t h[8];

	memcpy(h, blake2s_keyed_iv, 32);
	memcpy(block, key, 32);
	blake2s_block(h, block, 64, false);
	blake2s_block(h, data, 128, true);
	memcpy(out, h, 32);
}

#endif
