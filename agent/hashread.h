/* hashread.h - a hash set back as the digest lists that it was made of. */
#ifndef HASHREAD_H
#define HASHREAD_H

#include "digestlist.h"

/* One list a binary of the set, in its order; *ret_n lists for
 * hashread_free().  A set does not keep where a page stands in its file, nor
 * which pages are code, only how many: the offsets are 0, and the first so
 * many are called executable. */
void hashread_lists(const struct hashset *, struct digestlist **ret,
		    size_t *ret_n);

void hashread_free(struct digestlist *, size_t n);

/* Is every page of the set found again, is it some binary's, and has each
 * binary as many as it says?  -EBADMSG: no, @why says what. */
int hashread_verify(const struct hashset *, struct why *why);

#endif
