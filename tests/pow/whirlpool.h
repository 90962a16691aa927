/* whirlpool.h - Whirlpool (ISO 10118-3). */
#ifndef WHIRLPOOL_H
#define WHIRLPOOL_H

#include "pow.h"
#include "tables.h"

static inline void whirlpool_round(uint64_t s[8], const uint64_t key[8])
{
	uint64_t t[8];

	for (unsigned i = 0; i < 8; i++) {
		t[i] = key[i];
		for (unsigned k = 0; k < 8; k++)
			t[i] ^= rotl64(
				whirlpool_t[s[(i - k) % 8] >> 8 * k & 255],
				8 * k);
	}
	memcpy(s, t, 64);
}

static inline void whirlpool(const void *data, size_t len, uint8_t out[64])
{
	size_t n = (len + 33 + 63) / 64;
	uint8_t bytes[512] = { 0 };
	uint64_t h[8] = { 0 }, k[8], s[8], m[8], rc[8] = { 0 };

	memcpy(bytes, data, len);
	bytes[len] = 0x80;
	store64be(bytes + 64 * n - 8, 8 * len);
	for (size_t b = 0; b < n; b++) {
		memcpy(m, bytes + 64 * b, 64);
		memcpy(k, h, 64);
		for (int i = 0; i < 8; i++)
			s[i] = m[i] ^ k[i];
		for (int r = 0; r < 10; r++) {
			rc[0] = whirlpool_rc[r];
			whirlpool_round(k, rc);
			whirlpool_round(s, k);
		}
		for (int i = 0; i < 8; i++)
			h[i] ^= s[i] ^ m[i];
	}
	memcpy(out, h, 64);
}

#endif
