/* skein.h - Skein-512 (version 1.3) of 256 and 512 bits. */
#ifndef SKEIN_H
#define SKEIN_H

#include "pow.h"

/* The chaining value after the configuration block (paper, appendix B). */
static const uint64_t skein_iv[2][8] = {
	{ 0xccd044a12fdb3e13, 0xe83590301a79a9eb, 0x55aea0614f816e6f,
	  0x2a2767a4ae9b94db, 0xec06025e74dd7683, 0xe7a436cdc4746251,
	  0xc36fbaf9393ad185, 0x3eedba1833edfc13 },
	{ 0x4903adff749c51ce, 0x0d95de399746df03, 0x8fd1934127c79bce,
	  0x9a255629ff352cb1, 0x5db62599df6ca7b0, 0xeabe394ca9d5c3f4,
	  0x991112c71a75b523, 0xae18a40b660fcc33 },
};

static inline void skein_block(uint64_t h[8], const uint8_t *block,
			       uint64_t count, uint64_t flags)
{
	static const uint8_t rotation[8][4] = {
		{ 46, 36, 19, 37 }, { 33, 27, 14, 42 }, { 17, 49, 36, 39 },
		{ 44, 9, 54, 56 },  { 39, 30, 34, 24 }, { 13, 50, 10, 17 },
		{ 25, 29, 39, 43 }, { 8, 35, 56, 22 },
	};
	uint64_t t[3] = { count, flags, count ^ flags };
	uint64_t k[9], m[8], x[8], y[8];

	memcpy(m, block, 64);
	k[8] = 0x1bd11bdaa9fc1a22;
	for (int i = 0; i < 8; i++)
		k[8] ^= k[i] = h[i];
	for (int i = 0; i < 8; i++)
		x[i] = m[i];
	for (unsigned r = 0; r < 72; r++) {
		if (r % 4 == 0) {
			unsigned s = r / 4;

			for (unsigned i = 0; i < 8; i++)
				x[i] += k[(s + i) % 9];
			x[5] += t[s % 3];
			x[6] += t[(s + 1) % 3];
			x[7] += s;
		}
		for (int i = 0; i < 8; i += 2) {
			x[i] += x[i + 1];
			x[i + 1] =
				rotl64(x[i + 1], rotation[r % 8][i / 2]) ^ x[i];
		}
		memcpy(y, x, 64);
		x[0] = y[2], x[2] = y[4], x[4] = y[6], x[6] = y[0];
		x[3] = y[7], x[7] = y[3]; /* 1 and 5 stay */
	}
	for (unsigned i = 0; i < 8; i++)
		x[i] += k[i]; /* (18 + i) % 9 */
	x[5] += t[0];
	x[6] += t[1];
	x[7] += 18;
	for (int i = 0; i < 8; i++)
		h[i] = x[i] ^ m[i];
}

/* @bits 256 or 512, @len below 256. */
static inline void skein(const void *data, size_t len, uint8_t *out, int bits)
{
	uint64_t h[8];
	uint8_t m[256] = { 0 };
	size_t n = len ? (len + 63) / 64 : 1;

	memcpy(h, skein_iv[bits == 512], 64);
	memcpy(m, data, len);
	for (size_t b = 0; b < n; b++) {
		uint64_t flags = 48ULL << 56; /* message */

		flags |= b == 0 ? 1ULL << 62 : 0;
		flags |= b == n - 1 ? 1ULL << 63 : 0;
		skein_block(h, m + 64 * b, b == n - 1 ? len : 64 * (b + 1),
			    flags);
	}
	memset(m, 0, 64);
	skein_block(h, m, 8, 255ULL << 56);
	memcpy(out, h, (size_t)bits / 8);
}

#endif
