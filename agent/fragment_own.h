/* fragment_own.h - one instruction after the other, for fragment.c. */
#ifndef FRAGMENT_OWN_H
#define FRAGMENT_OWN_H

#include <stddef.h>
#include <stdint.h>

/* Sets @moves[i] of the @len bytes, zeros before, where byte i of the code
 * depends on where other things lie.  Bytes that are no instruction are passed
 * over: who begins in the middle of one is in step again after a few. */
void fragment_x86(const uint8_t *code, size_t len, uint8_t *moves);
void fragment_aarch64(const uint8_t *code, size_t len, uint8_t *moves);

#endif
