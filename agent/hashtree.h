/* hashtree.h - the pages of all ELF files below a directory. */
#ifndef HASHTREE_H
#define HASHTREE_H

#include "hashgood.h"

#define HASHTREE_DEPTH 64 /* directories in directories */

struct hashtree_sum {
	size_t n_files;	  /* ELF files read */
	size_t n_skipped; /* damaged, or for another machine */
};

/* Called now and then, in any thread, one at a time. */
struct hashtree_tick {
	void (*call)(void *user, size_t n_files); /* NULL: nobody looks */
	void *user;
};

/* Adds the pages of every ELF file below @dir (named @what in messages,
 * escaped; not closed) to @good.  Symbolic links are not followed; what is
 * no regular file is not opened; a file or directory whose name matches the
 * glob(7) pattern @except (or NULL) is passed over.  What is there and can
 * not be read is an error: pages left in a set by mistake accuse the
 * innocent.  Adds to *sum. */
int hashtree_add(int dir, const char *what, const char *except,
		 struct hashgood *good, struct hashtree_sum *sum,
		 struct hashtree_tick tick, struct why *why);

#endif
