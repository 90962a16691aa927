/* kheavyhash.c - kHeavyHash (Kaspa): cSHAKE256, a product with a matrix of
 * nibbles that the block gives, cSHAKE256 again.
 * Vectors: NIST's sample 3 of cSHAKE256; the ready states are computed from the
 * two domain strings. */
#include "keccak.h"

/* Keccak's state after the block with the domain string (SP 800-185, 3.3). */
static const uint64_t pow_state[25] = {
	0x113cff0da1f6d83d, 0x29bf8855b7027e3c, 0x1e5f2e720efb44d2,
	0x1ba5a4a3f59869a0, 0x7b2fafca875e2d65, 0x4aef61d629dce246,
	0x183a981ead415b10, 0x776bf60c789bc29c, 0xf8ebf13388663140,
	0x2e651c3c43285ff0, 0x0f96070540f14a0e, 0x44e367875b299152,
	0xec70f1a425b13715, 0xe6c85d8f82e9da89, 0xb21a601f85b4b223,
	0x3485549064a36a46, 0x8f06dd1c7a2f851a, 0xc1a2021d563bb142,
	0xba1de5e4451668e4, 0xd102574105095f8d, 0x89ca4e849bcecf4a,
	0x48b09427a8742edb, 0xb1fcce9ce78b5272, 0x5d1129cf82afa5bc,
	0x02b97c786f824383,
};
static const uint64_t heavy_state[25] = {
	0x3ad74c52b2248509, 0x79629b0e2f9f4216, 0x7a14ff4816c7f8ee,
	0x11a75f4c80056498, 0xe720e0df44eecede, 0x72c7d82e14f34069,
	0xc100ff2a938935ba, 0x5e219040250fc462, 0x8039f9a60dcf6a48,
	0xa0bcaa9f792a3d0c, 0xf431c05dd0a9a226, 0xd31f4cc354c18c3f,
	0x6c6b7d01a769cc3d, 0x2ec65bd3562493e4, 0x4ef74b3a99cdb044,
	0x774c86835434f2b0, 0x87e961b036bc9416, 0x7e8f1db17765cc07,
	0xea8fdb80bac46d39, 0xb992f2d37b34ca58, 0xc776c5048481b957,
	0x47c39f675112c22e, 0x92bb399db5290c0a, 0x549ae0312f9fc615,
	0x1619327d10b9da35,
};

static void absorb_domain(uint64_t a[25], const char *domain)
{
	uint8_t block[136] = { 1, 136, 1, 0, 1 };
	size_t len = strlen(domain);

	block[5] = (uint8_t)(8 * len);
	memcpy(block + 6, domain, len);
	memset(a, 0, 200);
	memcpy(a, block, sizeof(block));
	keccak_f(a);
}

/* @words of input, less than a block. */
static void finish(uint64_t a[25], const uint64_t *input, int words)
{
	for (int i = 0; i < words; i++)
		a[i] ^= input[i];
	a[words] ^= 4;
	a[16] ^= 1ULL << 63;
	keccak_f(a);
}

static uint64_t xoshiro(uint64_t s[4])
{
	uint64_t ret = rotl64(s[0] + s[3], 23) + s[0], t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl64(s[3], 45);
	return ret;
}

static bool has_full_rank(uint8_t m[64][64])
{
	static double f[64][64];

	for (int i = 0; i < 64; i++)
		for (int k = 0; k < 64; k++)
			f[i][k] = m[i][k];
	for (int c = 0; c < 64; c++) {
		int p = c;

		while (p < 64 && f[p][c] < 1e-9 && f[p][c] > -1e-9)
			p++;
		if (p == 64)
			return false;
		for (int k = c; k < 64; k++) {
			double t = f[p][k];

			f[p][k] = f[c][k];
			f[c][k] = t;
		}
		for (int i = c + 1; i < 64; i++)
			for (int k = 63; k >= c; k--)
				f[i][k] -= f[c][k] * (f[i][c] / f[c][c]);
	}
	return true;
}

static void make_matrix(const uint8_t seed[32], uint8_t m[64][64])
{
	uint64_t s[4];

	memcpy(s, seed, 32);
	do {
		for (int i = 0; i < 64; i++)
			for (int k = 0; k < 64; k += 16) {
				uint64_t x = xoshiro(s);

				for (int n = 0; n < 16; n++, x >>= 4)
					m[i][k + n] = x & 15;
			}
	} while (!has_full_rank(m));
}

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	static uint8_t matrix[64][64];
	static bool made;
	uint64_t a[25], input[10];
	uint8_t h[32];

	if (!made)
		make_matrix(header, matrix);
	made = true;
	memcpy(input, header, sizeof(input));
	memcpy(a, pow_state, sizeof(a));
	finish(a, input, 10);
	memcpy(h, a, 32);
	for (int i = 0; i < 32; i++) {
		uint32_t high = 0, low = 0;

		for (int k = 0; k < 64; k++) {
			uint32_t nibble = k % 2 ? ((uint8_t *)a)[k / 2] & 15
						: ((uint8_t *)a)[k / 2] >> 4;

			high += matrix[2 * i][k] * nibble;
			low += matrix[2 * i + 1][k] * nibble;
		}
		h[i] ^= (uint8_t)(high >> 10 << 4 | low >> 10);
	}
	memcpy(input, h, 32);
	memcpy(a, heavy_state, sizeof(a));
	finish(a, input, 4);
	memcpy(hash, a, POW_HASH);
}

void pow_check(void)
{
	uint64_t a[25], sample = 0x03020100;
	uint8_t state[25 * 8];

	absorb_domain(a, "Email Signature");
	a[0] ^= sample ^ 4ULL << 32;
	a[16] ^= 1ULL << 63;
	keccak_f(a);
	pow_expect(
		"cSHAKE256", (uint8_t *)a, 64,
		"d008828e2b80ac9d2218ffee1d070c48b8e4c87bff32c9699d5b6896eee0ed"
		"d164020e2be0560858d9c00c037e34a96937c561a74c412bb4c74646952728"
		"1c8c");
	absorb_domain(a, "ProofOfWorkHash");
	if (memcmp(a, pow_state, sizeof(a)))
		pow_expect("state 1", state, 1, "");
	absorb_domain(a, "HeavyHash");
	if (memcmp(a, heavy_state, sizeof(a)))
		pow_expect("state 2", state, 1, "");
}
