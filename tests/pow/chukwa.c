/* chukwa.c - Argon2id with 512 KiB and three passes, the header's first bytes
 * its salt (TurtleCoin's Chukwa).  Vectors: TurtleCoin's block of xmrig's self
 * test; the argon2 program's for another setting. */
#include "argon2.h"

static void chukwa(const uint8_t *block, uint32_t len, uint8_t hash[32])
{
	static argon2_block memory[512];
	const struct argon2 a = {
		.kind = ARGON2_ID,
		.passes = 3,
		.kib = 512,
		.password = block,
		.password_len = len,
		.salt = block,
		.salt_len = 16,
		.tag_len = 32,
	};

	argon2(&a, memory, hash);
}

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	chukwa(header, 76, hash);
}

void pow_check(void)
{
	static argon2_block memory[64];
	struct argon2 a = {
		.kind = ARGON2_ID,
		.passes = 2,
		.kib = 64,
		.password = (const uint8_t *)"password",
		.password_len = 8,
		.salt = (const uint8_t *)"somesalt",
		.salt_len = 8,
		.tag_len = 32,
	};
	uint8_t block[76], tag[32];

	argon2(&a, memory, tag);
	pow_expect("Argon2id", tag, 32,
		   "16a1a498734609dd01456da406de9f3d9da93e6c86c300a12fc1465214c"
		   "e4922");
	a.kind = ARGON2_D;
	argon2(&a, memory, tag);
	pow_expect("Argon2d", tag, 32,
		   "f920d95538648465abeeba6ae06ea532ed26df314aff60150237d8fe116"
		   "f62cd");
	pow_bytes("0305a0dbd6bf05cf16e503f3a66f78007cbf34144332ecbfc22ed95c8700"
		  "383b309ace1923a0964b00000008ba939a62724c0d7581fce5761e9d8a0e"
		  "6a1c3f924fdd8493d1115649c05eb601",
		  block);
	chukwa(block, sizeof(block), tag);
	pow_expect("Chukwa", tag, 32,
		   "c158a105ae75c7561cfd029083a47a87653d51f91412"
		   "8e21c1971d8b10c49034");
}
