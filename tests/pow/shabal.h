/* shabal.h - Shabal-512 (SHA-3 second round). */
#ifndef SHABAL_H
#define SHABAL_H

#include "pow.h"

static const uint32_t shabal512_a[12] = {
	0x20728dfd, 0x46c0bd53, 0xe782b699, 0x55304632, 0x71b4ef90, 0x0ea9e82c,
	0xdbb930f1, 0xfad06b8b, 0xbe0cae40, 0x8bd14410, 0x76d2adac, 0x28acab7f,
};

static const uint32_t shabal512_b[16] = {
	0xc1099cb7, 0x07b385f3, 0xe7442c26, 0xcc8ad640, 0xeb6f56c7, 0x1ea81aa9,
	0x73b9d314, 0x1de85d08, 0x48910a5a, 0x893b22db, 0xc5a0df44, 0xbbc4324e,
	0x72d2f240, 0x75941d99, 0x6d8bde82, 0xa1a7502b,
};

static const uint32_t shabal512_c[16] = {
	0xd9bf68d1, 0x58bad750, 0x56028cb2, 0x8134f359, 0xb5d469d8, 0x941a8cc2,
	0x418b2a6e, 0x04052780, 0x7f07d787, 0x5194358f, 0x3c60d665, 0xbe97d79a,
	0x950c3434, 0xaed9a06d, 0x2537dc8d, 0x7cdb5969,
};

static inline void shabal_permute(uint32_t a[12], uint32_t b[16],
				  const uint32_t c[16], const uint32_t m[16])
{
	for (int i = 0; i < 16; i++)
		b[i] = rotl32(b[i], 17);
	for (int i = 0; i < 48; i++) {
		uint32_t *x = a + i % 12, *y = b + i % 16;

		*x = 3 * (*x ^ 5 * rotl32(a[(i + 11) % 12], 15) ^
			  c[(8 - i) & 15]) ^
		     b[(i + 13) % 16] ^ (b[(i + 9) % 16] & ~b[(i + 6) % 16]) ^
		     m[i % 16];
		*y = ~(rotl32(*y, 1) ^ *x);
	}
	for (int i = 0; i < 36; i++)
		a[i % 12] += c[(i + 3) % 16];
}

static inline void shabal512(const void *data, size_t len, uint8_t out[64])
{
	uint32_t a[12], b[16], c[16], m[16];
	uint8_t bytes[512] = { 0 };
	size_t n = len / 64 + 1;

	memcpy(a, shabal512_a, sizeof(a));
	memcpy(b, shabal512_b, sizeof(b));
	memcpy(c, shabal512_c, sizeof(c));
	memcpy(bytes, data, len);
	bytes[len] = 0x80;
	for (size_t k = 0; k < n + 3; k++) { /* the last block four times */
		uint64_t count = k < n ? k + 1 : n;

		memcpy(m, bytes + 64 * (count - 1), 64);
		for (int i = 0; i < 16 && k < n; i++)
			b[i] += m[i];
		a[0] ^= (uint32_t)count;
		a[1] ^= (uint32_t)(count >> 32);
		shabal_permute(a, b, c, m);
		if (k + 1 == n + 3)
			break;
		for (int i = 0; i < 16; i++) {
			uint32_t t = k < n - 1 ? c[i] - m[i] : c[i];

			if (k == n - 1)
				t = c[i];
			c[i] = b[i];
			b[i] = t;
		}
	}
	memcpy(out, b, 64);
}

#endif
