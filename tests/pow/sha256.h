/* sha256.h - SHA-256 (FIPS 180-4), its compression function laid open. */
#ifndef SHA256_H
#define SHA256_H

#include "pow.h"

static const uint32_t sha256_iv[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline void sha256_block(uint32_t h[8], const uint32_t block[16])
{
	uint32_t w[64], s[8];

	memcpy(w, block, 64);
	for (int i = 16; i < 64; i++) {
		uint32_t x = w[i - 15], y = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
		       (rotr32(x, 7) ^ rotr32(x, 18) ^ x >> 3) +
		       (rotr32(y, 17) ^ rotr32(y, 19) ^ y >> 10);
	}
	memcpy(s, h, 32);
	for (int i = 0; i < 64; i++) {
		uint32_t a = s[0], e = s[4];
		uint32_t t = s[7] +
			     (rotr32(e, 6) ^ rotr32(e, 11) ^ rotr32(e, 25)) +
			     (s[6] ^ (e & (s[5] ^ s[6]))) + sha256_k[i] + w[i];
		uint32_t u = (rotr32(a, 2) ^ rotr32(a, 13) ^ rotr32(a, 22)) +
			     ((a & s[1]) | (s[2] & (a | s[1])));

		memmove(s + 1, s, 28);
		s[4] += t;
		s[0] = t + u;
	}
	for (int i = 0; i < 8; i++)
		h[i] += s[i];
}

/* Of any message, for what is not the inner loop. */
static inline void sha256(const uint8_t *data, size_t len, uint8_t out[32])
{
	uint32_t h[8], w[16];
	uint8_t last[128] = { 0 };
	size_t rest = len % 64, n = rest < 56 ? 64 : 128;

	memcpy(h, sha256_iv, 32);
	memcpy(last, data + len - rest, rest);
	last[rest] = 0x80;
	store64be(last + n - 8, (uint64_t)len * 8);
	for (size_t at = 0; at < len - rest + n; at += 64) {
		const uint8_t *p = at < len - rest ? data + at
						   : last + (at - (len - rest));

		for (int i = 0; i < 16; i++)
			w[i] = load32be(p + 4 * i);
		sha256_block(h, w);
	}
	for (int i = 0; i < 8; i++)
		store32be(out + 4 * i, h[i]);
}

#endif
