/* bmw.h - Blue Midnight Wish (SHA-3 second round), 256 and 512 bits. */
#ifndef BMW_H
#define BMW_H

#include "pow.h"

/* The terms of W, as index + 1, negative if subtracted. */
static const int8_t bmw_terms[16][5] = {
	{ 6, -8, 11, 14, 15 },	{ 7, -9, 12, 15, -16 },
	{ 1, 8, 10, -13, 16 },	{ 1, -2, 9, -11, 14 },
	{ 2, 3, 10, -12, -15 }, { 4, -3, 11, -13, 16 },
	{ 5, -1, -4, -12, 14 }, { 2, -5, -6, -13, -15 },
	{ 3, -6, -7, 14, -16 }, { 1, -4, 7, -8, 15 },
	{ 9, -2, -5, -8, 16 },	{ 9, -1, -3, -6, 10 },
	{ 2, 4, -7, -10, 11 },	{ 3, 5, 8, 11, 12 },
	{ 4, -6, 9, -12, -13 }, { 13, -5, -7, -10, 14 },
};

/* Both widths are the same code over another word; rotations differ. */
#define BMW(bits, word, rotl, unit, S, R)                                      \
	static inline word bmw##bits##_s(word x, int n)                        \
	{                                                                      \
		static const uint8_t s[4][4] = S;                              \
                                                                               \
		if (n == 4)                                                    \
			return x >> 1 ^ x;                                     \
		if (n == 5)                                                    \
			return x >> 2 ^ x;                                     \
		return x >> s[n][0] ^ x << s[n][1] ^ rotl(x, s[n][2]) ^        \
		       rotl(x, s[n][3]);                                       \
	}                                                                      \
                                                                               \
	static inline word bmw##bits##_add(const word m[16], const word h[16], \
					   unsigned j)                         \
	{                                                                      \
		unsigned a = j % 16, b = (j + 3) % 16, c = (j + 10) % 16;      \
                                                                               \
		return (rotl(m[a], a + 1) + rotl(m[b], b + 1) -                \
			rotl(m[c], c + 1) + (word)(j + 16) * unit) ^           \
		       h[(j + 7) % 16];                                        \
	}                                                                      \
                                                                               \
	static inline void bmw##bits##_expand(const word m[16],                \
					      const word h[16], word q[32])    \
	{                                                                      \
		static const uint8_t r[7] = R;                                 \
                                                                               \
		for (int i = 0; i < 16; i++) {                                 \
			word w = 0;                                            \
                                                                               \
			for (int k = 0; k < 5; k++) {                          \
				int t = bmw_terms[i][k];                       \
				int at = (t < 0 ? -t : t) - 1;                 \
				word x = m[at] ^ h[at];                        \
                                                                               \
				w += t < 0 ? -x : x;                           \
			}                                                      \
			q[i] = bmw##bits##_s(w, i % 5) + h[(i + 1) % 16];      \
		}                                                              \
		for (int i = 16; i < 32; i++) {                                \
			word sum = bmw##bits##_add(m, h, (unsigned)i - 16);    \
                                                                               \
			for (int k = 16; i < 18 && k > 0; k--)                 \
				sum += bmw##bits##_s(q[i - k], (17 - k) % 4);  \
			for (int k = 16; i >= 18 && k > 2; k--)                \
				sum += k % 2 ? rotl(q[i - k], r[7 - k / 2])    \
					     : q[i - k];                       \
			if (i >= 18)                                           \
				sum += bmw##bits##_s(q[i - 2], 4) +            \
				       bmw##bits##_s(q[i - 1], 5);             \
			q[i] = sum;                                            \
		}                                                              \
	}                                                                      \
                                                                               \
	static inline void bmw##bits##_block(word h[16], const word m[16])     \
	{                                                                      \
		/* shifts of XH and of Q (or XL); negative to the right */     \
		static const int8_t s[16][2] = {                               \
			{ 5, -5 }, { -7, 8 }, { -5, 5 }, { -1, 5 },            \
			{ -3, 0 }, { 6, -6 }, { -4, 6 }, { -11, 2 },           \
			{ 8 },	   { -6 },    { 6 },	 { 4 },                \
			{ -3 },	   { -4 },    { -7 },	 { -2 },               \
		};                                                             \
		word q[32], xl = 0, xh;                                        \
                                                                               \
		bmw##bits##_expand(m, h, q);                                   \
		for (int i = 16; i < 24; i++)                                  \
			xl ^= q[i];                                            \
		xh = xl;                                                       \
		for (int i = 24; i < 32; i++)                                  \
			xh ^= q[i];                                            \
		for (int i = 0; i < 8; i++)                                    \
			h[i] = (BMW_SHIFT(xh, s[i][0]) ^                       \
				BMW_SHIFT(q[16 + i], s[i][1]) ^ m[i]) +        \
			       (xl ^ q[24 + i] ^ q[i]);                        \
		for (unsigned i = 8; i < 16; i++)                              \
			h[i] = rotl(h[(i - 4) % 8], i + 1) +                   \
			       (xh ^ q[16 + i] ^ m[i]) +                       \
			       (BMW_SHIFT(xl, s[i][0]) ^ q[16 + (i - 1) % 8] ^ \
				q[i]);                                         \
	}                                                                      \
                                                                               \
	static const word bmw##bits##_iv[16] = BMW_IV_##bits;                  \
	static const word bmw##bits##_final[16] = BMW_FINAL_##bits;            \
                                                                               \
	static inline void bmw##bits(const void *data, size_t len,             \
				     uint8_t *out)                             \
	{                                                                      \
		const size_t block = 16 * sizeof(word);                        \
		size_t n = (len + 9 + block - 1) / block;                      \
		uint8_t bytes[512] = { 0 };                                    \
		word h[16], m[16];                                             \
                                                                               \
		memcpy(h, bmw##bits##_iv, block);                              \
		memcpy(bytes, data, len);                                      \
		bytes[len] = 0x80;                                             \
		store64(bytes + n * block - 8, 8 * len);                       \
		for (size_t b = 0; b < n; b++) {                               \
			memcpy(m, bytes + b * block, block);                   \
			bmw##bits##_block(h, m);                               \
		}                                                              \
		memcpy(m, h, block);                                           \
		memcpy(h, bmw##bits##_final, block);                           \
		bmw##bits##_block(h, m);                                       \
		memcpy(out, h + 8, block / 2);                                 \
	}

#define BMW_SHIFT(x, n) ((n) < 0 ? (x) >> (-(n)&31) : (x) << ((n)&31))

#define BMW_S_512                                                    \
	{                                                            \
		{ 1, 3, 4, 37 }, { 1, 2, 13, 43 }, { 2, 1, 19, 53 }, \
		{                                                    \
			2, 2, 28, 59                                 \
		}                                                    \
	}
#define BMW_S_256                                                   \
	{                                                           \
		{ 1, 3, 4, 19 }, { 1, 2, 8, 23 }, { 2, 1, 12, 25 }, \
		{                                                   \
			2, 2, 15, 29                                \
		}                                                   \
	}
#define BMW_R_512                         \
	{                                 \
		5, 11, 27, 32, 37, 43, 53 \
	}
#define BMW_R_256                        \
	{                                \
		3, 7, 13, 16, 19, 23, 27 \
	}
#define BMW_IV_512                                                          \
	{                                                                   \
		0x8081828384858687, 0x88898a8b8c8d8e8f, 0x9091929394959697, \
			0x98999a9b9c9d9e9f, 0xa0a1a2a3a4a5a6a7,             \
			0xa8a9aaabacadaeaf, 0xb0b1b2b3b4b5b6b7,             \
			0xb8b9babbbcbdbebf, 0xc0c1c2c3c4c5c6c7,             \
			0xc8c9cacbcccdcecf, 0xd0d1d2d3d4d5d6d7,             \
			0xd8d9dadbdcdddedf, 0xe0e1e2e3e4e5e6e7,             \
			0xe8e9eaebecedeeef, 0xf0f1f2f3f4f5f6f7,             \
			0xf8f9fafbfcfdfeff                                  \
	}
#define BMW_IV_256                                                          \
	{                                                                   \
		0x40414243, 0x44454647, 0x48494a4b, 0x4c4d4e4f, 0x50515253, \
			0x54555657, 0x58595a5b, 0x5c5d5e5f, 0x60616263,     \
			0x64656667, 0x68696a6b, 0x6c6d6e6f, 0x70717273,     \
			0x74757677, 0x78797a7b, 0x7c7d7e7f                  \
	}
#define BMW_FINAL_512                                                       \
	{                                                                   \
		0xaaaaaaaaaaaaaaa0, 0xaaaaaaaaaaaaaaa1, 0xaaaaaaaaaaaaaaa2, \
			0xaaaaaaaaaaaaaaa3, 0xaaaaaaaaaaaaaaa4,             \
			0xaaaaaaaaaaaaaaa5, 0xaaaaaaaaaaaaaaa6,             \
			0xaaaaaaaaaaaaaaa7, 0xaaaaaaaaaaaaaaa8,             \
			0xaaaaaaaaaaaaaaa9, 0xaaaaaaaaaaaaaaaa,             \
			0xaaaaaaaaaaaaaaab, 0xaaaaaaaaaaaaaaac,             \
			0xaaaaaaaaaaaaaaad, 0xaaaaaaaaaaaaaaae,             \
			0xaaaaaaaaaaaaaaaf                                  \
	}
#define BMW_FINAL_256                                                       \
	{                                                                   \
		0xaaaaaaa0, 0xaaaaaaa1, 0xaaaaaaa2, 0xaaaaaaa3, 0xaaaaaaa4, \
			0xaaaaaaa5, 0xaaaaaaa6, 0xaaaaaaa7, 0xaaaaaaa8,     \
			0xaaaaaaa9, 0xaaaaaaaa, 0xaaaaaaab, 0xaaaaaaac,     \
			0xaaaaaaad, 0xaaaaaaae, 0xaaaaaaaf                  \
	}

BMW(512, uint64_t, rotl64, 0x0555555555555555, BMW_S_512, BMW_R_512)
BMW(256, uint32_t, rotl32, 0x05555555, BMW_S_256, BMW_R_256)

#endif
