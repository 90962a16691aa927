/* hamsi.h - Hamsi-512 (SHA-3 second round). */
#ifndef HAMSI_H
#define HAMSI_H

#include "pow.h"
#include "tables.h"

/* The first 512 bits of the paper's sentence of names and addresses. */
static const uint32_t hamsi512_iv[16] = {
	0x73746565, 0x6c706172, 0x6b204172, 0x656e6265, 0x72672031, 0x302c2062,
	0x75732032, 0x3434362c, 0x20422d33, 0x30303120, 0x4c657576, 0x656e2d48,
	0x65766572, 0x6c65652c, 0x2042656c, 0x6769756d,
};

static const uint32_t hamsi_alpha[2][32] = {
	{ 0xff00f0f0, 0xccccaaaa, 0xf0f0cccc, 0xff00aaaa, 0xccccaaaa,
	  0xf0f0ff00, 0xaaaacccc, 0xf0f0ff00, 0xf0f0cccc, 0xaaaaff00,
	  0xccccff00, 0xaaaaf0f0, 0xaaaaf0f0, 0xff00cccc, 0xccccf0f0,
	  0xff00aaaa, 0xccccaaaa, 0xff00f0f0, 0xff00aaaa, 0xf0f0cccc,
	  0xf0f0ff00, 0xccccaaaa, 0xf0f0ff00, 0xaaaacccc, 0xaaaaff00,
	  0xf0f0cccc, 0xaaaaf0f0, 0xccccff00, 0xff00cccc, 0xaaaaf0f0,
	  0xff00aaaa, 0xccccf0f0 },
	{ 0xcaf9639c, 0x0ff0f9c0, 0x639c0ff0, 0xcaf9f9c0, 0x0ff0f9c0,
	  0x639ccaf9, 0xf9c00ff0, 0x639ccaf9, 0x639c0ff0, 0xf9c0caf9,
	  0x0ff0caf9, 0xf9c0639c, 0xf9c0639c, 0xcaf90ff0, 0x0ff0639c,
	  0xcaf9f9c0, 0x0ff0f9c0, 0xcaf9639c, 0xcaf9f9c0, 0x639c0ff0,
	  0x639ccaf9, 0x0ff0f9c0, 0x639ccaf9, 0xf9c00ff0, 0xf9c0caf9,
	  0x639c0ff0, 0xf9c0639c, 0x0ff0caf9, 0xcaf90ff0, 0xf9c0639c,
	  0xcaf9f9c0, 0x0ff0639c },
};

static inline void hamsi_sbox(uint32_t *a, uint32_t *b, uint32_t *c,
			      uint32_t *d)
{
	uint32_t t = *a;

	*a = (*a & *c) ^ *d;
	*c ^= *b ^ *a;
	*d = (*d | t) ^ *b;
	t ^= *c;
	*b = *d;
	*d = (*d | t) ^ *a;
	*a &= *b;
	t ^= *a;
	*b ^= *d ^ t;
	*a = *c;
	*c = *b;
	*b = *d;
	*d = ~t;
}

static inline void hamsi_linear(uint32_t *a, uint32_t *b, uint32_t *c,
				uint32_t *d)
{
	*a = rotl32(*a, 13);
	*c = rotl32(*c, 3);
	*b = rotl32(*b ^ *a ^ *c, 1);
	*d = rotl32(*d ^ *c ^ *a << 3, 7);
	*a = rotl32(*a ^ *b ^ *d, 5);
	*c = rotl32(*c ^ *d ^ *b << 7, 22);
}

/* One message of 64 bits; @last with other constants and more rounds. */
static inline void hamsi_block(uint32_t h[16], const uint8_t message[8],
			       bool last)
{
	static const uint8_t mixed[4][4] = { { 0x00, 0x02, 0x05, 0x07 },
					     { 0x10, 0x13, 0x15, 0x16 },
					     { 0x09, 0x0b, 0x0c, 0x0e },
					     { 0x19, 0x1a, 0x1c, 0x1f } };
	/* Where the words of message and state stand in the matrix. */
	static const uint8_t place_m[16] = { 0x00, 0x01, 0x04, 0x05, 0x0a, 0x0b,
					     0x0e, 0x0f, 0x10, 0x11, 0x14, 0x15,
					     0x1a, 0x1b, 0x1e, 0x1f };
	static const uint8_t place_c[16] = { 0x02, 0x03, 0x06, 0x07, 0x08, 0x09,
					     0x0c, 0x0d, 0x12, 0x13, 0x16, 0x17,
					     0x18, 0x19, 0x1c, 0x1d };
	uint32_t s[32] = { 0 };

	for (int bit = 0; bit < 64; bit++)
		for (int i = 0; i < 16; i++)
			if (message[bit / 8] >> bit % 8 & 1)
				s[place_m[i]] ^= hamsi_code[16 * bit + i];
	for (int i = 0; i < 16; i++)
		s[place_c[i]] = h[i];
	for (uint32_t r = 0; r < (last ? 12 : 6); r++) {
		for (int i = 0; i < 32; i++)
			s[i] ^= hamsi_alpha[last][i];
		s[1] ^= r;
		for (int i = 0; i < 8; i++)
			hamsi_sbox(s + i, s + 8 + i, s + 16 + i, s + 24 + i);
		for (int i = 0; i < 8; i++)
			hamsi_linear(s + i, s + 8 + (i + 1) % 8,
				     s + 16 + (i + 2) % 8,
				     s + 24 + (i + 3) % 8);
		for (int i = 0; i < 4; i++)
			hamsi_linear(s + mixed[i][0], s + mixed[i][1],
				     s + mixed[i][2], s + mixed[i][3]);
	}
	for (int i = 0; i < 16; i++)
		h[i] ^= s[i < 8 ? i : i + 8];
}

static inline void hamsi512(const void *data, size_t len, uint8_t out[64])
{
	uint8_t m[512] = { 0 }, count[8];
	uint32_t h[16];

	memcpy(h, hamsi512_iv, 64);
	memcpy(m, data, len);
	m[len] = 0x80;
	for (size_t i = 0; i <= len; i += 8)
		hamsi_block(h, m + i, false);
	store64be(count, 8 * len);
	hamsi_block(h, count, true);
	for (size_t i = 0; i < 16; i++)
		store32be(out + 4 * i, h[i]);
}

#endif
