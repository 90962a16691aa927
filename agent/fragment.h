/* fragment.h - pieces of code that stay the same wherever they are put.
 *
 * Versions of one program hardly share a whole page, for one byte more in a
 * function moves everything behind it.  But they share most of their code.  So
 * a fragment is KERNEL_FRAGMENT bytes that begin wherever their first bytes
 * say so (kernel_is_anchor()), at any offset, and its digest is looked up like
 * that of a page.
 *
 * Some bytes of code depend on where other things lie: targets of calls and
 * jumps, displacements of 32 bits, what follows an adrp.  Whoever makes a set
 * walks the instructions, which takes some time, and takes only fragments
 * without such a byte; whoever scans need not know what an instruction is.
 *
 * How much versions, compilers and levels of optimisation share, and how much
 * benign programs do, stands in bench/record/fragments. */
#ifndef FRAGMENT_H
#define FRAGMENT_H

#include "hashset.h"
#include "kernel.h"

enum fragment_machine {
	FRAGMENT_X86_64,
	FRAGMENT_AARCH64,
	FRAGMENT_UNKNOWN, /* its instructions are not walked: none is fixed */
};

#ifdef __aarch64__
#define FRAGMENT_HERE FRAGMENT_AARCH64
#else
#define FRAGMENT_HERE FRAGMENT_X86_64
#endif

/* Calls @take for each fragment that lies wholly in the @len bytes of code, in
 * their order; @fixed: no byte of it depends on where things lie, so it
 * belongs in a set.  Where @take returns an error, so does this.  Fragments of
 * one value (padding) are passed over.  Any bytes are allowed; linear in
 * @len. */
int fragment_find(enum fragment_machine, const uint8_t *code, size_t len,
		  int (*take)(void *user, size_t offset, struct digest,
			      bool fixed),
		  void *user);

/* Length in bytes of the x86-64 instruction at @code, at most 15 and @len; 0:
 * there is none. */
size_t fragment_x86_length(const uint8_t *code, size_t len);

#endif
