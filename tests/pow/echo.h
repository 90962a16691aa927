/* echo.h - ECHO-512 (SHA-3 second round). */
#ifndef ECHO_H
#define ECHO_H

#include "aes.h"

static inline void echo_sub_words(uint32_t w[16][4], uint64_t *count)
{
	static const uint32_t no_salt[4];

	for (int i = 0; i < 16; i++, ++*count) {
		uint32_t key[4] = { (uint32_t)*count,
				    (uint32_t)(*count >> 32) };

		aes_round(w[i], key);
		aes_round(w[i], no_salt);
	}
}

/* AES's ShiftRows on whole words, MixColumns on the bytes of four words. */
static inline void echo_mix(uint32_t w[16][4])
{
	uint8_t old[16][16], in[4];
	uint8_t *out = (uint8_t *)w;

	for (int i = 0; i < 16; i++)
		memcpy(old[i], w[(i + 4 * (i % 4)) % 16], 16);
	for (int c = 0; c < 16; c += 4)
		for (int b = 0; b < 16; b++) {
			uint8_t all = 0;

			for (int i = 0; i < 4; i++)
				all ^= in[i] = old[c + i][b];
			for (int i = 0; i < 4; i++)
				out[16 * (c + i) + b] =
					all ^ in[i] ^
					aes_double(in[i] ^ in[(i + 1) % 4]);
		}
}

static inline void echo_block(uint32_t v[8][4], const uint8_t *block,
			      uint64_t bits)
{
	uint32_t w[16][4], m[8][4];
	uint64_t count = bits;

	memcpy(m, block, 128);
	memcpy(w, v, 128);
	memcpy(w + 8, m, 128);
	for (int r = 0; r < 10; r++) {
		echo_sub_words(w, &count);
		echo_mix(w);
	}
	for (int i = 0; i < 8; i++)
		for (int k = 0; k < 4; k++)
			v[i][k] ^= m[i][k] ^ w[i][k] ^ w[i + 8][k];
}

static inline void echo512(const void *data, size_t len, uint8_t out[64])
{
	size_t n = (len + 19 + 127) / 128;
	uint8_t m[512] = { 0 };
	uint32_t v[8][4] = { { 0 } };

	aes_tables();
	for (int i = 0; i < 8; i++)
		v[i][0] = 512;
	memcpy(m, data, len);
	m[len] = 0x80;
	m[128 * n - 17] = 512 >> 8;
	store64(m + 128 * n - 16, 8 * len);
	for (size_t b = 0; b < n; b++) {
		size_t end = 128 * (b + 1);

		echo_block(v, m + 128 * b,
			   128 * b >= len ? 0 : 8 * (end < len ? end : len));
	}
	memcpy(out, v, 64);
}

#endif
