/* hashgood.h - pages and fragments that benign software has, to be kept out of
 * a set.
 * Pages whose bytes are all equal are in from the start. */
#ifndef HASHGOOD_H
#define HASHGOOD_H

#include "digestlist.h"

#define HASHGOOD_MAX (1u << 26) /* distinct pages: 256 GiB, 1 GiB of memory */

struct hashgood;

/* Never NULL; for hashgood_free(). */
struct hashgood *hashgood_new(void);

void hashgood_free(struct hashgood *);

/* Adds the pages of @list and all its fragments, fixed or not.  -E2BIG: more
 * than HASHGOOD_MAX. */
int hashgood_add(struct hashgood *, const struct digestlist *list);

/* Is the page one of them?  (Sorts first if some were added since.) */
bool hashgood_has(struct hashgood *, struct digest);

/* Takes the pages and fragments that are in here out of @list; how many pages
 * went. */
size_t hashgood_subtract(struct hashgood *, struct digestlist *list);

/* Distinct digests, the 256 constant pages not counted. */
size_t hashgood_count(struct hashgood *);

#endif
