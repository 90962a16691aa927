/* rules_plan.c - by which bytes can the prefilter know a rule's strings? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rules_plan.h"

#define DEPTH YR_MAX_ATOM_LENGTH

/* A regular expression or hex string reaches at most so far from its atom, in
 * either direction; with the byte that fullword looks at. */
#define REACH (YR_RE_SCAN_LIMIT + 8)

#define TRANSFORMED                                                            \
	(STRING_FLAGS_NO_CASE | STRING_FLAGS_XOR | STRING_FLAGS_BASE64 |       \
	 STRING_FLAGS_BASE64_WIDE)

struct planner {
	YR_RULES *set;
	const uint8_t *where;
	struct rules_plan *plan;
	bool *literal; /* per string: known by its own bytes */
	bool *reached; /* per string: the automaton has it */
	uint8_t path[DEPTH];
	int error;
};

static void add(struct planner *p, const struct atom *atom)
{
	struct rules_plan *plan = p->plan;

	if (plan->n == plan->room) {
		size_t room = plan->room ? plan->room * 2 : 256;
		struct atom *a = realloc(plan->atoms, room * sizeof(*a));

		if (!a || room > ATOMS_MAX) {
			plan->atoms = a ? a : plan->atoms;
			p->error = a ? -E2BIG : -ENOMEM;
			return;
		}
		plan->atoms = a;
		plan->room = room;
	}
	plan->atoms[plan->n++] = *atom;
}

/* ---- plain literals ----------------------------------------------------- */

/* The slice of @len bytes that has the most different values. */
static size_t best_slice(const uint8_t *s, size_t len, size_t slice)
{
	unsigned count[256] = { 0 }, distinct = 0, best = 0;
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		distinct += count[s[i]]++ == 0;
		if (i >= slice)
			distinct -= --count[s[i - slice]] == 0;
		if (i + 1 >= slice && distinct > best) {
			best = distinct;
			at = i + 1 - slice;
		}
	}
	return at;
}

static void add_literal(struct planner *p, const YR_STRING *s,
			const uint8_t *bytes, size_t len)
{
	size_t slice = len < ATOM_BYTES ? len : ATOM_BYTES;
	size_t at = best_slice(bytes, len, slice);
	struct atom a = {
		.len = (uint8_t)slice,
		.where = p->where[s->rule_idx],
		.before = (uint16_t)(at + 2), /* 2: fullword, wide */
		.after = (uint16_t)(len - at + 2),
	};

	memcpy(a.bytes, bytes + at, slice);
	add(p, &a);
}

/* "abc" as the wide form has it: a\0b\0c\0 */
static void add_wide(struct planner *p, const YR_STRING *s, size_t len)
{
	uint8_t *wide = calloc(2, len);

	if (!wide) {
		p->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < len; i++)
		wide[2 * i] = s->string[i];
	add_literal(p, s, wide, 2 * len);
	free(wide);
}

static bool plan_literal(struct planner *p, const YR_STRING *s)
{
	size_t len = (size_t)s->length;

	if (!STRING_IS_LITERAL(s) || s->flags & TRANSFORMED ||
	    STRING_IS_CHAIN_PART(s) || len < ATOM_MIN || len > 8192)
		return false;
	if (STRING_IS_ASCII(s) || !STRING_IS_WIDE(s))
		add_literal(p, s, s->string, len);
	if (STRING_IS_WIDE(s))
		add_wide(p, s, len);
	return true;
}

/* ---- the automaton ------------------------------------------------------ */

static void add_match(struct planner *p, const YR_AC_MATCH *m, unsigned depth)
{
	const YR_STRING *s = m->string;
	struct atom a = { .len = (uint8_t)depth,
			  .where = p->where[s->rule_idx],
			  .before = REACH,
			  .after = REACH };

	p->reached[s->idx] = true;
	if (p->literal[s->idx])
		return;
	if (STRING_IS_CHAIN_PART(s) || depth < ATOM_MIN) {
		p->plan->every_page[s->rule_idx] = true;
		return;
	}
	memcpy(a.bytes, p->path, depth);
	add(p, &a);
}

/* All states below @state; the automaton is a trie of DEPTH levels. */
static void walk(struct planner *p, uint32_t state, unsigned depth)
{
	uint32_t first = p->set->ac_match_table[state];

	if (first)
		for (const YR_AC_MATCH *m = &p->set->ac_match_pool[first - 1];
		     m; m = m->next)
			add_match(p, m, depth);
	if (depth == DEPTH)
		return;
	for (unsigned c = 0; c < 256; c++) {
		YR_AC_TRANSITION t =
			p->set->ac_transition_table[state + c + 1];
		uint32_t next = YR_AC_NEXT_STATE(t);

		if (YR_AC_INVALID_TRANSITION(t, c + 1) || !next)
			continue;
		p->path[depth] = (uint8_t)c;
		walk(p, next, depth + 1);
	}
}

/* ---- rules that need no string ------------------------------------------ */

static int note_match(YR_SCAN_CONTEXT *context, int message, void *data,
		      void *user)
{
	struct planner *p = user;

	(void)context;
	if (message == CALLBACK_MSG_RULE_MATCHING)
		p->plan->every_page[(YR_RULE *)data - p->set->rules_table] =
			true;
	return CALLBACK_CONTINUE;
}

/* What holds over one byte of nothing holds without a string. */
static void find_stringless(struct planner *p)
{
	static const uint8_t nothing[1];

	yr_rules_scan_mem(p->set, nothing, 1,
			  SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_PROCESS_MEMORY |
				  SCAN_FLAGS_REPORT_RULES_MATCHING,
			  note_match, p, 0);
}

int rules_plan_make(YR_RULES *set, const uint8_t *where,
		    struct rules_plan *ret)
{
	struct planner p = { .set = set, .where = where, .plan = ret };

	memset(ret, 0, sizeof(*ret));
	p.reached = calloc(set->num_strings + 1, sizeof(bool));
	p.literal = calloc(set->num_strings + 1, sizeof(bool));
	ret->every_page = calloc(set->num_rules + 1, sizeof(bool));
	if (!p.reached || !p.literal || !ret->every_page) {
		p.error = -ENOMEM;
		goto out;
	}
	for (uint32_t i = 0; i < set->num_strings; i++)
		p.literal[i] = plan_literal(&p, &set->strings_table[i]);
	walk(&p, YR_AC_ROOT_STATE, 0);
	for (uint32_t i = 0; i < set->num_strings; i++)
		if (!p.literal[i] && !p.reached[i])
			ret->every_page[set->strings_table[i].rule_idx] = true;
	find_stringless(&p);
out:
	free(p.reached);
	free(p.literal);
	if (p.error)
		rules_plan_free(ret);
	return p.error;
}

void rules_plan_free(struct rules_plan *plan)
{
	free(plan->atoms);
	free(plan->every_page);
	memset(plan, 0, sizeof(*plan));
}
