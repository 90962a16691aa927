/* procpages.h - pages and fragments of the program that a process runs. */
#ifndef PROCPAGES_H
#define PROCPAGES_H

#include "digestlist.h"
#include "flow.h"

/* Sets @ret's pages, fragments and arch from the memory of @proc: the resident
 * pages that are not writable of its executable's own mappings, and of
 * anonymous, deleted and memfd memory that is executable or lies beside such
 * (what a packer leaves).  Libraries are other binaries.  A page in no file has
 * its address for an offset.  -ENODATA: there is none; others as maps_read()
 * and mem_next(). */
int procpages_read(const struct proc *proc, struct digestlist *ret,
		  struct why *why);

#endif
