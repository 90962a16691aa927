/* cubehash.h - CubeHash16/32 (SHA-3 second round), 256 and 512 bits. */
#ifndef CUBEHASH_H
#define CUBEHASH_H

#include "pow.h"

static const uint32_t cubehash_iv[2][32] = {
	{ 0xea2bd4b4, 0xccd6f29f, 0x63117e71, 0x35481eae, 0x22512d5b,
	  0xe5d94e63, 0x7e624131, 0xf4cc12be, 0xc2d0b696, 0x42af2070,
	  0xd0720c35, 0x3361da8c, 0x28cceca4, 0x8ef8ad83, 0x4680ac00,
	  0x40e5fbab, 0xd89041c3, 0x6107fbd5, 0x6c859d41, 0xf0b26679,
	  0x09392549, 0x5fa25603, 0x65c892fd, 0x93cb6285, 0x2af2b5ae,
	  0x9e4b4e60, 0x774abfdd, 0x85254725, 0x15815aeb, 0x4ab6aad6,
	  0x9cdaf8af, 0xd6032c0a },
	{ 0x2aea2a61, 0x50f494d4, 0x2d538b8b, 0x4167d83e, 0x3fee2313,
	  0xc701cf8c, 0xcc39968e, 0x50ac5695, 0x4d42c787, 0xa647a8b3,
	  0x97cf0bef, 0x825b4537, 0xeef864d2, 0xf22090c4, 0xd0e5cd33,
	  0xa23911ae, 0xfcd398d9, 0x148fe485, 0x1b017bef, 0xb6444532,
	  0x6a536159, 0x2ff5781c, 0x91fa7934, 0x0dbadea9, 0xd65c8a2b,
	  0xa5a70e75, 0xb1c62456, 0xbc796576, 0x1921c8f7, 0xe7989af1,
	  0x7795d246, 0xd43e3b44 },
};

static inline void cubehash_rounds(uint32_t x[32], int rounds)
{
	uint32_t y[16];

	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < 16; i++)
			x[16 + i] += x[i];
		for (int i = 0; i < 16; i++)
			y[i ^ 8] = rotl32(x[i], 7);
		for (int i = 0; i < 16; i++)
			x[i] = y[i] ^ x[16 + i];
		for (int i = 0; i < 16; i++)
			y[i ^ 2] = x[16 + i];
		for (int i = 0; i < 16; i++)
			x[16 + i] = y[i] + x[i];
		for (int i = 0; i < 16; i++)
			y[i ^ 4] = rotl32(x[i], 11);
		for (int i = 0; i < 16; i++)
			x[i] = y[i] ^ x[16 + i];
		for (int i = 0; i < 16; i++)
			y[i ^ 1] = x[16 + i];
		memcpy(x + 16, y, 64);
	}
}

static inline void cubehash(const void *data, size_t len, uint8_t *out,
			    int bits)
{
	uint8_t m[512] = { 0 };
	uint32_t x[32];

	memcpy(x, cubehash_iv[bits == 512], 128);
	memcpy(m, data, len);
	m[len] = 0x80;
	for (size_t b = 0; b <= len / 32; b++) {
		for (size_t i = 0; i < 8; i++)
			x[i] ^= load32(m + 32 * b + 4 * i);
		cubehash_rounds(x, 16);
	}
	x[31] ^= 1;
	cubehash_rounds(x, 160);
	memcpy(out, x, (size_t)bits / 8);
}

#endif
