/* groestl.h - Groestl (SHA-3 final submission), 256 and 512 bits. */
#ifndef GROESTL_H
#define GROESTL_H

#include "pow.h"
#include "tables.h"

#define GROESTL_MOST 16 /* columns */

/* Both permutations: P (q = 0) and Q (q = 1), of @n columns of eight bytes. */
static inline void groestl_permute(uint64_t *s, int n, int q)
{
	static const uint8_t shifts[2][2][8] = {
		{ { 0, 1, 2, 3, 4, 5, 6, 7 }, { 1, 3, 5, 7, 0, 2, 4, 6 } },
		{ { 0, 1, 2, 3, 4, 5, 6, 11 }, { 1, 3, 5, 11, 0, 2, 4, 6 } },
	};
	const uint8_t *shift = shifts[n == 16][q];
	uint64_t t[GROESTL_MOST];

	for (uint64_t r = 0; r < (n == 8 ? 10 : 14); r++) {
		for (int i = 0; i < n; i++) {
			uint64_t c = (uint64_t)i << 4 ^ r;

			s[i] ^= q ? ~(c << 56) : c;
		}
		for (int i = 0; i < n; i++) {
			t[i] = 0;
			for (unsigned k = 0; k < 8; k++) {
				uint64_t from = s[(i + shift[k]) % n];

				t[i] ^= rotl64(groestl_t[from >> 8 * k & 255],
					       8 * k);
			}
		}
		memcpy(s, t, 8 * (size_t)n);
	}
}

/* @bits 256 or 512; @len so short that two blocks at most are needed. */
static inline void groestl(const void *data, size_t len, uint8_t *out, int bits)
{
	int n = bits == 256 ? 8 : 16;
	size_t block = 8 * (size_t)n, blocks = (len + 9 + block - 1) / block;
	uint64_t h[GROESTL_MOST] = { 0 }, p[GROESTL_MOST], q[GROESTL_MOST];
	uint8_t m[512] = { 0 };

	memcpy(m, data, len);
	m[len] = 0x80;
	store64be(m + blocks * block - 8, blocks);
	h[n - 1] = __builtin_bswap64((uint64_t)bits);
	for (size_t b = 0; b < blocks; b++) {
		memcpy(q, m + b * block, block);
		for (int i = 0; i < n; i++)
			p[i] = h[i] ^ q[i];
		groestl_permute(p, n, 0);
		groestl_permute(q, n, 1);
		for (int i = 0; i < n; i++)
			h[i] ^= p[i] ^ q[i];
	}
	memcpy(p, h, block);
	groestl_permute(p, n, 0);
	for (int i = 0; i < n; i++)
		h[i] ^= p[i];
	memcpy(out, h + n / 2, block / 2);
}

#endif
