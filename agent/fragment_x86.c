/* fragment_x86.c - the parts of an x86-64 instruction, by the opcode maps of
 * Intel's Software Developer's Manual, volume 2, appendix A.
 *
 * No more is known of an instruction than what its length needs: whether it has
 * a ModRM byte, and how many bytes of immediate. */
#include <stdbool.h>
#include <string.h>
#include "fragment.h"
#include "fragment_own.h"

#define LENGTH_MAX 15

/* Opcode maps: one byte, 0F, 0F 38, 0F 3A. */
enum map { ONE, TWO, MAP_38, MAP_3A };

struct insn {
	const uint8_t *code;
	size_t len, at; /* bytes there are, and those read */
	enum map map;
	uint8_t op, rex, modrm;
	bool size16, address32, wide, vex;
	size_t disp_at, disp, imm_at, imm; /* bytes */
};

static const uint8_t *take(struct insn *i, size_t n)
{
	const uint8_t *at = i->code + i->at;

	if (i->len - i->at < n)
		return NULL;
	i->at += n;
	return at;
}

/* ---- tables ---------------------------------------------------------- */

/* A bit per opcode, the lowest of word 0 being 0x00. */
static bool in(const uint32_t set[static 8], uint8_t op)
{
	return set[op / 32] >> op % 32 & 1;
}

static bool has_modrm(const struct insn *i)
{
	static const uint32_t one[8] = {
		0x0f0f0f0f, 0x0f0f0f0f, 0x00000000, 0x00000a0c,
		0x0000ffff, 0x00000000, 0xff0f00f3, 0xc0c00000,
	};
	/* All but these. */
	static const uint32_t not_two[8] = {
		0x00004be0, 0x00bf0000, 0x00000000, 0x00800000,
		0x0000ffff, 0x00000707, 0x0000ff00, 0x00000000,
	};

	if (i->vex)
		return !(i->map == TWO && i->op == 0x77); /* vzeroupper */
	if (i->map == ONE)
		return in(one, i->op);
	return i->map != TWO || !in(not_two, i->op);
}

/* No instruction in 64-bit mode. */
static bool is_invalid(const struct insn *i)
{
	static const uint32_t one[8] = {
		0xc0c040c0, 0x80808080, 0x00000000, 0x00000003,
		0x04000004, 0x00000000, 0x00704030, 0x00000400,
	};

	return !i->vex && i->map == ONE && in(one, i->op);
}

static size_t imm_of_one(const struct insn *i)
{
	static const uint32_t byte[8] = {
		0x10101010, 0x10101010, 0x00000000, 0xffff0c00,
		0x0000000d, 0x00ff0100, 0x00302043, 0x000008ff,
	};
	static const uint32_t word[8] = {
		/* 2 or 4 bytes, as the operands are */
		0x20202020, 0x20202020, 0x00000000, 0x00000300,
		0x00000002, 0x00000200, 0x00000080, 0x00000000,
	};
	size_t size = i->size16 ? 2 : 4;
	unsigned reg = i->modrm >> 3 & 7;

	switch (i->op) {
	case 0xe8: /* call, jmp */
	case 0xe9:
		return 4;
	case 0xc2: /* ret */
	case 0xca:
		return 2;
	case 0xc8: /* enter */
		return 3;
	case 0xf6: /* test */
		return reg < 2 ? 1 : 0;
	case 0xf7:
		return reg < 2 ? size : 0;
	}
	if (i->op >= 0xa0 && i->op <= 0xa3) /* mov of an address */
		return i->address32 ? 4 : 8;
	if (i->op >= 0xb8 && i->op <= 0xbf && i->wide)
		return 8;
	if (i->op >= 0xb8 && i->op <= 0xbf)
		return size;
	return in(byte, i->op) ? 1 : in(word, i->op) ? size : 0;
}

static size_t imm_of(const struct insn *i)
{
	/* psh.., pshuf.., shld, shrd, bt, cmp.., pinsrw, pextrw, shuf.., and
	 * the suffix of 3DNow! */
	static const uint32_t two[8] = {
		0x00008000, 0x00000000, 0x00000000, 0x000f0000,
		0x00000000, 0x04001010, 0x00000074, 0x00000000,
	};
	static const uint32_t two_vex[8] = {
		0x00000000, 0x00000000, 0x00000000, 0x000f0000,
		0x00000000, 0x00000000, 0x00000074, 0x00000000,
	};

	switch (i->map) {
	case ONE:
		return imm_of_one(i);
	case TWO:
		if (!i->vex && i->op >= 0x80 && i->op <= 0x8f) /* jcc */
			return 4;
		return in(i->vex ? two_vex : two, i->op) ? 1 : 0;
	case MAP_38:
		return 0;
	default:
		return 1;
	}
}

/* ---- the parts, in their order --------------------------------------- */

static bool read_prefixes(struct insn *i)
{
	for (; i->at < i->len && i->at < LENGTH_MAX; i->at++) {
		switch (i->code[i->at]) {
		case 0x66:
			i->size16 = true;
			break;
		case 0x67:
			i->address32 = true;
			break;
		case 0x26: /* segments, lock, rep */
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
		case 0xf0:
		case 0xf2:
		case 0xf3:
			break;
		default:
			return true;
		}
	}
	return false;
}

/* What bits of a VEX or EVEX prefix stand for. */
static void implied_prefix(struct insn *i, uint8_t bits)
{
	i->vex = true;
	i->size16 = (bits & 3) == 1;
	i->wide = bits & 0x80;
}

static bool read_vex(struct insn *i, uint8_t first)
{
	size_t n = first == 0xc5 ? 2 : first == 0x62 ? 4 : 3;
	const uint8_t *b = take(i, n);

	if (!b)
		return false;
	i->map = TWO;
	implied_prefix(i, first == 0xc5 ? b[0] & 0x7f : b[1]);
	if (first == 0xc4)
		i->map = (enum map)(b[0] & 31);
	else if (first == 0x62)
		i->map = (enum map)(b[0] & 15);
	else if (first == 0x8f) /* its maps 8 and 9 */
		i->map = (b[0] & 31) == 8 ? MAP_3A : MAP_38;
	i->op = b[n - 1];
	return i->map >= TWO && i->map <= MAP_3A && (first != 0x62 || b[1] & 4);
}

/* XOP, of some processors by AMD: what would be a pop with a wrong ModRM. */
static bool is_xop(const struct insn *i, uint8_t first)
{
	return first == 0x8f && i->at < i->len &&
	       ((i->code[i->at] & 31) == 8 || (i->code[i->at] & 31) == 9);
}

static bool read_opcode(struct insn *i)
{
	const uint8_t *b = take(i, 1);

	if (b && (*b & 0xf0) == 0x40) {
		i->rex = *b;
		i->wide = *b & 8;
		b = take(i, 1);
	}
	if (!b)
		return false;
	if (!i->rex &&
	    (*b == 0xc4 || *b == 0xc5 || *b == 0x62 || is_xop(i, *b)))
		return read_vex(i, *b);
	if (*b == 0x0f) {
		b = take(i, 1);
		i->map = TWO;
		if (b && (*b == 0x38 || *b == 0x3a)) {
			i->map = *b == 0x38 ? MAP_38 : MAP_3A;
			b = take(i, 1);
		}
	}
	i->op = b ? *b : 0;
	return b && !is_invalid(i);
}

static bool read_modrm(struct insn *i)
{
	const uint8_t *b = take(i, 1);
	unsigned mod, rm;

	if (!b)
		return false;
	i->modrm = *b;
	mod = *b >> 6;
	rm = *b & 7;
	if (mod == 3)
		return true;
	if (rm == 4) {
		b = take(i, 1);
		if (!b)
			return false;
		rm = *b & 7;
	}
	i->disp = mod == 1 ? 1 : mod == 2 || rm == 5 ? 4 : 0;
	i->disp_at = i->at;
	return take(i, i->disp) != NULL;
}

/* 0: none. */
static size_t decode(const uint8_t *code, size_t len, struct insn *ret)
{
	struct insn i = { .code = code,
			  .len = len < LENGTH_MAX ? len : LENGTH_MAX };

	if (!read_prefixes(&i) || !read_opcode(&i) ||
	    (has_modrm(&i) && !read_modrm(&i)))
		return 0;
	i.imm = imm_of(&i);
	i.imm_at = i.at;
	if (!take(&i, i.imm))
		return 0;
	*ret = i;
	return i.at;
}

size_t fragment_x86_length(const uint8_t *code, size_t len)
{
	struct insn i;

	return decode(code, len, &i);
}

/* ---- what says where things lie -------------------------------------- */

/* Its immediate says where to go, and that is another function, or far. */
static bool is_far_branch(const struct insn *i)
{
	if (i->vex || i->imm != 4)
		return false;
	return i->map == TWO
		       ? i->op >= 0x80 && i->op <= 0x8f
		       : i->map == ONE && (i->op == 0xe8 || i->op == 0xe9);
}

void fragment_x86(const uint8_t *code, size_t len, uint8_t *moves)
{
	size_t n;

	for (size_t at = 0; at < len; at += n ? n : 1) {
		struct insn i;

		n = decode(code + at, len - at, &i);
		if (n && i.disp == 4)
			memset(moves + at + i.disp_at, 1, 4);
		if (n && is_far_branch(&i))
			memset(moves + at + i.imm_at, 1, 4);
	}
}
