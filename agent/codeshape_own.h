/* codeshape_own.h - one instruction, for codeshape.c. */
#ifndef CODESHAPE_OWN_H
#define CODESHAPE_OWN_H

#include <stddef.h>
#include <stdint.h>

/* The length of the instruction at @code (0: none) and its token; 0: it is
 * padding, which is passed over. */
size_t codeshape_x86(const uint8_t *code, size_t len, uint64_t *ret_token);
size_t codeshape_aarch64(const uint8_t *code, size_t len,
			 uint64_t *ret_token);

/* Spreads the bits of @x over all of the result. */
uint64_t codeshape_mix(uint64_t x);

#endif
