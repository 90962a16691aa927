/* blake.h - BLAKE-256 and BLAKE-512 (SHA-3 final submission). */
#ifndef BLAKE_H
#define BLAKE_H

#include "blake2b.h" /* its permutations and initial value are BLAKE-512's */
#include "sha256.h"  /* its initial value is BLAKE-256's */

static const uint32_t blake_c32[16] = {
	0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
	0x082efa98, 0xec4e6c89, 0x452821e6, 0x38d01377, 0xbe5466cf, 0x34e90c6c,
	0xc0ac29b7, 0xc97c50dd, 0x3f84d5b5, 0xb5470917,
};

static const uint64_t blake_c64[16] = {
	0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0,
	0x082efa98ec4e6c89, 0x452821e638d01377, 0xbe5466cf34e90c6c,
	0xc0ac29b7c97c50dd, 0x3f84d5b5b5470917, 0x9216d5d98979fb1b,
	0xd1310ba698dfb5ac, 0x2ffd72dbd01adfb7, 0xb8e1afed6a267e96,
	0xba7c9045f12c7f99, 0x24a19947b3916cf7, 0x0801f2e2858efc16,
	0x636920d871574e69,
};

static const uint8_t blake_lines[8][4] = {
	{ 0, 4, 8, 12 },  { 1, 5, 9, 13 },  { 2, 6, 10, 14 }, { 3, 7, 11, 15 },
	{ 0, 5, 10, 15 }, { 1, 6, 11, 12 }, { 2, 7, 8, 13 },  { 3, 4, 9, 14 },
};

static inline void blake256_block(uint32_t h[8], const uint8_t *block,
				  uint64_t bits)
{
	uint32_t v[16], m[16];

	for (int i = 0; i < 16; i++)
		m[i] = load32be(block + 4 * i);
	memcpy(v, h, 32);
	memcpy(v + 8, blake_c32, 32);
	v[12] ^= (uint32_t)bits;
	v[13] ^= (uint32_t)bits;
	v[14] ^= (uint32_t)(bits >> 32);
	v[15] ^= (uint32_t)(bits >> 32);
	for (int r = 0; r < 14; r++) {
		const uint8_t *s = blake2_sigma[r % 10];

		for (int i = 0; i < 8; i++) {
			const uint8_t *l = blake_lines[i];
			uint32_t *a = v + l[0], *b = v + l[1], *c = v + l[2],
				 *d = v + l[3];
			int x = s[2 * i], y = s[2 * i + 1];

			*a += *b + (m[x] ^ blake_c32[y]);
			*d = rotr32(*d ^ *a, 16);
			*c += *d;
			*b = rotr32(*b ^ *c, 12);
			*a += *b + (m[y] ^ blake_c32[x]);
			*d = rotr32(*d ^ *a, 8);
			*c += *d;
			*b = rotr32(*b ^ *c, 7);
		}
	}
	for (int i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

static inline void blake512_block(uint64_t h[8], const uint8_t *block,
				  uint64_t bits)
{
	uint64_t v[16], m[16];

	for (int i = 0; i < 16; i++)
		m[i] = load64be(block + 8 * i);
	memcpy(v, h, 64);
	memcpy(v + 8, blake_c64, 64);
	v[12] ^= bits;
	v[13] ^= bits;
	for (int r = 0; r < 16; r++) {
		const uint8_t *s = blake2_sigma[r % 10];

		for (int i = 0; i < 8; i++) {
			const uint8_t *l = blake_lines[i];
			uint64_t *a = v + l[0], *b = v + l[1], *c = v + l[2],
				 *d = v + l[3];
			int x = s[2 * i], y = s[2 * i + 1];

			*a += *b + (m[x] ^ blake_c64[y]);
			*d = rotr64(*d ^ *a, 32);
			*c += *d;
			*b = rotr64(*b ^ *c, 25);
			*a += *b + (m[y] ^ blake_c64[x]);
			*d = rotr64(*d ^ *a, 16);
			*c += *d;
			*b = rotr64(*b ^ *c, 11);
		}
	}
	for (int i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

/* How many bits a block counts: none if it holds no bit of the message. */
static inline uint64_t blake_count(size_t len, size_t block, size_t b)
{
	size_t end = (b + 1) * block;

	return b * block >= len && len ? 0 : 8 * (end < len ? end : len);
}

static inline void blake256(const void *data, size_t len, uint8_t out[32])
{
	size_t n = (len + 9 + 63) / 64;
	uint8_t m[512] = { 0 };
	uint32_t h[8];

	memcpy(h, sha256_iv, 32);
	memcpy(m, data, len);
	m[len] = 0x80;
	m[64 * n - 9] |= 1;
	store64be(m + 64 * n - 8, 8 * len);
	for (size_t b = 0; b < n; b++)
		blake256_block(h, m + 64 * b, blake_count(len, 64, b));
	for (int i = 0; i < 8; i++)
		store32be(out + 4 * i, h[i]);
}

static inline void blake512(const void *data, size_t len, uint8_t out[64])
{
	size_t n = (len + 17 + 127) / 128;
	uint8_t m[512] = { 0 };
	uint64_t h[8];

	memcpy(h, blake2b_iv, 64);
	memcpy(m, data, len);
	m[len] = 0x80;
	m[128 * n - 17] |= 1;
	store64be(m + 128 * n - 8, 8 * len);
	for (size_t b = 0; b < n; b++)
		blake512_block(h, m + 128 * b, blake_count(len, 128, b));
	for (int i = 0; i < 8; i++)
		store64be(out + 8 * i, h[i]);
}

#endif
