/* lyra2rev2.c - Lyra2RE, version 2 (Monacoin; Vertcoin until 2018).
 * Vectors: 80 bytes of 5, by the pool software Miningcore. */
#include "blake.h"
#include "bmw.h"
#include "cubehash.h"
#include "keccak.h"
#include "lyra2.h"
#include "skein.h"

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	uint8_t h[32];

	blake256(header, POW_HEADER, h);
	keccak(h, 32, h, 32);
	cubehash(h, 32, h, 256);
	lyra2(h, h, 2);
	skein(h, 32, h, 256);
	cubehash(h, 32, h, 256);
	bmw256(h, 32, hash);
}

void pow_check(void)
{
	uint8_t header[POW_HEADER], hash[32];

	memset(header, 5, sizeof(header));
	pow_hash(header, hash);
	pow_expect(
		"Lyra2REv2", hash, 32,
		"5cb1eea767131ab0ea446121854dffbfec1bf1f55938e9f877f9bae735a1c4"
		"81");
}
