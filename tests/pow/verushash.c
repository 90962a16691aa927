/* verushash.c - VerusHash, version 1: Haraka-512 over the last digest and the
 * next 32 bytes (Verus Coin, 2018).  Vector: Haraka's paper, appendix B. */
#include "haraka.h"

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	uint8_t buffer[64] = { 0 };

	for (size_t at = 0; at < POW_HEADER; at += 32) {
		size_t n = POW_HEADER - at < 32 ? POW_HEADER - at : 32;

		memset(buffer + 32, 0, 32);
		memcpy(buffer + 32, header + at, n);
		haraka512(buffer, buffer);
	}
	memcpy(hash, buffer, POW_HASH);
}

void pow_check(void)
{
	uint8_t in[64], hash[32];

	aes_tables();
	for (int i = 0; i < 64; i++)
		in[i] = (uint8_t)i;
	haraka512(in, hash);
	pow_expect(
		"Haraka-512", hash, 32,
		"be7f723b4e80a99813b292287f306f625a6d57331cae5f34dd9277b0945be2"
		"aa");
}
