/* shapeset.h - the shapes (codeshape.h) of a whole program. */
#ifndef SHAPESET_H
#define SHAPESET_H

#include <stdbool.h>
#include "codeshape.h"
#include "flow.h"
#include "why.h"

#define SHAPESET_MAX (1u << 26) /* 512 MiB of digests */

/* Zeros are an empty set. */
struct shapeset {
	uint64_t *digest; /* sorted, each once, after shapeset_done() */
	size_t n, cap;
	bool full; /* SHAPESET_MAX: more were left out */
};

void shapeset_free(struct shapeset *);

void shapeset_add(struct shapeset *, enum codeshape_machine,
		  const uint8_t *code, size_t len);

/* Sorts it; nothing is added after it. */
void shapeset_done(struct shapeset *);

/* How many of @a are in @b, both done. */
size_t shapeset_common(const struct shapeset *a, const struct shapeset *b);

/* Takes out of @a what is in @b, both done. */
void shapeset_subtract(struct shapeset *a, const struct shapeset *b);

/* Adds the code of the ELF file @fd.  Errors as hashelf_read(). */
int shapeset_of_elf(struct shapeset *, int fd, const char *what,
		    struct why *why);

/* Adds the code of the program that a process runs.  Errors as
 * procpages_read(). */
int shapeset_of_proc(struct shapeset *, const struct proc *, struct why *why);

#endif
