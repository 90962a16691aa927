/* tally.h - which known binaries' pages did one process show? */
#ifndef TALLY_H
#define TALLY_H

#include "flow.h"
#include "hashset.h"

struct tally;

/* @set is borrowed.  0 or -errno. */
int tally_new(const struct hashset *set, struct tally **ret);

void tally_free(struct tally *);

/* Page or rolling digest @number of the set was seen; @code: in executable memory.  Seen twice
 * counts once. */
void tally_add(struct tally *, uint32_t number, bool code);

/* How much of the binary was seen, 0 to 1: of its pages, or of its rolling
 * digests where those show more. */
double tally_share(const struct share *);

/* Binaries by share, most first; returns how many, at most @cap. */
size_t tally_shares(struct tally *, struct share *ret, size_t cap);

/* Forgets what was added: a new process. */
void tally_reset(struct tally *);

#endif
