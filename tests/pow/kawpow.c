/* kawpow.c - KawPow (Ravencoin since 2020): ProgPoW 0.9.4 with padding words of
 * its own and three blocks a period.  EIP-1057 describes ProgPoW.
 * Vectors: cpp-kawpow, test/unittests/progpow_test_vectors.hpp. */
#include "ethash.h"

#define LANES	  16
#define REGISTERS 32
#define L1_WORDS  4096
#define OFFSET	  0x811c9dc5

static struct ethash e;
static uint32_t l1[L1_WORDS];

/* "rAVENCOINKAWPOW", each letter in a word. */
static const uint32_t padding[15] = {
	0x72, 0x41, 0x56, 0x45, 0x4e, 0x43, 0x4f, 0x49,
	0x4e, 0x4b, 0x41, 0x57, 0x50, 0x4f, 0x57,
};

static void keccak_f800(uint32_t a[25])
{
	static const uint8_t rotation[24] = { 1,  3,  6,  10, 15, 21, 28, 36,
					      45, 55, 2,  14, 27, 41, 56, 8,
					      25, 43, 62, 18, 39, 61, 20, 44 };
	static const uint8_t lane[24] = { 10, 7,  11, 17, 18, 3,  5,  16,
					  8,  21, 24, 4,  15, 23, 19, 13,
					  12, 2,  20, 14, 22, 9,  6,  1 };
	uint32_t c[5], x;

	for (int r = 0; r < 22; r++) {
		for (int i = 0; i < 5; i++)
			c[i] = a[i] ^ a[i + 5] ^ a[i + 10] ^ a[i + 15] ^
			       a[i + 20];
		for (int i = 0; i < 25; i++)
			a[i] ^= c[(i + 4) % 5] ^ rotl32(c[(i + 1) % 5], 1);
		x = a[1];
		for (int i = 0; i < 24; i++) {
			uint32_t y = a[lane[i]];

			a[lane[i]] = rotl32(x, rotation[i] % 32);
			x = y;
		}
		for (int k = 0; k < 25; k += 5) {
			memcpy(c, a + k, 20);
			for (int i = 0; i < 5; i++)
				a[k + i] ^= ~c[(i + 1) % 5] & c[(i + 2) % 5];
		}
		a[0] ^= (uint32_t)keccak_rc[r];
	}
}

static uint32_t fnv1a(uint32_t h, uint32_t x)
{
	return (h ^ x) * ETHASH_FNV;
}

struct kiss {
	uint32_t z, w, jsr, jcong;
};

static uint32_t kiss99(struct kiss *k)
{
	k->z = 36969 * (k->z & 0xffff) + (k->z >> 16);
	k->w = 18000 * (k->w & 0xffff) + (k->w >> 16);
	k->jcong = 69069 * k->jcong + 1234567;
	k->jsr ^= k->jsr << 17;
	k->jsr ^= k->jsr >> 13;
	k->jsr ^= k->jsr << 5;
	return (((k->z << 16) + k->w) ^ k->jcong) + k->jsr;
}

static struct kiss kiss_of(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	struct kiss k;

	k.z = fnv1a(OFFSET, a);
	k.w = fnv1a(k.z, b);
	k.jsr = fnv1a(k.w, c);
	k.jcong = fnv1a(k.jsr, d);
	return k;
}

/* The program of a period: where it reads and writes, and its dice. */
struct program {
	uint8_t to[REGISTERS], from[REGISTERS];
	unsigned n_to, n_from;
	struct kiss dice;
};

static void shuffle(struct program *p)
{
	for (uint32_t i = 0; i < REGISTERS; i++)
		p->to[i] = p->from[i] = (uint8_t)i;
	for (uint32_t i = REGISTERS; i > 1; i--) {
		uint8_t *a[2] = { p->to, p->from };

		for (int k = 0; k < 2; k++) {
			uint32_t j = kiss99(&p->dice) % i;
			uint8_t x = a[k][i - 1];

			a[k][i - 1] = a[k][j];
			a[k][j] = x;
		}
	}
}

static uint32_t math(uint32_t a, uint32_t b, uint32_t how)
{
	switch (how % 11) {
	case 0:
		return a + b;
	case 1:
		return a * b;
	case 2:
		return (uint32_t)((uint64_t)a * b >> 32);
	case 3:
		return a < b ? a : b;
	case 4:
		return rotl32(a, b % 32);
	case 5:
		return rotr32(a, b % 32);
	case 6:
		return a & b;
	case 7:
		return a | b;
	case 8:
		return a ^ b;
	case 9:
		return (a ? (uint32_t)__builtin_clz(a) : 32) +
		       (b ? (uint32_t)__builtin_clz(b) : 32);
	default:
		return (uint32_t)(__builtin_popcount(a) +
				  __builtin_popcount(b));
	}
}

static void merge(uint32_t *a, uint32_t b, uint32_t how)
{
	uint32_t n = (how >> 16) % 31 + 1;

	switch (how % 4) {
	case 0:
		*a = *a * 33 + b;
		break;
	case 1:
		*a = (*a ^ b) * 33;
		break;
	case 2:
		*a = rotl32(*a, n) ^ b;
		break;
	case 3:
		*a = rotr32(*a, n) ^ b;
	}
}

static void kawpow_round(struct program p, uint32_t r,
			 uint32_t mix[LANES][REGISTERS])
{
	uint32_t pages = (uint32_t)(e.full / 256), item[64];
	uint32_t page = mix[r % LANES][0] % pages;
	uint32_t to[4], how[4];

	for (uint32_t i = 0; i < 4; i++)
		ethash_item(&e, 4 * page + i, 512, item + 16 * i);
	for (int i = 0; i < 18; i++) {
		if (i < 11) {
			uint32_t from = p.from[p.n_from++ % REGISTERS];
			uint32_t into = p.to[p.n_to++ % REGISTERS];
			uint32_t dice = kiss99(&p.dice);

			for (int l = 0; l < LANES; l++)
				merge(&mix[l][into],
				      l1[mix[l][from] % L1_WORDS], dice);
		}
		{
			uint32_t n =
				kiss99(&p.dice) % (REGISTERS * (REGISTERS - 1));
			uint32_t a = n % REGISTERS, b = n / REGISTERS;
			uint32_t operation = kiss99(&p.dice);
			uint32_t into = p.to[p.n_to++ % REGISTERS];
			uint32_t dice = kiss99(&p.dice);

			b += b >= a;
			for (int l = 0; l < LANES; l++)
				merge(&mix[l][into],
				      math(mix[l][a], mix[l][b], operation),
				      dice);
		}
	}
	for (int i = 0; i < 4; i++) {
		to[i] = i ? p.to[p.n_to++ % REGISTERS] : 0;
		how[i] = kiss99(&p.dice);
	}
	for (uint32_t l = 0; l < LANES; l++)
		for (uint32_t i = 0; i < 4; i++)
			merge(&mix[l][to[i]], item[(l ^ r) % LANES * 4 + i],
			      how[i]);
}

static void kawpow(uint32_t block, const uint8_t header[32], uint64_t nonce,
		   uint8_t mix_hash[32], uint8_t hash[32])
{
	uint32_t s[25] = { 0 }, mix[LANES][REGISTERS], digest[8];
	uint64_t period = block / 3;
	struct program p = { .n_to = 0 };

	memcpy(s, header, 32);
	memcpy(s + 8, &nonce, 8);
	memcpy(s + 10, padding, sizeof(padding));
	keccak_f800(s);
	for (uint32_t l = 0; l < LANES; l++) {
		uint32_t z = fnv1a(OFFSET, s[0]), w = fnv1a(z, s[1]);
		struct kiss k = { z, w, fnv1a(w, l), 0 };

		k.jcong = fnv1a(k.jsr, l);
		for (int i = 0; i < REGISTERS; i++)
			mix[l][i] = kiss99(&k);
	}
	p.dice = kiss_of((uint32_t)period, (uint32_t)(period >> 32),
			 (uint32_t)period, (uint32_t)(period >> 32));
	shuffle(&p);
	for (uint32_t r = 0; r < 64; r++)
		kawpow_round(p, r, mix);
	for (int i = 0; i < 8; i++)
		digest[i] = OFFSET;
	for (int l = 0; l < LANES; l++) {
		uint32_t lane = OFFSET;

		for (int i = 0; i < REGISTERS; i++)
			lane = fnv1a(lane, mix[l][i]);
		digest[l % 8] = fnv1a(digest[l % 8], lane);
	}
	memcpy(mix_hash, digest, 32);
	memcpy(s + 8, digest, 32);
	memcpy(s + 16, padding, 9 * sizeof(*padding));
	keccak_f800(s);
	memcpy(hash, s, 32);
}

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	uint8_t mix[32];

	kawpow(1, header, load64(header + POW_HEADER - 8), mix, hash);
}

void pow_check(void)
{
	uint8_t header[32] = { 0 }, mix[32], hash[32];

	ethash_start(&e, 0);
	for (uint32_t i = 0; i < L1_WORDS / 16; i++)
		ethash_item(&e, i, 512, l1 + 16 * i);
	kawpow(0, header, 0, mix, hash);
	pow_expect("mix of block 0", mix, 32,
		   "6e97b47b134fda0c7888802988e1a373affeb28bcd813"
		   "b6e9a0fc669c935d03a");
	pow_expect("block 0", hash, 32,
		   "e601a7257a70dc48fccc97a7330d704d776047623b928"
		   "83d77111fb36870f3d1");
	pow_bytes(
		"63155f732f2bf556967f906155b510c917e48e99685ead76ea83f4eca03ab"
		"12b",
		header);
	kawpow(49, header, 0x07073c07, mix, hash);
	pow_expect("block 49", hash, 32,
		   "e7ced124598fd2500a55ad9f9f48e3569327fe50493c7"
		   "7a4ac9799b96efb9463");
}
