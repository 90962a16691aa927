/* lyra2rev3.c - Lyra2RE, version 3 (Vertcoin until 2021).
 * Vectors: 80 bytes of 5, by the pool software Miningcore. */
#include "blake.h"
#include "bmw.h"
#include "cubehash.h"
#include "lyra2.h"

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	uint8_t h[32];

	blake256(header, POW_HEADER, h);
	lyra2(h, h, 3);
	cubehash(h, 32, h, 256);
	lyra2(h, h, 3);
	bmw256(h, 32, hash);
}

void pow_check(void)
{
	uint8_t header[POW_HEADER], hash[32];

	memset(header, 5, sizeof(header));
	pow_hash(header, hash);
	pow_expect(
		"Lyra2REv3", hash, 32,
		"c56ec425ada2c8ddcb8d5a79a3a0c9d79f66318193049fb81f875c537a4f96"
		"3d");
}
