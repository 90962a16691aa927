/* hashcheck.h - is this a whole and honest hash set? */
#ifndef HASHCHECK_H
#define HASHCHECK_H

#include "hashformat.h"
#include "why.h"

/* What a check leaves: copies, so that they stay as they were checked. */
struct hashcheck {
	struct hashformat_header head;
	struct hashformat_binary *records; /* head.n_binaries */
	char *strings;			   /* head.strings_size, NUL-ended */
};

/* Reads the @len bytes of a set once, from @bytes (32-byte aligned) or, if
 * that is NULL, from file @fd, and checks every number in it but for the
 * filter's bits.  @what names it in messages, escaped.  -EBADMSG: it is no
 * set that can be used, @why says how; -ENODATA: @fd ended before @len;
 * others from pread(2).  On 0 *ret holds memory for hashcheck_free(). */
int hashcheck_read(int fd, const uint8_t *bytes, size_t len, const char *what,
		   struct hashcheck *ret, struct why *why);

/* Harmless on zeros. */
void hashcheck_free(struct hashcheck *);

#endif
