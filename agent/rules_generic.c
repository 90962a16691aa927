/* rules_generic.c - does a rule look for nothing but what everybody has? */
#include <stdbool.h>
#include <string.h>
#include "rules_generic.h"

#define TABLE_MAX 1024
#define LEAST	  4	/* shorter strings are generic in another way */
#define BEGINNING 16	/* a string that holds so much of a table is it */

struct table {
	const char *name;
	uint8_t bytes[TABLE_MAX];
	size_t len;
};

enum {
	SBOX, INVERSE_SBOX, ROUND_TABLE, SHA256_K, SHA256_K_SWAPPED, SHA256_IV,
	SHA256_IV_SWAPPED, SHA512_IV, SHA512_IV_SWAPPED, KECCAK, CRC32, SIGMA,
	TABLES
};

static struct table tables[TABLES] = {
	[SBOX] = { "the S-box of AES", { 0 }, 0 },
	[INVERSE_SBOX] = { "the inverse S-box of AES", { 0 }, 0 },
	[ROUND_TABLE] = { "a round table of AES", { 0 }, 0 },
	[SHA256_K] = { "the constants of SHA-256", { 0 }, 0 },
	[SHA256_K_SWAPPED] = { "the constants of SHA-256", { 0 }, 0 },
	[SHA256_IV] = { "the initial value of SHA-256", { 0 }, 0 },
	[SHA256_IV_SWAPPED] = { "the initial value of SHA-256", { 0 }, 0 },
	[SHA512_IV] = { "the initial value of SHA-512 and BLAKE2b", { 0 }, 0 },
	[SHA512_IV_SWAPPED] = { "the initial value of SHA-512", { 0 }, 0 },
	[KECCAK] = { "the round constants of Keccak", { 0 }, 0 },
	[CRC32] = { "the table of CRC-32", { 0 }, 0 },
	[SIGMA] = { "the constant of Salsa20 and ChaCha20", { 0 }, 0 },
};

static void put32(struct table *t, uint32_t n)
{
	memcpy(t->bytes + t->len, &n, 4);
	t->len += 4;
}

static void put64(struct table *t, uint64_t n)
{
	memcpy(t->bytes + t->len, &n, 8);
	t->len += 8;
}

/* ---- AES ------------------------------------------------------------- */

static uint8_t twice(uint8_t x)
{
	return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0));
}

static uint8_t rotate(uint8_t x, int n)
{
	return (uint8_t)(x << n | x >> (8 - n));
}

/* p runs through the powers of 3, q through those of its inverse. */
static void make_aes(void)
{
	uint8_t p = 1, q = 1, *s = tables[SBOX].bytes;

	do {
		p = (uint8_t)(p ^ twice(p));
		q = (uint8_t)(q ^ q << 1);
		q = (uint8_t)(q ^ q << 2);
		q = (uint8_t)(q ^ q << 4);
		q ^= q & 0x80 ? 0x09 : 0;
		s[p] = (uint8_t)(q ^ rotate(q, 1) ^ rotate(q, 2) ^
				 rotate(q, 3) ^ rotate(q, 4) ^ 0x63);
	} while (p != 1);
	s[0] = 0x63;
	tables[SBOX].len = tables[INVERSE_SBOX].len = 256;
	for (unsigned i = 0; i < 256; i++) {
		uint32_t x = s[i], x2 = twice(s[i]);

		tables[INVERSE_SBOX].bytes[s[i]] = (uint8_t)i;
		put32(&tables[ROUND_TABLE],
		      x2 | x << 8 | x << 16 | (x2 ^ x) << 24);
	}
}

/* ---- SHA-2 ----------------------------------------------------------- */

static bool is_prime(uint32_t n)
{
	for (uint32_t i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return true;
}

/* The first 32 bits behind the point of the root of @n. */
static uint32_t root(uint32_t n, bool cube)
{
	unsigned __int128 square = (unsigned __int128)n << (cube ? 96 : 64);
	unsigned __int128 low = 0, high = (unsigned __int128)1 << 40;

	while (high - low > 1) {
		unsigned __int128 mid = (low + high) / 2;

		if (mid * mid * (cube ? mid : 1) <= square)
			low = mid;
		else
			high = mid;
	}
	return (uint32_t)low;
}

static void make_sha2(void)
{
	static const uint64_t iv[8] = {
		UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b),
		UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1),
		UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
		UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179),
	};
	unsigned n = 0;

	for (uint32_t p = 2; n < 64; p++) {
		uint32_t k, s;

		if (!is_prime(p))
			continue;
		k = root(p, true);
		put32(&tables[SHA256_K], k);
		put32(&tables[SHA256_K_SWAPPED], __builtin_bswap32(k));
		if (n++ >= 8)
			continue;
		s = root(p, false);
		put32(&tables[SHA256_IV], s);
		put32(&tables[SHA256_IV_SWAPPED], __builtin_bswap32(s));
	}
	for (int i = 0; i < 8; i++) {
		put64(&tables[SHA512_IV], iv[i]);
		put64(&tables[SHA512_IV_SWAPPED], __builtin_bswap64(iv[i]));
	}
}

/* ---- others ---------------------------------------------------------- */

/* Its bits come from a shift register of x^8 + x^6 + x^5 + x^4 + 1. */
static void make_keccak(void)
{
	uint8_t r = 1;

	for (int round = 0; round < 24; round++) {
		uint64_t constant = 0;

		for (int j = 0; j < 7; j++) {
			constant |= (uint64_t)(r & 1) << ((1 << j) - 1);
			r = (uint8_t)(r << 1 ^ (r & 0x80 ? 0x71 : 0));
		}
		put64(&tables[KECCAK], constant);
	}
}

static void make_others(void)
{
	make_keccak();
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
		put32(&tables[CRC32], c);
	}
	memcpy(tables[SIGMA].bytes, "expand 32-byte k", 16);
	tables[SIGMA].len = 16;
}

/* ---- the question ---------------------------------------------------- */

static const char *name_of(const uint8_t *bytes, size_t len)
{
	for (int i = 0; i < TABLES; i++) {
		const struct table *t = &tables[i];

		if (len >= LEAST && (memmem(t->bytes, t->len, bytes, len) ||
				     memmem(bytes, len, t->bytes, BEGINNING)))
			return t->name;
	}
	return NULL;
}

const char *rules_generic(const YR_RULE *rule)
{
	const char *name = NULL;
	const YR_STRING *s;

	if (!tables[SBOX].len) {
		make_aes();
		make_sha2();
		make_others();
	}
	yr_rule_strings_foreach(rule, s) {
		if (!STRING_IS_LITERAL(s))
			return NULL;
		name = name_of(s->string, (size_t)s->length);
		if (!name)
			return NULL;
	}
	return name;
}
