/* fragment_aarch64.c - instructions of A64 that say where things lie, by the
 * encoding index of the Arm Architecture Reference Manual (DDI 0487, C4.1). */
#include <stdbool.h>
#include <string.h>
#include "fragment_own.h"

/* An adrp's low bits follow it this soon, in instructions, if at all. */
#define SOON 16

static bool is(uint32_t insn, uint32_t mask, uint32_t value)
{
	return (insn & mask) == value;
}

/* b, bl; adr, adrp; ldr (literal).  Conditional branches stay in a function. */
static bool is_place(uint32_t insn)
{
	return is(insn, 0x7c000000, 0x14000000) ||
	       is(insn, 0x1f000000, 0x10000000) ||
	       is(insn, 0x3b000000, 0x18000000);
}

/* add (immediate), 64 bits; ldr, str (unsigned offset). */
static bool has_low_bits(uint32_t insn)
{
	return is(insn, 0xffc00000, 0x91000000) ||
	       is(insn, 0x3b000000, 0x39000000);
}

void fragment_aarch64(const uint8_t *code, size_t len, uint8_t *moves)
{
	size_t paged[32] = { 0 }; /* register: 1 + where adrp last set it */

	for (size_t i = 0; i + 4 <= len; i += 4) {
		uint32_t insn;
		size_t set;

		memcpy(&insn, code + i, 4);
		set = paged[insn >> 5 & 31];
		if (is(insn, 0x9f000000, 0x90000000))
			paged[insn & 31] = i + 1;
		if (is_place(insn) || (has_low_bits(insn) && set &&
				       i + 1 - set <= (size_t)4 * SOON))
			memset(moves + i, 1, 4);
	}
}
