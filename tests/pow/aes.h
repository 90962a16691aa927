/* aes.h - single rounds of AES (FIPS 197), table-driven, tables made at start:
 * AES's own constants are everybody's. */
#ifndef AES_H
#define AES_H

#include "pow.h"

static uint8_t aes_sbox[256];
static uint32_t aes_t[4][256];

static inline uint8_t aes_double(uint8_t x)
{
	return (uint8_t)(x << 1 ^ (x >> 7) * 0x1b);
}

static inline void aes_tables(void)
{
	uint8_t p = 1, q = 1;

	if (aes_sbox[0])
		return;
	do { /* p runs through all powers of 3, q through those of its inverse
	      */
		p ^= aes_double(p);
		q ^= (uint8_t)(q << 1);
		q ^= (uint8_t)(q << 2);
		q ^= (uint8_t)(q << 4);
		q ^= (q >> 7) * 0x09;
		aes_sbox[p] =
			(uint8_t)(q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^
				  (q << 3 | q >> 5) ^ (q << 4 | q >> 4) ^ 0x63);
	} while (p != 1);
	aes_sbox[0] = 0x63;
	for (int i = 0; i < 256; i++) {
		uint8_t s = aes_sbox[i], d = aes_double(s);

		aes_t[0][i] = (uint32_t)d | (uint32_t)s << 8 |
			      (uint32_t)s << 16 | (uint32_t)(s ^ d) << 24;
		for (unsigned k = 1; k < 4; k++)
			aes_t[k][i] = rotl32(aes_t[0][i], 8 * k);
	}
}

static inline uint32_t aes_column(const uint32_t s[4], int i)
{
	return aes_t[0][s[i] & 255] ^ aes_t[1][s[(i + 1) & 3] >> 8 & 255] ^
	       aes_t[2][s[(i + 2) & 3] >> 16 & 255] ^
	       aes_t[3][s[(i + 3) & 3] >> 24];
}

/* SubBytes, ShiftRows, MixColumns, and the key: the instruction AESENC. */
static inline void aes_round(uint32_t s[4], const uint32_t key[4])
{
	uint32_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = aes_column(s, i) ^ key[i];
	memcpy(s, t, 16);
}

static inline uint32_t aes_sub_word(uint32_t x)
{
	return (uint32_t)aes_sbox[x & 255] |
	       (uint32_t)aes_sbox[x >> 8 & 255] << 8 |
	       (uint32_t)aes_sbox[x >> 16 & 255] << 16 |
	       (uint32_t)aes_sbox[x >> 24] << 24;
}

#endif
