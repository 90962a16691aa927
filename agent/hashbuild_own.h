/* hashbuild_own.h - a set in the making, as hashbuild*.c have it. */
#ifndef HASHBUILD_OWN_H
#define HASHBUILD_OWN_H

#include "hashbuild.h"
#include "hashformat.h"

enum { NAME, FAMILY, VERSION, ARCH, TEXTS };

struct binary {
	char *text[TEXTS];
	uint8_t sha256[32];
	uint32_t number; /* in the set */
	uint32_t n_pages, n_code_pages, n_fragments;
};

struct entry {
	struct digest digest;
	uint32_t binary; /* in the order they came, then as numbered */
	uint8_t kind;	 /* HASHSET_REF_KIND() */
	bool code;
};

/* What is in the set: sum->n_binaries @binaries in its order, and all entries
 * of theirs, sorted, by those numbers.  Result and errors are those of
 * hashbuild_bytes(). */
int hashbuild_write(struct binary *const *binaries, const struct entry *entries,
		    size_t n_entries, const struct hashbuild_sum *sum,
		    uint8_t **ret, size_t *ret_len, struct why *why);

#endif
