/* main.c - proves a proof of work on its vectors, then works for ever.
 *
 *	pow [HASHES]     ends after so many */
#include <stdio.h>
#include <stdlib.h>
#include "pow.h"

static unsigned nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

void pow_bytes(const char *hex, uint8_t *ret)
{
	for (; hex[0] && hex[1]; hex += 2)
		*ret++ = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
}

void pow_reverse(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		uint8_t x = bytes[i];

		bytes[i] = bytes[len - 1 - i];
		bytes[len - 1 - i] = x;
	}
}

void pow_expect(const char *what, const uint8_t *got, size_t len,
		const char *hex)
{
	uint8_t want[256];

	pow_bytes(hex, want);
	if (strlen(hex) == 2 * len && !memcmp(got, want, len))
		return;
	fprintf(stderr, "%s: not %s but ", what, hex);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, "%02x", got[i]);
	fputc('\n', stderr);
	exit(1);
}

int main(int argc, char **argv)
{
	unsigned long most = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	uint8_t header[POW_HEADER] = { 2 }, hash[POW_HASH];

	pow_check();
	puts("ready");
	fflush(stdout);
	for (uint32_t nonce = 0; !most || nonce < most; nonce++) {
		store32(header + POW_HEADER - 4, nonce);
		pow_hash(header, hash);
	}
	return 0;
}
