/* luffa.h - Luffa-512 (SHA-3 second round, version 2). */
#ifndef LUFFA_H
#define LUFFA_H

#include "pow.h"

static const uint32_t luffa_iv[5][8] = {
	{ 0x6d251e69, 0x44b051e0, 0x4eaa6fb4, 0xdbf78465, 0x6e292011,
	  0x90152df4, 0xee058139, 0xdef610bb },
	{ 0xc3b44b95, 0xd9d2f256, 0x70eee9a0, 0xde099fa3, 0x5d9b0557,
	  0x8fc944b3, 0xcf1ccf0e, 0x746cd581 },
	{ 0xf7efc89d, 0x5dba5781, 0x04016ce5, 0xad659c05, 0x0306194f,
	  0x666d1836, 0x24aa230a, 0x8b264ae7 },
	{ 0x858075d5, 0x36d79cce, 0xe571f7d7, 0x204b1f67, 0x35870c6a,
	  0x57e9e923, 0x14bcb808, 0x7cde72ce },
	{ 0x6c68e9be, 0x5ec41e22, 0xc825b7c7, 0xaffb4363, 0xf5df3999,
	  0x0fc688f1, 0xb07224cc, 0x03e86cea },
};

/* Step constants for words 0 and 4 of each of the five permutations. */
static const uint32_t luffa_rc[5][2][8] = {
	{ { 0x303994a6, 0xc0e65299, 0x6cc33a12, 0xdc56983e, 0x1e00108f,
	    0x7800423d, 0x8f5b7882, 0x96e1db12 },
	  { 0xe0337818, 0x441ba90d, 0x7f34d442, 0x9389217f, 0xe5a8bce6,
	    0x5274baf4, 0x26889ba7, 0x9a226e9d } },
	{ { 0xb6de10ed, 0x70f47aae, 0x0707a3d4, 0x1c1e8f51, 0x707a3d45,
	    0xaeb28562, 0xbaca1589, 0x40a46f3e },
	  { 0x01685f3d, 0x05a17cf4, 0xbd09caca, 0xf4272b28, 0x144ae5cc,
	    0xfaa7ae2b, 0x2e48f1c1, 0xb923c704 } },
	{ { 0xfc20d9d2, 0x34552e25, 0x7ad8818f, 0x8438764a, 0xbb6de032,
	    0xedb780c8, 0xd9847356, 0xa2c78434 },
	  { 0xe25e72c1, 0xe623bb72, 0x5c58a4a4, 0x1e38e2e7, 0x78e38b9d,
	    0x27586719, 0x36eda57f, 0x703aace7 } },
	{ { 0xb213afa5, 0xc84ebe95, 0x4e608a22, 0x56d858fe, 0x343b138f,
	    0xd0ec4e3d, 0x2ceb4882, 0xb3ad2208 },
	  { 0xe028c9bf, 0x44756f91, 0x7e8fce32, 0x956548be, 0xfe191be2,
	    0x3cb226e5, 0x5944a28e, 0xa1c4c355 } },
	{ { 0xf0d2e9e3, 0xac11d7fa, 0x1bcb66f2, 0x6f2d9bc9, 0x78602649,
	    0x8edae952, 0x3b6ba548, 0xedae9520 },
	  { 0x5090d577, 0x2d1925ab, 0xb46496ac, 0xd1925ab0, 0x29131ab6,
	    0x0fc053c3, 0x3f014f0c, 0xfc053c31 } },
};

static inline void luffa_double(uint32_t a[8])
{
	uint32_t t = a[7];

	for (int i = 7; i > 0; i--)
		a[i] = a[i - 1];
	a[0] = t;
	a[1] ^= t;
	a[3] ^= t;
	a[4] ^= t;
}

static inline void luffa_sub_crumb(uint32_t *a, uint32_t *b, uint32_t *c,
				   uint32_t *d)
{
	uint32_t t = *a;

	*a |= *b;
	*c ^= *d;
	*b = ~*b;
	*a ^= *d;
	*d &= t;
	*b ^= *d;
	*d ^= *c;
	*c &= *a;
	*a = ~*a;
	*c ^= *b;
	*b |= *d;
	t ^= *b;
	*d ^= *c;
	*c &= *b;
	*b ^= *a;
	*a = t;
}

static inline void luffa_permute(uint32_t a[8], unsigned j)
{
	for (int i = 4; i < 8; i++)
		a[i] = rotl32(a[i], j); /* the tweak */
	for (int r = 0; r < 8; r++) {
		luffa_sub_crumb(&a[0], &a[1], &a[2], &a[3]);
		luffa_sub_crumb(&a[5], &a[6], &a[7], &a[4]);
		for (int i = 0; i < 4; i++) {
			uint32_t x = a[i], y = a[i + 4] ^ a[i];

			x = rotl32(x, 2) ^ y;
			y = rotl32(y, 14) ^ x;
			x = rotl32(x, 10) ^ y;
			a[i] = x;
			a[i + 4] = rotl32(y, 1);
		}
		a[0] ^= luffa_rc[j][0][r];
		a[4] ^= luffa_rc[j][1][r];
	}
}

/* v[j] becomes twice itself and what its neighbour to the @side was. */
static inline void luffa_ring(uint32_t v[5][8], int side)
{
	uint32_t old[5][8];

	memcpy(old, v, sizeof(old));
	for (int j = 0; j < 5; j++) {
		luffa_double(v[j]);
		for (int i = 0; i < 8; i++)
			v[j][i] ^= old[(j + side) % 5][i];
	}
}

static inline void luffa_block(uint32_t v[5][8], const uint8_t *block)
{
	uint32_t a[8] = { 0 }, m[8];

	for (int i = 0; i < 8; i++) {
		m[i] = load32be(block + 4 * i);
		for (int j = 0; j < 5; j++)
			a[i] ^= v[j][i];
	}
	luffa_double(a);
	for (int j = 0; j < 5; j++)
		for (int i = 0; i < 8; i++)
			v[j][i] ^= a[i];
	luffa_ring(v, 1);
	luffa_ring(v, 4);
	for (unsigned j = 0; j < 5; j++) {
		for (int i = 0; i < 8; i++)
			v[j][i] ^= m[i];
		luffa_double(m);
		luffa_permute(v[j], j);
	}
}

static inline void luffa512(const void *data, size_t len, uint8_t out[64])
{
	uint8_t m[512] = { 0 };
	uint32_t v[5][8];
	size_t n = len / 32 + 1;

	memcpy(v, luffa_iv, sizeof(v));
	memcpy(m, data, len);
	m[len] = 0x80;
	for (size_t b = 0; b < n + 2; b++) { /* two blank ones at the end */
		luffa_block(v, m + 32 * b);
		for (int i = 0; i < 8 && b >= n; i++) {
			uint32_t x = 0;

			for (int j = 0; j < 5; j++)
				x ^= v[j][i];
			store32be(out + 32 * (b - n) + 4 * (size_t)i, x);
		}
	}
}

#endif
