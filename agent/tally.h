/* tally.h - which known binaries' pages did one process show? */
#ifndef TALLY_H
#define TALLY_H

#include "flow.h"
#include "hashset.h"

#define TALLY_VERSIONS 4

struct tally;

/* @set is borrowed; NULL: none is known.  0 or -errno. */
int tally_new(const struct hashset *set, struct tally **ret);

void tally_free(struct tally *);

/* Page or fragment @number of the set was seen; @code: in executable memory.
 * Seen twice counts once. */
void tally_add(struct tally *, uint32_t number, bool code);

/* How much of the binary's pages, or of its fragments, was seen: 0 to 1. */
double tally_pages(const struct share *);
double tally_fragments(const struct share *);

/* Binaries by the share of them that was seen, most first, and no more than
 * TALLY_VERSIONS of a family: a set that knows a hundred versions of one
 * must not push all others out.  Returns how many, at most @cap. */
size_t tally_shares(struct tally *, struct share *ret, size_t cap);

/* Forgets what was added: a new process. */
void tally_reset(struct tally *);

#endif
