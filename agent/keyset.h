/* keyset.h - what was seen of things that have a key of 64 bits.
 *
 * A table of fixed size that forgets rather than grows: a thing that it has
 * forgotten is looked at once more.  Any thread may use it at any time. */
#ifndef KEYSET_H
#define KEYSET_H

#include <stdint.h>

struct keyset;

/* Room for 2^@log2 keys (4..32), 4 bytes each, taken as it fills.  0 or
 * -errno. */
int keyset_new(unsigned log2, struct keyset **ret);

void keyset_free(struct keyset *);

/* Takes all its memory now (lazymem.h). */
void keyset_take(struct keyset *);

/* Forgets everything, and keeps the memory. */
void keyset_reset(struct keyset *);

/* A key of the @n numbers: nobody outside can choose two sets of numbers that
 * have the same. */
uint64_t keyset_key(const struct keyset *, const uint64_t *numbers, unsigned n);

/* The state of @key, 1 to 3; 0: it has none, or is forgotten. */
unsigned keyset_get(const struct keyset *, uint64_t key);

/* Raises the state of @key to @state, 1 to 3. */
void keyset_raise(struct keyset *, uint64_t key, unsigned state);

#endif
