/* fugue.h - Fugue-512 (SHA-3 second round). */
#ifndef FUGUE_H
#define FUGUE_H

#include "pow.h"
#include "tables.h"

static const uint32_t fugue512_iv[16] = {
	0x8807a57e, 0xe616af75, 0xc5d3e4db, 0xac9ab027, 0xd915f117, 0xb6eecc54,
	0x06e8020b, 0x4a92efd1, 0xaac6e2c9, 0xddb21398, 0xcae65838, 0x437f203f,
	0x25ea78e7, 0x951fddd6, 0xda6ed11d, 0xe13e3567,
};

static inline void fugue_rotate(uint32_t s[36], int n)
{
	uint32_t t[36];

	for (int i = 0; i < 36; i++)
		t[(i + n) % 36] = s[i];
	memcpy(s, t, sizeof(t));
}

/* The super-mix of the first four columns. */
static inline void fugue_mix4(uint32_t s[36])
{
	uint32_t c[4] = { 0 }, r[4] = { 0 };

	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++) {
			uint32_t t =
				rotr32(fugue_mix[s[i] >> (24 - 8 * j) & 255],
				       8 * (unsigned)j);

			c[i] ^= t;
			r[j] ^= i != j ? t : 0;
		}
	for (unsigned i = 0; i < 4; i++) {
		s[i] = 0;
		for (unsigned j = 0; j < 4; j++)
			s[i] |= (c[(i + j) % 4] ^ rotl32(r[j], 8 * i)) &
				0xff000000 >> 8 * j;
	}
}

static inline void fugue_half_round(uint32_t s[36])
{
	fugue_rotate(s, 3);
	for (int i = 0; i < 3; i++) {
		s[i] ^= s[4 + i];
		s[18 + i] ^= s[4 + i];
	}
	fugue_mix4(s);
}

static inline void fugue_word(uint32_t s[36], uint32_t q)
{
	s[22] ^= s[0];
	s[0] = q;
	s[8] ^= q;
	s[1] ^= s[24];
	s[4] ^= s[27];
	s[7] ^= s[30];
	for (int i = 0; i < 4; i++)
		fugue_half_round(s);
}

static inline void fugue_spread(uint32_t s[36], int b, int c, int d)
{
	s[4] ^= s[0];
	s[b] ^= s[0];
	s[c] ^= s[0];
	s[d] ^= s[0];
}

static inline void fugue512(const void *data, size_t len, uint8_t out[64])
{
	static const uint8_t spread[4][4] = { { 9, 18, 27, 9 },
					      { 10, 18, 27, 9 },
					      { 10, 19, 27, 9 },
					      { 10, 19, 28, 8 } };
	static const uint8_t result[16] = { 1,	2,  3,	4,  9,	10, 11, 12,
					    18, 19, 20, 21, 27, 28, 29, 30 };
	uint8_t m[512] = { 0 };
	uint32_t s[36] = { 0 };

	memcpy(s + 20, fugue512_iv, 64);
	memcpy(m, data, len);
	for (size_t i = 0; i < len; i += 4)
		fugue_word(s, load32be(m + i));
	fugue_word(s, 0);
	fugue_word(s, (uint32_t)(8 * len));
	for (int i = 0; i < 32; i++)
		fugue_half_round(s);
	for (int i = 0; i < 13 * 4; i++) {
		const uint8_t *p = spread[i % 4];

		fugue_spread(s, p[0], p[1], p[2]);
		fugue_rotate(s, p[3]);
		fugue_mix4(s);
	}
	fugue_spread(s, 9, 18, 27);
	for (size_t i = 0; i < 16; i++)
		store32be(out + 4 * i, s[result[i]]);
}

#endif
