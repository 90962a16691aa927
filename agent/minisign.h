/* minisign.h - Ed25519 signatures in minisign's file format.
 *
 * A signature file is four lines (https://jedisct1.github.io/minisign/):
 *
 *	untrusted comment: ...
 *	base64 of "Ed" or "ED", 8 bytes of key id, the signature
 *	trusted comment: ...
 *	base64 of a signature over the signature and the trusted comment
 *
 * "ED" signs the BLAKE2b-512 of the file, "Ed" (legacy) the file itself.  A
 * public key file is two: a comment, and the base64 of "Ed", key id, key.
 *
 * Linked into davylamp-verify only. */
#ifndef MINISIGN_H
#define MINISIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "why.h"

#define MINISIGN_KEYS	 64   /* in one call, at most */
#define MINISIGN_COMMENT 1024 /* bytes of a trusted comment, at most */

struct minisign_key {
	uint8_t id[8];
	uint8_t bytes[32];
};

struct minisign_signature {
	bool hashed; /* "ED" */
	uint8_t id[8];
	uint8_t bytes[64];
	uint8_t global[64];
	char comment[MINISIGN_COMMENT + 1]; /* trusted once it is verified */
};

/* Fills *ret from the @len bytes of a public key file.  -EBADMSG: it is none,
 * and @why says how. */
int minisign_read_key(const char *text, size_t len, struct minisign_key *ret,
		      struct why *why);

/* Likewise of a signature file. */
int minisign_read_signature(const char *text, size_t len,
			    struct minisign_signature *ret, struct why *why);

/* Loads what OpenSSL would else look for when it is first needed.  -ENOSYS: it
 * lacks Ed25519 or BLAKE2b. */
int minisign_begin(void);

/* Was @file signed by one of the @n keys?  0: yes, the comment too;
 * -EKEYREJECTED: no, and @why says what does not fit. */
int minisign_verify(const struct minisign_signature *, const uint8_t *file,
		    size_t len, const struct minisign_key *keys, size_t n,
		    struct why *why);

/* As minisign shows it: the id's bytes, the last one first, in hexadecimal. */
void minisign_key_name(const uint8_t id[static 8], char ret[static 17]);

#endif
