/* sha512.h - SHA-512 (FIPS 180-4). */
#ifndef SHA512_H
#define SHA512_H

#include "blake2b.h" /* the same initial value */
#include "tables.h"

static inline void sha512_block(uint64_t h[8], const uint8_t *block)
{
	uint64_t w[80], s[8];

	for (int i = 0; i < 16; i++)
		w[i] = load64be(block + 8 * i);
	for (int i = 16; i < 80; i++) {
		uint64_t x = w[i - 15], y = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
		       (rotr64(x, 1) ^ rotr64(x, 8) ^ x >> 7) +
		       (rotr64(y, 19) ^ rotr64(y, 61) ^ y >> 6);
	}
	memcpy(s, h, 64);
	for (int i = 0; i < 80; i++) {
		uint64_t a = s[0], e = s[4];
		uint64_t t = s[7] +
			     (rotr64(e, 14) ^ rotr64(e, 18) ^ rotr64(e, 41)) +
			     (s[6] ^ (e & (s[5] ^ s[6]))) + sha512_k[i] + w[i];
		uint64_t u = (rotr64(a, 28) ^ rotr64(a, 34) ^ rotr64(a, 39)) +
			     ((a & s[1]) | (s[2] & (a | s[1])));

		memmove(s + 1, s, 56);
		s[4] += t;
		s[0] = t + u;
	}
	for (int i = 0; i < 8; i++)
		h[i] += s[i];
}

static inline void sha512(const void *data, size_t len, uint8_t out[64])
{
	size_t n = (len + 17 + 127) / 128;
	uint8_t m[512] = { 0 };
	uint64_t h[8];

	memcpy(h, blake2b_iv, 64);
	memcpy(m, data, len);
	m[len] = 0x80;
	store64be(m + 128 * n - 8, 8 * len);
	for (size_t b = 0; b < n; b++)
		sha512_block(h, m + 128 * b);
	for (int i = 0; i < 8; i++)
		store64be(out + 8 * i, h[i]);
}

#endif
