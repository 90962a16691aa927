/* codeshape.h - what code looks like once addresses are taken out of it.
 *
 * Versions of one program hardly share a whole page, for one byte more in a
 * function moves everything behind it.  But they share most of their
 * functions.  So the instructions are walked one by one; of each a token is
 * made, of everything but what depends on where things lie: targets of jumps
 * and calls, displacements of 32 bits, the immediates of adrp and its like.
 * Each CODESHAPE_WINDOW tokens in a row are hashed, and one hash in eight,
 * chosen by its value, is a digest: the same code gives the same digests at
 * any address, behind any other code.
 *
 * How much versions, compilers and levels of optimisation share, and how much
 * benign programs do, stands in bench/record/codeshape. */
#ifndef CODESHAPE_H
#define CODESHAPE_H

#include <stddef.h>
#include <stdint.h>

#define CODESHAPE_WINDOW 16 /* instructions */

enum codeshape_machine { CODESHAPE_X86_64, CODESHAPE_AARCH64 };

/* Calls @digest for each chosen window of the @len bytes of code, in their
 * order.  Bytes that are no instruction begin anew behind them: code that
 * begins in the middle of an instruction is in step again after a few.  Any
 * bytes are allowed; linear in @len. */
void codeshape(enum codeshape_machine, const uint8_t *code, size_t len,
	       void (*digest)(void *user, uint64_t), void *user);

/* Length in bytes of the x86-64 instruction at @code, at most 15 and @len; 0:
 * there is none. */
size_t codeshape_x86_length(const uint8_t *code, size_t len);

#endif
