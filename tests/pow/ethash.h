/* ethash.h - Ethash's cache and data set items (Ethereum wiki, "Ethash"). */
#ifndef ETHASH_H
#define ETHASH_H

#include <stdlib.h>
#include "keccak.h"
#include "tables.h"

#define ETHASH_FNV 0x01000193

struct ethash {
	uint32_t (*cache)[16];
	uint32_t rows; /* of the cache, 64 bytes each */
	uint64_t full; /* bytes of the data set */
};

static inline uint32_t ethash_fnv(uint32_t x, uint32_t y)
{
	return x * ETHASH_FNV ^ y;
}

/* Of an epoch below those whose sizes ethash_cache_bytes[] lists. */
static inline void ethash_start(struct ethash *e, unsigned epoch)
{
	uint8_t seed[32] = { 0 };

	for (unsigned i = 0; i < epoch; i++)
		keccak(seed, 32, seed, 32);
	e->rows = (uint32_t)(ethash_cache_bytes[epoch] / 64);
	e->full = ethash_full_bytes[epoch];
	e->cache = malloc(64 * (size_t)e->rows);
	keccak(seed, 32, (uint8_t *)e->cache[0], 64);
	for (uint32_t i = 1; i < e->rows; i++)
		keccak(e->cache[i - 1], 64, (uint8_t *)e->cache[i], 64);
	for (int round = 0; round < 3; round++)
		for (uint32_t i = 0; i < e->rows; i++) {
			uint32_t *a = e->cache[(i + e->rows - 1) % e->rows];
			uint32_t *b = e->cache[e->cache[i][0] % e->rows];
			uint32_t mixed[16];

			for (int k = 0; k < 16; k++)
				mixed[k] = a[k] ^ b[k];
			keccak(mixed, 64, (uint8_t *)e->cache[i], 64);
		}
}

/* Row @i of the data set, 64 bytes, from @parents rows of the cache. */
static inline void ethash_item(const struct ethash *e, uint32_t i,
			       uint32_t parents, uint32_t mix[16])
{
	memcpy(mix, e->cache[i % e->rows], 64);
	mix[0] ^= i;
	keccak(mix, 64, (uint8_t *)mix, 64);
	for (uint32_t p = 0; p < parents; p++) {
		const uint32_t *row =
			e->cache[ethash_fnv(i ^ p, mix[p % 16]) % e->rows];

		for (int k = 0; k < 16; k++)
			mix[k] = ethash_fnv(mix[k], row[k]);
	}
	keccak(mix, 64, (uint8_t *)mix, 64);
}

#endif
