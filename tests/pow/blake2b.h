/* blake2b.h - BLAKE2b (RFC 7693), its compression function laid open. */
#ifndef BLAKE2B_H
#define BLAKE2B_H

#include "pow.h"

static const uint64_t blake2b_iv[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
	0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
	0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint8_t blake2_sigma[10][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static inline void blake2b_g(uint64_t v[16], int a, int b, int c, int d,
			     uint64_t x, uint64_t y)
{
	v[a] += v[b] + x;
	v[d] = rotr64(v[d] ^ v[a], 32);
	v[c] += v[d];
	v[b] = rotr64(v[b] ^ v[c], 24);
	v[a] += v[b] + y;
	v[d] = rotr64(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = rotr64(v[b] ^ v[c], 63);
}

static inline void blake2b_rounds(uint64_t v[16], const uint64_t m[16])
{
	for (int r = 0; r < 12; r++) {
		const uint8_t *s = blake2_sigma[r % 10];

		blake2b_g(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
		blake2b_g(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
		blake2b_g(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
		blake2b_g(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
		blake2b_g(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
		blake2b_g(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
		blake2b_g(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
		blake2b_g(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
	}
}

struct blake2b {
	uint64_t h[8], count;
	uint8_t buf[128];
	size_t filled, out_len;
};

static inline void blake2b_compress(struct blake2b *b, bool last)
{
	uint64_t v[16], m[16];

	memcpy(v, b->h, 64);
	memcpy(v + 8, blake2b_iv, 64);
	v[12] ^= b->count;
	if (last)
		v[14] = ~v[14];
	memcpy(m, b->buf, 128);
	blake2b_rounds(v, m);
	for (int i = 0; i < 8; i++)
		b->h[i] ^= v[i] ^ v[i + 8];
}

/* @personal: 16 bytes or NULL. */
static inline void blake2b_init(struct blake2b *b, size_t out_len,
				const uint8_t *personal)
{
	*b = (struct blake2b){ .out_len = out_len };
	memcpy(b->h, blake2b_iv, 64);
	b->h[0] ^= 0x01010000 ^ out_len;
	if (personal) {
		b->h[6] ^= load64(personal);
		b->h[7] ^= load64(personal + 8);
	}
}

static inline void blake2b_add(struct blake2b *b, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		size_t n = sizeof(b->buf) - b->filled;

		if (n == 0) {
			blake2b_compress(b, false);
			b->filled = 0;
			continue;
		}
		n = n < len ? n : len;
		memcpy(b->buf + b->filled, p, n);
		b->filled += n;
		b->count += n;
		p += n;
		len -= n;
	}
}

static inline void blake2b_end(struct blake2b *b, uint8_t *out)
{
	memset(b->buf + b->filled, 0, sizeof(b->buf) - b->filled);
	blake2b_compress(b, true);
	memcpy(out, b->h, b->out_len);
}

static inline void blake2b(const void *data, size_t len, uint8_t *out,
			   size_t out_len)
{
	struct blake2b b;

	blake2b_init(&b, out_len, NULL);
	blake2b_add(&b, data, len);
	blake2b_end(&b, out);
}

#endif
