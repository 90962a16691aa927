/* hashbuild.h - makes a hash set (hashset.h) of digest lists.
 * The same binaries and pages give the same bytes, in whatever order they
 * came: a set can be checked by building it again. */
#ifndef HASHBUILD_H
#define HASHBUILD_H

#include "digestlist.h"
#include "hashgood.h"

struct hashbuild;

/* What binaries of so many families have tells nothing of any: it is a library's
 * that all of them are linked with, and that benign programs can be, too. */
#define HASHBUILD_COMMON 4

/* No binary needs more fragments to be known: of those that remain it keeps the
 * lowest ones. */
#define HASHBUILD_FRAGMENTS 4096

struct hashbuild_sum {
	uint32_t n_binaries, n_pages; /* in the set, fragments included */
	uint32_t n_fragments;	      /* those */
	uint32_t n_subtracted;	/* distinct digests that were left out */
	uint32_t n_common;	/* and those of too many families */
	uint32_t n_empty;	/* binaries left out: no page remained */
};

/* Never NULL; for hashbuild_free(). */
struct hashbuild *hashbuild_new(void);

void hashbuild_free(struct hashbuild *);

/* Adds a binary, or pages to the one that agrees with it in every header.
 * Copies what it needs.  -EINVAL: a header is missing or is no value (@why
 * says which); -E2BIG: more than a set can hold. */
int hashbuild_add(struct hashbuild *, const struct digestlist *,
		  struct why *why);

/* Makes the set: 64-byte aligned memory for free(3) in *ret.  A binary none
 * of whose pages remain is left out; a set without binaries is a set.  To be
 * called once; after it there is only hashbuild_free().  -E2BIG: more pages
 * than a set can hold. */
int hashbuild_bytes(struct hashbuild *, struct hashgood *subtract,
		    uint8_t **ret, size_t *ret_len,
		    struct hashbuild_sum *ret_sum, struct why *why);

#endif
