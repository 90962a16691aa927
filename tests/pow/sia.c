/* sia.c - BLAKE2b-256 of the header (Sia): one block, all but the header known
 * beforehand.  Vectors: RFC 7693's "abc"; Python's hashlib for 80 zeros. */
#include "blake2b.h"

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	uint64_t v[16] = {
		0x6a09e667f2bdc928, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
		0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
		0x1f83d9abfb41bd6b, 0x5be0cd19137e2179, 0x6a09e667f3bcc908,
		0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
		0x510e527fade68281, 0x9b05688c2b3e6c1f, 0xe07c265404be4294,
		0x5be0cd19137e2179,
	};
	uint64_t m[16] = { 0 };

	memcpy(m, header, POW_HEADER);
	blake2b_rounds(v, m);
	store64(hash, 0x6a09e667f2bdc928 ^ v[0] ^ v[8]);
	for (int i = 1; i < 4; i++)
		store64(hash + 8 * i, blake2b_iv[i] ^ v[i] ^ v[i + 8]);
}

void pow_check(void)
{
	uint8_t header[POW_HEADER] = { 0 }, hash[64];

	blake2b("abc", 3, hash, 64);
	pow_expect(
		"BLAKE2b", hash, 64,
		"ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2"
		"d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd400"
		"9923");
	pow_hash(header, hash);
	pow_expect("Sia", hash, 32,
		   "143aa0da2b6a4ca39eee3ee50a6536d75eedff3b5ef0229a6d603afa785"
		   "4d5b8");
}
