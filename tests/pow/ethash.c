/* ethash.c - Ethash by its cache alone (Ethereum until 2022, Ethereum Classic).
 * Vector: block 22 of Ethereum, from the test suite of libethash. */
#include "ethash.h"

static struct ethash e;
static volatile uint32_t block = 22; /* a miner learns it from its pool */

static void hashimoto(const uint8_t header[32], uint64_t nonce,
		      uint8_t mix_hash[32], uint8_t hash[32])
{
	uint32_t mix[32], item[16];
	uint8_t seed[104] = { 0 };
	uint32_t first, pages = (uint32_t)(e.full / 128);

	memcpy(seed, header, 32);
	store64(seed + 32, nonce);
	keccak(seed, 40, seed, 64);
	memcpy(mix, seed, 64);
	memcpy(mix + 16, seed, 64);
	first = mix[0];
	for (uint32_t i = 0; i < 64; i++) {
		uint32_t page = ethash_fnv(first ^ i, mix[i % 32]) % pages;

		for (uint32_t half = 0; half < 2; half++) {
			ethash_item(&e, 2 * page + half, 256, item);
			for (uint32_t k = 0; k < 16; k++)
				mix[16 * half + k] =
					ethash_fnv(mix[16 * half + k], item[k]);
		}
	}
	for (size_t i = 0; i < 32; i += 4)
		store32(mix_hash + i,
			ethash_fnv(ethash_fnv(ethash_fnv(mix[i], mix[i + 1]),
					      mix[i + 2]),
				   mix[i + 3]));
	memcpy(seed + 64, mix_hash, 32);
	keccak(seed, 96, hash, 32);
}

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	uint8_t mix[32];

	hashimoto(header, load64(header + POW_HEADER - 8), mix, hash);
}

void pow_check(void)
{
	uint8_t header[32], mix[32], hash[32];

	ethash_start(&e, block / 30000);
	pow_bytes(
		"372eca2454ead349c3df0ab5d00b0b706b23e49d469387db91811cee0358f"
		"c6d",
		header);
	hashimoto(header, 0x495732e0ed7a801c, mix, hash);
	pow_expect(
		"mix of block 22", mix, 32,
		"2f74cdeb198af0b9abe65d22d372e22fb2d474371774a9583c1cc427a07939"
		"f5");
	pow_expect(
		"block 22", hash, 32,
		"00000b184f1fdd88bfd94c86c39e65db0c36144d5e43f745f722196e730cb6"
		"14");
}
