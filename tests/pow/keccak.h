/* keccak.h - Keccak-f[1600] (FIPS 202) with the original padding by default. */
#ifndef KECCAK_H
#define KECCAK_H

#include "pow.h"

static const uint64_t keccak_rc[24] = {
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a,
	0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
	0x8000000080008081, 0x8000000000008009, 0x000000000000008a,
	0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
	0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
	0x000000000000800a, 0x800000008000000a, 0x8000000080008081,
	0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

static inline void keccak_f(uint64_t a[25])
{
	static const uint8_t rotation[24] = { 1,  3,  6,  10, 15, 21, 28, 36,
					      45, 55, 2,  14, 27, 41, 56, 8,
					      25, 43, 62, 18, 39, 61, 20, 44 };
	static const uint8_t lane[24] = { 10, 7,  11, 17, 18, 3,  5,  16,
					  8,  21, 24, 4,  15, 23, 19, 13,
					  12, 2,  20, 14, 22, 9,  6,  1 };
	uint64_t c[5], x;

	for (int r = 0; r < 24; r++) {
		for (int i = 0; i < 5; i++)
			c[i] = a[i] ^ a[i + 5] ^ a[i + 10] ^ a[i + 15] ^
			       a[i + 20];
		for (int i = 0; i < 5; i++) {
			x = c[i ? i - 1 : 4] ^ rotl64(c[i < 4 ? i + 1 : 0], 1);
			for (int k = 0; k < 25; k += 5)
				a[k + i] ^= x;
		}
		x = a[1];
		for (int i = 0; i < 24; i++) {
			uint64_t y = a[lane[i]];

			a[lane[i]] = rotl64(x, rotation[i]);
			x = y;
		}
		for (int k = 0; k < 25; k += 5) {
			memcpy(c, a + k, 40);
			for (int i = 0; i < 3; i++)
				a[k + i] ^= ~c[i + 1] & c[i + 2];
			a[k + 3] ^= ~c[4] & c[0];
			a[k + 4] ^= ~c[0] & c[1];
		}
		a[0] ^= keccak_rc[r];
	}
}

/* Absorbs @len bytes with @rate and the first @pad byte; the state is the
 * result. */
static inline void keccak_absorb(uint64_t a[25], const void *data, size_t len,
				 size_t rate, uint8_t pad)
{
	const uint8_t *p = data;
	uint8_t last[200] = { 0 };

	memset(a, 0, 200);
	for (; len >= rate; p += rate, len -= rate) {
		for (size_t i = 0; i < rate / 8; i++)
			a[i] ^= load64(p + 8 * i);
		keccak_f(a);
	}
	memcpy(last, p, len);
	last[len] = pad;
	last[rate - 1] |= 0x80;
	for (size_t i = 0; i < rate / 8; i++)
		a[i] ^= load64(last + 8 * i);
	keccak_f(a);
}

static inline void keccak(const void *data, size_t len, uint8_t *out,
			  size_t out_len)
{
	uint64_t a[25];

	keccak_absorb(a, data, len, 200 - 2 * out_len, 1);
	memcpy(out, a, out_len);
}

#endif
