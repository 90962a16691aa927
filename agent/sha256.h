/* sha256.h - SHA-256 (FIPS 180-4).  Names files and findings; nothing here
 * is secret and little of it is hot, so it is the plain definition. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t state[8];
	uint64_t n_bytes;
	uint8_t block[64];
};

void sha256_begin(struct sha256 *);
void sha256_add(struct sha256 *, const void *bytes, size_t len);
void sha256_end(struct sha256 *, uint8_t ret[static 32]);

/* 64 lower-case hex digits and NUL. */
void sha256_hex(const uint8_t digest[static 32], char ret[static 65]);

#endif
