/* verify.h - is this file signed by a key that is trusted here?
 *
 * Asked of davylamp-verify, a process that has neither root nor files nor
 * network by the time it looks at the bytes: the privileged program links no
 * cryptography and parses no signature. */
#ifndef VERIFY_H
#define VERIFY_H

#include <stddef.h>
#include <stdint.h>
#include "why.h"

/* Where the keys are that are trusted on this machine: *.pub files of
 * minisign.  They and their directory must be root's, and nobody else's to
 * write. */
#define VERIFY_KEYS "/etc/davylamp/keys"

#define VERIFY_TEXT_MAX 65536 /* bytes of a signature, and of all keys */

/* davylamp-verify's descriptors at its start. */
enum { VERIFY_SOCKET = 3, VERIFY_FILE, VERIFY_SIGNATURE, VERIFY_KEY_TEXTS };

/* Its only message. */
struct verify_answer {
	int32_t error; /* 0, or negative and @text says why */
	char text[512];
	char key[17];	    /* the one that signed it, in hexadecimal */
	char comment[1025]; /* trusted; any bytes */
};

/* Asks about the file @fd, with its signature's text in @signature (both read
 * from their beginnings).  0: *ret is filled, its strings ended;
 * -EKEYREJECTED, -EBADMSG: no, and @why says why; -ENOKEY: none is trusted
 * here; others: it could not be asked. */
int verify_file(int fd, int signature, struct verify_answer *ret,
		struct why *why);

#endif
