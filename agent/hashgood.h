/* hashgood.h - pages that benign software has, to be kept out of a set.
 * Pages whose bytes are all equal are in from the start. */
#ifndef HASHGOOD_H
#define HASHGOOD_H

#include "digestlist.h"

#define HASHGOOD_MAX (1u << 26) /* distinct pages: 256 GiB, 1 GiB of memory */

struct hashgood;

/* Never NULL; for hashgood_free(). */
struct hashgood *hashgood_new(void);

void hashgood_free(struct hashgood *);

/* Adds the pages of @list.  -E2BIG: more than HASHGOOD_MAX. */
int hashgood_add(struct hashgood *, const struct digestlist *list);

/* Is the page one of them?  (Sorts first if some were added since.) */
bool hashgood_has(struct hashgood *, struct digest);

/* Takes the pages that are in here out of @list; how many lines went. */
size_t hashgood_subtract(struct hashgood *, struct digestlist *list);

/* Distinct pages, the 256 constant ones not counted. */
size_t hashgood_count(struct hashgood *);

#endif
