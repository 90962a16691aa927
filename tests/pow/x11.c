/* x11.c - eleven hashes in a row (Dash).  Vector: Dash's genesis block. */
#include "zoo.h"

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	static const uint8_t order[11] = {
		ZOO_BLAKE,   ZOO_BMW,	 ZOO_GROESTL, ZOO_SKEIN,
		ZOO_JH,	     ZOO_KECCAK, ZOO_LUFFA,   ZOO_CUBEHASH,
		ZOO_SHAVITE, ZOO_SIMD,	 ZOO_ECHO,
	};
	uint8_t h[64];

	for (int i = 0; i < 11; i++)
		zoo(order[i], i ? h : header, i ? sizeof(h) : POW_HEADER, h);
	memcpy(hash, h, 32);
}

void pow_check(void)
{
	uint8_t header[POW_HEADER] = { 1 }, hash[32];

	pow_bytes(
		"e0028eb9648db56b1ac77cf090b99048a8007e2bb64b68f092c03c7f56a66"
		"2c7",
		header + 36);
	pow_reverse(header + 36, 32);
	store32(header + 68, 1390095618);
	store32(header + 72, 0x1e0ffff0);
	store32(header + 76, 28917698);
	pow_hash(header, hash);
	pow_reverse(hash, 32);
	pow_expect(
		"Dash's genesis", hash, 32,
		"00000ffd590b1485b3caadc19b22e6379c733355108f107a430458cdf3407a"
		"b6");
}
