/* codeshape_aarch64.c - instructions of A64, by the encoding index of the Arm
 * Architecture Reference Manual (DDI 0487, C4.1). */
#include <string.h>
#include "codeshape_own.h"

#define NOP 0xd503201f

/* Groups of instructions and the bits in them that say where things lie. */
static const struct {
	uint32_t mask, value, address;
} places[] = {
	{ 0x7c000000, 0x14000000, 0x03ffffff }, /* b, bl */
	{ 0xff000010, 0x54000000, 0x00ffffe0 }, /* b.cond */
	{ 0x7e000000, 0x34000000, 0x00ffffe0 }, /* cbz, cbnz */
	{ 0x7e000000, 0x36000000, 0x0007ffe0 }, /* tbz, tbnz */
	{ 0x1f000000, 0x10000000, 0x60ffffe0 }, /* adr, adrp */
	{ 0x3b000000, 0x18000000, 0x00ffffe0 }, /* ldr (literal) */
	/* The low bits of an address, behind adrp; an offset in a struct goes
	 * with it. */
	{ 0xffc00000, 0x91000000, 0x003ffc00 }, /* add (immediate), 64 bits */
	{ 0x3b000000, 0x39000000, 0x003ffc00 }, /* ldr, str (unsigned offset) */
};

size_t codeshape_aarch64(const uint8_t *code, size_t len,
			 uint64_t *ret_token)
{
	uint32_t insn;

	if (len < 4)
		return 0;
	memcpy(&insn, code, 4);
	*ret_token = 0;
	if (insn >> 16 == 0) /* udf: data, or the end of it */
		return 0;
	if (insn == NOP)
		return 4;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if ((insn & places[i].mask) == places[i].value)
			insn &= ~places[i].address;
	*ret_token = codeshape_mix((uint64_t)insn + 1) | 1;
	return 4;
}
