/* pow.h - what the programs of tests/pow share.
 *
 * Each computes one proof of work from its specification, the way a miner does:
 * an 80-byte header whose last four bytes are the nonce, hash after hash.  It
 * first proves itself on published test vectors.  They exist so that compilers
 * emit the constants that the rules look for. */
#ifndef POW_H
#define POW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define POW_HEADER 80
#define POW_HASH   32

/* What a program defines.  pow_check() ends the program if a vector fails. */
void pow_check(void);
void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH]);

/* What main.c defines.  Ends the program unless @got is @hex. */
void pow_expect(const char *what, const uint8_t *got, size_t len,
		const char *hex);
/* Bytes of @hex to @ret; with pow_reverse, the way block explorers print. */
void pow_bytes(const char *hex, uint8_t *ret);
void pow_reverse(uint8_t *bytes, size_t len);

static inline uint32_t rotl32(uint32_t x, unsigned n)
{
	return x << n | x >> (-n & 31);
}

static inline uint32_t rotr32(uint32_t x, unsigned n)
{
	return x >> n | x << (-n & 31);
}

static inline uint64_t rotl64(uint64_t x, unsigned n)
{
	return x << n | x >> (-n & 63);
}

static inline uint64_t rotr64(uint64_t x, unsigned n)
{
	return x >> n | x << (-n & 63);
}

static inline uint32_t load32(const uint8_t *p)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return x; /* both architectures are little-endian */
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static inline uint32_t load32be(const uint8_t *p)
{
	return __builtin_bswap32(load32(p));
}

static inline uint64_t load64be(const uint8_t *p)
{
	return __builtin_bswap64(load64(p));
}

static inline void store32(uint8_t *p, uint32_t x)
{
	memcpy(p, &x, sizeof(x));
}

static inline void store64(uint8_t *p, uint64_t x)
{
	memcpy(p, &x, sizeof(x));
}

static inline void store32be(uint8_t *p, uint32_t x)
{
	store32(p, __builtin_bswap32(x));
}

static inline void store64be(uint8_t *p, uint64_t x)
{
	store64(p, __builtin_bswap64(x));
}

#endif
