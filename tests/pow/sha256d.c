/* sha256d.c - SHA-256 twice over the header (Bitcoin).
 *
 * The way of every miner since 2011: the first block's state is kept, the
 * paddings of the second block and of the second hash are ready.
 * Vector: Bitcoin's genesis block. */
#include "sha256.h"

/* Bits 512 to 1023 of a 640-bit message, less its data. */
static const uint32_t header_pad[12] = { 0x80000000, [11] = 640 };
static const uint32_t digest_pad[8] = { 0x80000000, [7] = 256 };

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	uint32_t state[8], w[16];

	memcpy(state, sha256_iv, 32);
	for (int i = 0; i < 16; i++)
		w[i] = load32be(header + 4 * i);
	sha256_block(state, w);
	for (int i = 0; i < 4; i++)
		w[i] = load32be(header + 64 + 4 * i);
	memcpy(w + 4, header_pad, sizeof(header_pad));
	sha256_block(state, w);
	memcpy(w, state, 32);
	memcpy(w + 8, digest_pad, sizeof(digest_pad));
	memcpy(state, sha256_iv, 32);
	sha256_block(state, w);
	for (int i = 0; i < 8; i++)
		store32be(hash + 4 * i, state[i]);
}

void pow_check(void)
{
	uint8_t header[POW_HEADER] = { 1 }, hash[32];

	pow_bytes("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afded"
		  "a33b",
		  header + 36);
	pow_reverse(header + 36, 32);
	store32(header + 68, 1231006505);
	store32(header + 72, 0x1d00ffff);
	store32(header + 76, 2083236893);
	pow_hash(header, hash);
	pow_reverse(hash, 32);
	pow_expect(
		"Bitcoin's genesis", hash, 32,
		"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce2"
		"6f");
}
