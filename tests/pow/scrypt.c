/* scrypt.c - scrypt with N = 1024, r = p = 1 over the header (Litecoin).
 *
 * RFC 7914 with PBKDF2's blocks made for exactly 80 bytes of password and salt.
 * Vector: Litecoin's genesis block. */
#include "sha256.h"

#define N 1024

/* What follows the header's last 16 bytes; the header and the block number;
 * 32 bytes and 128 bytes behind a key block. */
static const uint32_t key_pad[12] = { 0x80000000, [11] = 0x280 };
static const uint32_t salt_pad[11] = { 0x80000000, [10] = 0x4a0 };
static const uint32_t digest_pad[8] = { 0x80000000, [7] = 0x300 };
static const uint32_t final_block[16] = { 1, 0x80000000, [15] = 0x620 };

struct key {
	uint32_t inner[8], outer[8];
};

static void make_key(const uint32_t head[20], struct key *k)
{
	uint32_t h[8], w[16];

	memcpy(h, sha256_iv, 32);
	sha256_block(h, head);
	memcpy(w, head + 16, 16);
	memcpy(w + 4, key_pad, sizeof(key_pad));
	sha256_block(h, w);
	for (int i = 0; i < 16; i++)
		w[i] = (i < 8 ? h[i] : 0) ^ 0x36363636;
	memcpy(k->inner, sha256_iv, 32);
	sha256_block(k->inner, w);
	for (int i = 0; i < 16; i++)
		w[i] = (i < 8 ? h[i] : 0) ^ 0x5c5c5c5c;
	memcpy(k->outer, sha256_iv, 32);
	sha256_block(k->outer, w);
}

static void outer_hash(const struct key *k, const uint32_t inner[8],
		       uint32_t out[8])
{
	uint32_t w[16];

	memcpy(w, inner, 32);
	memcpy(w + 8, digest_pad, sizeof(digest_pad));
	memcpy(out, k->outer, 32);
	sha256_block(out, w);
}

static void expand(const struct key *k, const uint32_t head[20], uint32_t x[32])
{
	uint32_t first[8], h[8], w[16];

	memcpy(first, k->inner, 32);
	sha256_block(first, head);
	memcpy(w, head + 16, 16);
	memcpy(w + 5, salt_pad, sizeof(salt_pad));
	for (uint32_t i = 0; i < 4; i++) {
		w[4] = i + 1;
		memcpy(h, first, 32);
		sha256_block(h, w);
		outer_hash(k, h, x + 8 * i);
	}
}

static void salsa8(uint32_t b[16], const uint32_t with[16])
{
	uint32_t x[16];

	for (int i = 0; i < 16; i++)
		x[i] = b[i] ^= with[i];
	for (int i = 0; i < 4; i++) {
#define QUARTER(a, b, c, d)              \
	x[b] ^= rotl32(x[a] + x[d], 7);  \
	x[c] ^= rotl32(x[b] + x[a], 9);  \
	x[d] ^= rotl32(x[c] + x[b], 13); \
	x[a] ^= rotl32(x[d] + x[c], 18)
		QUARTER(0, 4, 8, 12);
		QUARTER(5, 9, 13, 1);
		QUARTER(10, 14, 2, 6);
		QUARTER(15, 3, 7, 11);
		QUARTER(0, 1, 2, 3);
		QUARTER(5, 6, 7, 4);
		QUARTER(10, 11, 8, 9);
		QUARTER(15, 12, 13, 14);
	}
	for (int i = 0; i < 16; i++)
		b[i] += x[i];
}

static void rom_mix(uint32_t x[32])
{
	static uint32_t v[N][32];

	for (int i = 0; i < N; i++) {
		memcpy(v[i], x, 128);
		salsa8(x, x + 16);
		salsa8(x + 16, x);
	}
	for (int i = 0; i < N; i++) {
		const uint32_t *from = v[x[16] % N];

		for (int k = 0; k < 32; k++)
			x[k] ^= from[k];
		salsa8(x, x + 16);
		salsa8(x + 16, x);
	}
}

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	uint32_t head[20], x[32], h[8], out[8];
	struct key k;

	for (int i = 0; i < 20; i++)
		head[i] = load32be(header + 4 * i);
	make_key(head, &k);
	expand(&k, head, x);
	for (int i = 0; i < 32; i++)
		x[i] = __builtin_bswap32(x[i]);
	rom_mix(x);
	for (int i = 0; i < 32; i++)
		x[i] = __builtin_bswap32(x[i]);
	memcpy(h, k.inner, 32);
	sha256_block(h, x);
	sha256_block(h, x + 16);
	sha256_block(h, final_block);
	outer_hash(&k, h, out);
	for (int i = 0; i < 8; i++)
		store32be(hash + 4 * i, out[i]);
}

void pow_check(void)
{
	uint8_t header[POW_HEADER] = { 1 }, hash[32];

	pow_bytes("97ddfbbae6be97fd6cdf3e7ca13232a3afff2353e29badfab7f73011edd4"
		  "ced9",
		  header + 36);
	pow_reverse(header + 36, 32);
	store32(header + 68, 1317972665);
	store32(header + 72, 0x1e0ffff0);
	store32(header + 76, 2084524493);
	pow_hash(header, hash);
	pow_reverse(hash, 32);
	pow_expect(
		"Litecoin's genesis", hash, 32,
		"0000050c34a64b415b6b15b37f2216634b5b1669cb9a2e38d76f7213b0671e"
		"00");
}
