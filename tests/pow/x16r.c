/* x16r.c - sixteen hashes in an order that the last block's hash gives
 * (Ravencoin until 2020).  The order is the header's, bytes 4 to 35. */
#include "zoo.h"

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	uint8_t h[64];

	for (int i = 0; i < 16; i++) {
		uint8_t two = header[4 + 7 - i / 2];

		zoo(i % 2 ? two & 15 : two >> 4, i ? h : header,
		    i ? sizeof(h) : POW_HEADER, h);
	}
	memcpy(hash, h, 32);
}

void pow_check(void)
{
	zoo_check();
}
