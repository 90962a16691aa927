/* rules_code.c - what do the conditions of compiled rules rest on?
 *
 * An instruction is one byte and an operand whose size depends on that byte
 * alone, so the code can be read from its start to OP_HALT without following
 * jumps.  Each rule is OP_INIT_RULE with its number, its condition, and
 * OP_MATCH_RULE with its number: if all rules come by in this order, the
 * table below is right for this libyara. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rules_code.h"

#define UNKNOWN 0
#define SIZE(n) (1 + (n)) /* of the operand; 0 stays UNKNOWN */

/* From exec.c of 4.1.3, 4.2.3, 4.3.2, 4.4.0 and 4.5.2, which differ in the
 * numbers of some instructions, in having some, and in one operand. */
static const uint8_t sizes[256] = {
	[OP_HALT] = SIZE(0),
	[OP_NOP] = SIZE(0),
	[OP_AND] = SIZE(0),
	[OP_OR] = SIZE(0),
	[OP_NOT] = SIZE(0),
	[OP_BITWISE_NOT] = SIZE(0),
	[OP_BITWISE_AND] = SIZE(0),
	[OP_BITWISE_OR] = SIZE(0),
	[OP_BITWISE_XOR] = SIZE(0),
	[OP_SHL] = SIZE(0),
	[OP_SHR] = SIZE(0),
	[OP_MOD] = SIZE(0),
	[OP_INT_TO_DBL] = SIZE(8),
	[OP_STR_TO_BOOL] = SIZE(0),
	[OP_PUSH] = SIZE(8),
	[OP_PUSH_8] = SIZE(1),
	[OP_PUSH_16] = SIZE(2),
	[OP_PUSH_32] = SIZE(4),
	[OP_PUSH_U] = SIZE(0),
	[OP_POP] = SIZE(0),
	[OP_CALL] = SIZE(8),
	[OP_OBJ_LOAD] = SIZE(8),
	[OP_OBJ_VALUE] = SIZE(0),
	[OP_OBJ_FIELD] = SIZE(8),
	[OP_INDEX_ARRAY] = SIZE(0),
	[OP_LOOKUP_DICT] = SIZE(0),
	[OP_IMPORT] = SIZE(8),
	[OP_COUNT] = SIZE(0),
	[OP_LENGTH] = SIZE(0),
	[OP_FOUND] = SIZE(0),
	[OP_FOUND_AT] = SIZE(0),
	[OP_FOUND_IN] = SIZE(0),
	[OP_OFFSET] = SIZE(0),
#ifdef OP_OF_PERCENT /* 4.2: strings or rules */
	[OP_OF] = SIZE(8),
	[OP_OF_PERCENT] = SIZE(8),
#else
	[OP_OF] = SIZE(0),
#endif
#ifdef OP_OF_FOUND_IN /* 4.2 */
	[OP_OF_FOUND_IN] = SIZE(0),
	[OP_COUNT_IN] = SIZE(0),
	[OP_DEFINED] = SIZE(0),
	[OP_IEQUALS] = SIZE(0),
#endif
#ifdef OP_OF_FOUND_AT /* 4.3 */
	[OP_OF_FOUND_AT] = SIZE(0),
	[OP_ITER_START_STRING_SET] = SIZE(0),
	[OP_ITER_START_TEXT_STRING_SET] = SIZE(0),
	[OP_ITER_CONDITION] = SIZE(0),
	[OP_ITER_END] = SIZE(0),
#endif
	[OP_PUSH_RULE] = SIZE(8),
	[OP_INIT_RULE] = SIZE(8), /* jump, then the rule's number */
	[OP_MATCH_RULE] = SIZE(8),
	[OP_INCR_M] = SIZE(8),
	[OP_CLEAR_M] = SIZE(8),
	[OP_ADD_M] = SIZE(8),
	[OP_POP_M] = SIZE(8),
	[OP_PUSH_M] = SIZE(8),
	[OP_SET_M] = SIZE(8),
	[OP_SWAPUNDEF] = SIZE(8),
	[OP_FILESIZE] = SIZE(0),
	[OP_ENTRYPOINT] = SIZE(0),
	[OP_MATCHES] = SIZE(0),
	[OP_CONTAINS] = SIZE(0),
	[OP_STARTSWITH] = SIZE(0),
	[OP_ENDSWITH] = SIZE(0),
	[OP_ICONTAINS] = SIZE(0),
	[OP_ISTARTSWITH] = SIZE(0),
	[OP_IENDSWITH] = SIZE(0),
	[OP_JUNDEF_P] = SIZE(4),
	[OP_JNUNDEF] = SIZE(4),
	[OP_JFALSE] = SIZE(4),
	[OP_JFALSE_P] = SIZE(4),
	[OP_JTRUE] = SIZE(4),
	[OP_JTRUE_P] = SIZE(4),
	[OP_JL_P] = SIZE(4),
	[OP_JLE_P] = SIZE(4),
	[OP_JZ] = SIZE(4),
	[OP_JZ_P] = SIZE(4),
	[OP_ITER_NEXT] = SIZE(0),
	[OP_ITER_START_ARRAY] = SIZE(0),
	[OP_ITER_START_DICT] = SIZE(0),
	[OP_ITER_START_INT_RANGE] = SIZE(0),
	[OP_ITER_START_INT_ENUM] = SIZE(0),
	[OP_INT_BEGIN ... OP_INT_END] = SIZE(0),
	[OP_DBL_BEGIN ... OP_DBL_END] = SIZE(0),
	[OP_STR_BEGIN ... OP_STR_END] = SIZE(0),
	[OP_READ_INT ... OP_UINT32BE] = SIZE(0),
};

static int add_ref(struct rules_code *code, uint32_t from, uint64_t to)
{
	if (code->n_refs == code->room) {
		size_t room = code->room ? code->room * 2 : 64;
		struct rules_code_ref *r =
			realloc(code->refs, room * sizeof(*r));

		if (!r)
			return -ENOMEM;
		code->refs = r;
		code->room = room;
	}
	code->refs[code->n_refs++] =
		(struct rules_code_ref){ from, (uint32_t)to };
	return 0;
}

/* What OP_OBJ_LOAD loads: its operand is a name's address. */
static uint8_t use_of_object(const uint8_t *operand)
{
	const char *name;

	memcpy(&name, operand, sizeof(name));
	return strcmp(name, "time") ? CODE_MODULE : CODE_TIME;
}

static uint8_t use_of(uint8_t opcode, const uint8_t *operand)
{
	switch (opcode) {
	case OP_READ_INT ... OP_UINT32BE:
		return CODE_READS;
	case OP_OBJ_LOAD: /* what a module's name stands for */
		return use_of_object(operand);
	case OP_FILESIZE:
		return CODE_FILESIZE;
	case OP_ENTRYPOINT:
		return CODE_ENTRYPOINT;
	default:
		return 0;
	}
}

/* The walk: between two rules, @rule is the next one's number. */
struct walk {
	struct rules_code *code;
	uint32_t rule, n_rules;
	bool inside;
};

/* -EINVAL: this is not what the compiler of this libyara writes. */
static int step(struct walk *w, uint8_t opcode, const uint8_t *operand)
{
	uint32_t half = 0;
	uint64_t whole = 0;

	if (opcode == OP_INIT_RULE) {
		memcpy(&half, operand + 4, sizeof(half));
		if (w->inside || half != w->rule || half >= w->n_rules)
			return -EINVAL;
		w->inside = true;
		return 0;
	}
	if (opcode == OP_MATCH_RULE) {
		memcpy(&whole, operand, sizeof(whole));
		if (!w->inside || whole != w->rule)
			return -EINVAL;
		w->inside = false;
		w->rule++;
		return 0;
	}
	if (!w->inside) /* nothing but imports stands there */
		return opcode == OP_IMPORT || opcode == OP_NOP ? 0 : -EINVAL;
	w->code->uses[w->rule] |= use_of(opcode, operand);
	if (opcode != OP_PUSH_RULE)
		return 0;
	memcpy(&whole, operand, sizeof(whole));
	return whole < w->rule ? add_ref(w->code, w->rule, whole) : -EINVAL;
}

int rules_code_read(const YR_RULES *set, struct rules_code *ret)
{
	const uint8_t *at = set->code_start;
	size_t left = set->arena->buffers[YR_CODE_SECTION].used;
	struct walk w = { .code = ret, .n_rules = set->num_rules };
	int err = -EINVAL;

	memset(ret, 0, sizeof(*ret));
	ret->uses = calloc(set->num_rules + 1, 1);
	if (!ret->uses)
		return -ENOMEM;
	while (left && sizes[*at] != UNKNOWN && sizes[*at] <= left) {
		size_t size = sizes[*at];

		if (*at == OP_HALT) {
			err = w.inside || w.rule != w.n_rules ? -EINVAL : 0;
			break;
		}
		err = step(&w, *at, at + 1);
		if (err)
			break;
		err = -EINVAL; /* should the code end here */
		at += size;
		left -= size;
	}
	ret->unknown = err == -EINVAL;
	return err == -ENOMEM ? err : 0;
}

void rules_code_free(struct rules_code *code)
{
	free(code->uses);
	free(code->refs);
	memset(code, 0, sizeof(*code));
}
