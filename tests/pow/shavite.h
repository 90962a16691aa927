/* shavite.h - SHAvite-3-512 (SHA-3 second round, tweaked). */
#ifndef SHAVITE_H
#define SHAVITE_H

#include "aes.h"

static const uint32_t shavite512_iv[16] = {
	0x72fccdd8, 0x79ca4727, 0x128a077b, 0x40d55aec, 0xd1901a06, 0x430ae307,
	0xb29f5cd1, 0xdf07fbfc, 0x8e45d73d, 0x681ab538, 0xbde86578, 0xdd577e47,
	0xe275eade, 0x502d9fcd, 0xb9357178, 0x022a4b9a,
};

/* 448 words of round keys from the message, the counter mixed in at four
 * places, its words in another order each time, the last one inverted. */
static inline void shavite_keys(const uint8_t *block, const uint32_t count[4],
				uint32_t rk[448])
{
	static const struct {
		uint16_t at;
		uint8_t word[4];
	} mixed[4] = {
		{ 32, { 0, 1, 2, 3 } },
		{ 164, { 3, 2, 1, 0 } },
		{ 316, { 2, 3, 0, 1 } },
		{ 440, { 1, 0, 3, 2 } },
	};
	static const uint32_t none[4];

	memcpy(rk, block, 128);
	for (int u = 32; u < 448; u += 4) {
		if ((u - 32) % 64 < 32) { /* by AES, or by feedback */
			uint32_t x[4] = { rk[u - 31], rk[u - 30], rk[u - 29],
					  rk[u - 32] };

			aes_round(x, none);
			for (int i = 0; i < 4; i++)
				rk[u + i] = x[i] ^ rk[u + i - 4];
		} else {
			for (int i = 0; i < 4; i++)
				rk[u + i] = rk[u + i - 32] ^ rk[u + i - 7];
		}
		for (int k = 0; k < 4; k++)
			for (int i = 0; i < 4 && u == mixed[k].at; i++)
				rk[u + i] ^= i < 3 ? count[mixed[k].word[i]]
						   : ~count[mixed[k].word[3]];
	}
}

static inline void shavite_block(uint32_t h[16], const uint8_t *block,
				 uint64_t bits)
{
	static const uint32_t none[4];
	uint32_t count[4] = { (uint32_t)bits, (uint32_t)(bits >> 32), 0, 0 };
	uint32_t rk[448], p[16], last[4];
	const uint32_t *k = rk;

	shavite_keys(block, count, rk);
	memcpy(p, h, 64);
	for (int r = 0; r < 14; r++) {
		for (int half = 0; half < 16; half += 8) {
			uint32_t x[4] = { 0 };

			for (int i = 0; i < 4; i++)
				x[i] = p[half + 4 + i];
			for (int n = 0; n < 4; n++, k += 4) {
				for (int i = 0; i < 4; i++)
					x[i] ^= k[i];
				aes_round(x, none);
			}
			for (int i = 0; i < 4; i++)
				p[half + i] ^= x[i];
		}
		memcpy(last, p + 12, 16);
		memmove(p + 4, p, 48);
		memcpy(p, last, 16);
	}
	for (int i = 0; i < 16; i++)
		h[i] ^= p[i];
}

static inline void shavite512(const void *data, size_t len, uint8_t out[64])
{
	size_t n = (len + 19 + 127) / 128;
	uint8_t m[512] = { 0 };
	uint32_t h[16];

	aes_tables();
	memcpy(h, shavite512_iv, 64);
	memcpy(m, data, len);
	m[len] = 0x80;
	store64(m + 128 * n - 18, 8 * len);
	m[128 * n - 1] = 512 >> 8;
	for (size_t b = 0; b < n; b++) {
		size_t end = 128 * (b + 1);

		shavite_block(h, m + 128 * b,
			      128 * b >= len ? 0 : 8 * (end < len ? end : len));
	}
	memcpy(out, h, 64);
}

#endif
