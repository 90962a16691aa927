/* alephium.c - BLAKE3 twice over nonce and header, 326 bytes (Alephium).
 *
 * The chunk has five full blocks and one of six bytes; the second hash is one
 * block of 32.  Vectors: BLAKE3's for no input; b3sum's for zeros.  Words to
 * the pool: alephium/docs, alephium-stratum.md. */
#include "pow.h"
#include "session.h"

#define BLOCKS 6
#define LENGTH 326

enum { START = 1, END = 2, ROOT = 8 };

static const uint32_t iv[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static void g(uint32_t v[16], int a, int b, int c, int d, uint32_t x,
	      uint32_t y)
{
	v[a] += v[b] + x;
	v[d] = rotr32(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = rotr32(v[b] ^ v[c], 12);
	v[a] += v[b] + y;
	v[d] = rotr32(v[d] ^ v[a], 8);
	v[c] += v[d];
	v[b] = rotr32(v[b] ^ v[c], 7);
}

static void compress(uint32_t h[8], const uint8_t *block, uint32_t len,
		     uint32_t flags)
{
	static const uint8_t next[16] = { 2, 6,	 3,  10, 7, 0,	4,  13,
					  1, 11, 12, 5,	 9, 14, 15, 8 };
	uint32_t v[16], m[16], t[16];

	memcpy(m, block, 64);
	memcpy(v, h, 32);
	memcpy(v + 8, iv, 16);
	v[12] = 0;
	v[13] = 0;
	v[14] = len;
	v[15] = flags;
	for (int r = 0; r < 7; r++) {
		for (int i = 0; i < 4; i++)
			g(v, i, i + 4, i + 8, i + 12, m[2 * i], m[2 * i + 1]);
		for (int i = 0; i < 4; i++)
			g(v, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8,
			  (i + 3) % 4 + 12, m[2 * i + 8], m[2 * i + 9]);
		for (int i = 0; i < 16; i++)
			t[i] = m[next[i]];
		memcpy(m, t, sizeof(m));
	}
	for (int i = 0; i < 8; i++)
		h[i] = v[i] ^ v[i + 8];
}

static void alephium(const uint8_t text[LENGTH], uint8_t hash[32])
{
	uint8_t last[64] = { 0 };
	uint32_t h[8];

	memcpy(h, iv, 32);
	compress(h, text, 64, START);
	for (int i = 1; i < BLOCKS - 1; i++)
		compress(h, text + 64 * i, 64, 0);
	memcpy(last, text + 64 * (BLOCKS - 1), LENGTH % 64);
	compress(h, last, LENGTH % 64, END | ROOT);
	memset(last, 0, sizeof(last));
	memcpy(last, h, 32);
	memcpy(h, iv, 32);
	compress(h, last, 32, START | END | ROOT);
	memcpy(hash, h, 32);
}

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	static uint8_t text[LENGTH];

	memcpy(text, header + POW_HEADER - 24, 24); /* the nonce comes first */
	alephium(text, hash);
}

void pow_check(void)
{
	static const uint8_t zeros[LENGTH];
	uint8_t hash[32];
	uint32_t h[8];

	memcpy(h, iv, 32);
	compress(h, zeros, 0, START | END | ROOT);
	pow_expect(
		"BLAKE3", (uint8_t *)h, 32,
		"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f32"
		"62");
	alephium(zeros, hash);
	pow_expect("BLAKE3 twice", hash, 32,
		   "b6d328a8bf1ab2bd37f15e507ec78fdf4710c18a61e47b99d82ac98b409"
		   "6f323");
	session_ask("0", "", "mining.hello", false, "pow/1.0", "pool.invalid",
		    "AlephiumStratum/1.0.0", NULL);
	session_ask("1", "", "mining.authorize", false, "1Dk.rig", "x", NULL);
	session_talk();
}
