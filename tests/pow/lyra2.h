/* lyra2.h - Lyra2 with a BLAKE2b sponge, a matrix of 4 x 4 and one pass, as
 * Lyra2RE's versions 2 and 3 use it (PHC submission, version 2.5). */
#ifndef LYRA2_H
#define LYRA2_H

#include "blake2b.h"

#define LYRA2_ROWS  4
#define LYRA2_COLS  4
#define LYRA2_BLOCK 12 /* words */

typedef uint64_t lyra2_row[LYRA2_COLS][LYRA2_BLOCK];

static inline void lyra2_rounds(uint64_t s[16], int rounds)
{
	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < 4; i++)
			blake2b_g(s, i, i + 4, i + 8, i + 12, 0, 0);
		for (int i = 0; i < 4; i++)
			blake2b_g(s, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8,
				  (i + 3) % 4 + 12, 0, 0);
	}
}

static inline void lyra2_absorb(uint64_t s[16], const uint64_t *words, int n)
{
	for (int i = 0; i < n; i++)
		s[i] ^= words[i];
	lyra2_rounds(s, 12);
}

/* One step of the duplex over two rows; @add: to the third, not into it. */
static inline void lyra2_duplex(uint64_t s[16], lyra2_row in, lyra2_row inout,
				lyra2_row out, bool add)
{
	for (int c = 0; c < LYRA2_COLS; c++) {
		uint64_t *a = in[c], *b = inout[c];
		uint64_t *o = out[add ? c : LYRA2_COLS - 1 - c];

		for (int i = 0; i < LYRA2_BLOCK; i++)
			s[i] ^= a[i] + b[i];
		lyra2_rounds(s, 1);
		for (int i = 0; i < LYRA2_BLOCK; i++)
			o[i] = s[i] ^ (add ? o[i] : a[i]);
		for (int i = 0; i < LYRA2_BLOCK; i++)
			b[i] ^= s[(i + LYRA2_BLOCK - 1) % LYRA2_BLOCK];
	}
}

static inline void lyra2_start(uint64_t s[16], const uint8_t password[32],
			       lyra2_row m[LYRA2_ROWS])
{
	const uint64_t parameters[6] = {
		32, 32, 32, 1, LYRA2_ROWS, LYRA2_COLS
	};
	uint64_t block[16] = { 0 };

	memset(s, 0, 64);
	memcpy(s + 8, blake2b_iv, 64);
	memcpy(block, password, 32);
	memcpy(block + 4, password, 32); /* is the salt, too */
	lyra2_absorb(s, block, 8);
	memcpy(block, parameters, sizeof(parameters));
	block[6] = 0x80;
	block[7] = 1ULL << 56;
	lyra2_absorb(s, block, 8);
	for (int c = LYRA2_COLS - 1; c >= 0; c--) {
		memcpy(m[0][c], s, sizeof(m[0][c]));
		lyra2_rounds(s, 1);
	}
	for (int c = 0; c < LYRA2_COLS; c++) {
		for (int i = 0; i < LYRA2_BLOCK; i++)
			s[i] ^= m[0][c][i];
		lyra2_rounds(s, 1);
		for (int i = 0; i < LYRA2_BLOCK; i++)
			m[1][LYRA2_COLS - 1 - c][i] = m[0][c][i] ^ s[i];
	}
}

static inline void lyra2(const uint8_t password[32], uint8_t out[32],
			 int version)
{
	lyra2_row m[LYRA2_ROWS];
	uint64_t s[16], word = 0;
	unsigned row = 0, last = LYRA2_ROWS - 1, other = 0;

	lyra2_start(s, password, m);
	lyra2_duplex(s, m[1], m[0], m[2], false);
	lyra2_duplex(s, m[2], m[1], m[3], false);
	do {
		if (version == 3) {
			word = s[word % 16];
			other = s[word % 16] % LYRA2_ROWS;
		} else {
			other = s[0] % LYRA2_ROWS;
		}
		lyra2_duplex(s, m[last], m[other], m[row], true);
		last = row;
		row = (row + LYRA2_ROWS / 2 - 1) % LYRA2_ROWS;
	} while (row);
	lyra2_absorb(s, m[other][0], LYRA2_BLOCK);
	memcpy(out, s, 32);
}

#endif
