/* rules_plan.c - by which bytes can the prefilter know a rule's strings? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rules_code.h"
#include "rules_plan.h"
#include "wire.h"

#define DEPTH YR_MAX_ATOM_LENGTH

/* A regular expression or hex string reaches at most so far from its atom, in
 * either direction; with the bytes that fullword looks at. */
#define REACH (YR_RE_SCAN_LIMIT + 8)
_Static_assert(2 * REACH <= WIRE_SPAN, "regular expressions fit a window");

/* What fullword looks at on each side, wide. */
#define CONTEXT 2

/* A condition that takes longer over nothing is taken for slow, not judged. */
#define NOTHING_SECONDS 10

#define TRANSFORMED                                                            \
	(STRING_FLAGS_NO_CASE | STRING_FLAGS_XOR | STRING_FLAGS_BASE64 |       \
	 STRING_FLAGS_BASE64_WIDE)

struct planner {
	YR_RULES *set;
	struct rules_plan *plan;
	struct rules_code code;
	bool *reached;	    /* per string: the automaton has it */
	uint8_t *own_depth; /* per entry of the automaton's pool, see below */
	size_t n_pool;
	uint8_t path[DEPTH];
	int error;
};

/* The first reason stands. */
static void need_every_page(struct planner *p, uint32_t rule, const char *why,
			    const char *name)
{
	struct plan_rule *r = &p->plan->rules[rule];

	if (r->every_page)
		return;
	r->every_page = true;
	r->why = why;
	r->name = name;
}

/* ---- plain literals ----------------------------------------------------- */

static bool is_plain(const YR_STRING *s)
{
	return STRING_IS_LITERAL(s) && !(s->flags & TRANSFORMED) &&
	       !STRING_IS_CHAIN_PART(s) && s->length >= ATOM_MIN;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* The most bytes that a literal can match. */
static size_t reach_of(const YR_STRING *s)
{
	return (size_t)s->length * (STRING_IS_WIDE(s) ? 2 : 1);
}

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

/* For the sets of suspects that judge the rule; 0: it needs no atoms. */
static uint8_t where_of(const struct planner *p, const YR_STRING *s)
{
	return p->plan->rules[s->rule_idx].sets & ((1 << WHERE_COUNT) - 1);
}

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
		.where = where_of(p, s),
		.string = s->idx,
		.before = (uint16_t)(at + CONTEXT),
		.after = (uint16_t)(len - at + CONTEXT),
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

static void add_literals(struct planner *p)
{
	for (uint32_t i = 0; i < p->set->num_strings; i++) {
		const YR_STRING *s = &p->set->strings_table[i];
		size_t len = (size_t)s->length;

		if (!is_plain(s) || !where_of(p, s))
			continue;
		if (STRING_IS_ASCII(s) || !STRING_IS_WIDE(s))
			add_literal(p, s, s->string, len);
		if (STRING_IS_WIDE(s))
			add_wide(p, s, len);
	}
}

/* ---- the automaton ------------------------------------------------------
 *
 * Its states are a trie of DEPTH levels.  A state lists the matches of its
 * own path, then those of the states whose paths are ends of it: the same
 * entries of the pool.  So an entry is its own state's where it is met at its
 * lowest depth; the deeper ones would only be the same atom, less general. */

typedef void visit_fn(struct planner *, const YR_AC_MATCH *, size_t entry,
		      unsigned depth);

static void walk(struct planner *p, uint32_t state, unsigned depth,
		 visit_fn *visit)
{
	const YR_AC_MATCH *pool = p->set->ac_match_pool;
	uint32_t first = p->set->ac_match_table[state];

	if (first)
		for (const YR_AC_MATCH *m = &pool[first - 1]; m; m = m->next)
			visit(p, m, (size_t)(m - pool), depth);
	if (depth == DEPTH)
		return;
	for (unsigned c = 0; c < 256; c++) {
		YR_AC_TRANSITION t =
			p->set->ac_transition_table[state + c + 1];
		uint32_t next = YR_AC_NEXT_STATE(t);

		if (YR_AC_INVALID_TRANSITION(t, c + 1) || !next)
			continue;
		p->path[depth] = (uint8_t)c;
		walk(p, next, depth + 1, visit);
	}
}

static void note_depth(struct planner *p, const YR_AC_MATCH *m, size_t entry,
		       unsigned depth)
{
	(void)m;
	if (entry >= p->n_pool) {
		size_t n = (entry + 1) * 2;
		uint8_t *d = realloc(p->own_depth, n);

		if (!d) {
			p->error = -ENOMEM;
			return;
		}
		memset(d + p->n_pool, DEPTH + 1, n - p->n_pool);
		p->own_depth = d;
		p->n_pool = n;
	}
	if (depth < p->own_depth[entry])
		p->own_depth[entry] = (uint8_t)depth;
}

/* Will the atoms of this string do?  Pages of zeros are not looked at, so an
 * atom of zeros will not, whatever the rest of its string is. */
static void judge_entry(struct planner *p, const YR_AC_MATCH *m, size_t entry,
			unsigned depth)
{
	const YR_STRING *s = m->string;

	if (depth != p->own_depth[entry])
		return;
	p->reached[s->idx] = true;
	if (is_plain(s))
		return;
	if (STRING_IS_CHAIN_PART(s))
		need_every_page(p, s->rule_idx,
				"a jump of more than 200 bytes in",
				s->identifier);
	else if (depth < ATOM_MIN || is_zero(p->path, depth))
		need_every_page(p, s->rule_idx,
				"fewer than 3 certain bytes in a row in",
				s->identifier);
}

/* Of a literal it is known where its atom lies in it; anything else may
 * stretch to both sides. */
static void add_entry(struct planner *p, const YR_AC_MATCH *m, size_t entry,
		      unsigned depth)
{
	const YR_STRING *s = m->string;
	struct atom a = { .len = (uint8_t)depth,
			  .where = where_of(p, s),
			  .before = REACH,
			  .after = REACH,
			  .string = s->idx };

	if (depth != p->own_depth[entry] || is_plain(s) || !a.where)
		return;
	if (STRING_IS_LITERAL(s) && m->backtrack >= depth) {
		size_t at = (size_t)m->backtrack - depth;

		a.before = (uint16_t)(at + CONTEXT);
		a.after = (uint16_t)(reach_of(s) + CONTEXT);
	}
	memcpy(a.bytes, p->path, depth);
	add(p, &a);
}

static int judge_strings(struct planner *p)
{
	walk(p, YR_AC_ROOT_STATE, 0, note_depth);
	if (p->error)
		return p->error;
	walk(p, YR_AC_ROOT_STATE, 0, judge_entry);
	for (uint32_t i = 0; i < p->set->num_strings; i++) {
		const YR_STRING *s = &p->set->strings_table[i];

		if (!is_plain(s) && !p->reached[i])
			need_every_page(p, s->rule_idx,
					"libyara has no atom for",
					s->identifier);
		else if (is_plain(s) && is_zero(s->string, (size_t)s->length))
			need_every_page(p, s->rule_idx, "nothing but zeros in",
					s->identifier);
		else if (STRING_IS_LITERAL(s) &&
			 reach_of(s) + 2 * CONTEXT > WIRE_SPAN)
			need_every_page(p, s->rule_idx,
					"too long to be found for certain:",
					s->identifier);
	}
	return 0;
}

/* ---- conditions ----------------------------------------------------------- */

static void judge_code(struct planner *p)
{
	for (uint32_t i = 0; i < p->set->num_rules; i++) {
		uint8_t uses = p->code.uses[i];

		if (p->code.unknown)
			need_every_page(p, i,
					"this libyara's bytecode is not known",
					NULL);
		if (uses & CODE_READS)
			need_every_page(p, i,
					"uintN() or intN(), which has no value "
					"in a scan of processes", NULL);
		if (uses & CODE_MODULE)
			need_every_page(p, i,
					"a module, which sees no file in a "
					"scan of processes", NULL);
		if (uses & CODE_ENTRYPOINT)
			need_every_page(p, i, "entrypoint", NULL);
	}
}

static YR_MEMORY_BLOCK *no_block(YR_MEMORY_BLOCK_ITERATOR *it)
{
	(void)it;
	return NULL;
}

static int note_match(YR_SCAN_CONTEXT *context, int message, void *data,
		      void *user)
{
	struct planner *p = user;

	(void)context;
	if (message == CALLBACK_MSG_RULE_MATCHING)
		need_every_page(p,
				(uint32_t)((YR_RULE *)data -
					   p->set->rules_table),
				"it can hold without any string", NULL);
	return CALLBACK_CONTINUE;
}

/* What holds over nothing holds without a string.  Private rules are not
 * reported: for the rules that rest on them the answer is theirs. */
static void judge_without_strings(struct planner *p)
{
	YR_MEMORY_BLOCK_ITERATOR nothing = { .first = no_block,
					     .next = no_block };

	if (yr_rules_scan_mem_blocks(p->set, &nothing,
				     SCAN_FLAGS_NO_TRYCATCH |
					     SCAN_FLAGS_PROCESS_MEMORY |
					     SCAN_FLAGS_REPORT_RULES_MATCHING,
				     note_match, p,
				     NOTHING_SECONDS) == ERROR_SUCCESS)
		return;
	for (uint32_t i = 0; i < p->set->num_rules; i++)
		need_every_page(p, i, "conditions could not be tried", NULL);
}

/* ---- rules that rest on rules --------------------------------------------- */

static bool pass(uint8_t from, uint8_t *to)
{
	uint8_t was = *to;

	*to |= from;
	return *to != was;
}

/* A rule rests on those that it names and on the global rules of its
 * namespace (on all of its namespace, where the code is unknown).  Passes
 * @bits of each rule on to those that rest on it (@up), or to those it rests
 * on, until nothing changes. */
static int spread(const struct planner *p, uint8_t *bits, bool up)
{
	const YR_RULE *rules = p->set->rules_table;
	uint8_t *ns = calloc(p->set->num_namespaces + 1, 1);
	bool changed = true;

	if (!ns)
		return -ENOMEM;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < p->code.n_refs; i++) {
			const struct rules_code_ref *r = &p->code.refs[i];

			changed |= up ? pass(bits[r->to], &bits[r->from])
				      : pass(bits[r->from], &bits[r->to]);
		}
		for (uint32_t i = 0; i < p->set->num_rules; i++) {
			uint8_t *of_ns = &ns[rules[i].ns->idx];
			bool below = RULE_IS_GLOBAL(&rules[i]) ||
				     p->code.unknown;

			if (!up || below)
				changed |= pass(bits[i], of_ns);
			if (up || below)
				changed |= pass(*of_ns, &bits[i]);
		}
	}
	free(ns);
	return 0;
}

/* What a rule can not see in suspects, those that rest on it can not. */
static int judge_rests(struct planner *p, uint8_t *bits)
{
	int err;

	for (uint32_t i = 0; i < p->set->num_rules; i++)
		bits[i] = p->plan->rules[i].every_page;
	err = spread(p, bits, true);
	for (uint32_t i = 0; !err && i < p->set->num_rules; i++)
		if (bits[i])
			need_every_page(p, i, "it rests on a rule that must",
					NULL);
	return err;
}

/* Each rule is judged in the set it is reported from, and in those of the
 * rules that rest on it. */
static int make_sets(struct planner *p, const uint8_t *where, uint8_t *bits)
{
	struct plan_rule *rules = p->plan->rules;
	int err;

	for (uint32_t i = 0; i < p->set->num_rules; i++)
		bits[i] = (uint8_t)(where[i] == WHERE_COUNT
					    ? 0
					    : SET_BIT(where[i],
						      rules[i].every_page));
	err = spread(p, bits, false);
	for (uint32_t i = 0; !err && i < p->set->num_rules; i++)
		rules[i].sets = bits[i];
	return err;
}

static int judge(struct planner *p, const uint8_t *where)
{
	uint8_t *bits = calloc(p->set->num_rules + 1, 1);
	int err = bits ? 0 : -ENOMEM;

	if (!err)
		err = judge_strings(p);
	judge_code(p);
	if (!err)
		err = judge_rests(p, bits);
	/* Behind the above: a rule that rests on one that can hold without a
	 * string may still need one itself. */
	judge_without_strings(p);
	if (!err)
		err = make_sets(p, where, bits);
	free(bits);
	return err;
}

int rules_plan_make(YR_RULES *set, const uint8_t *where,
		    struct rules_plan *ret)
{
	struct planner p = { .set = set, .plan = ret };

	memset(ret, 0, sizeof(*ret));
	ret->rules = calloc(set->num_rules + 1, sizeof(*ret->rules));
	p.reached = calloc(set->num_strings + 1, sizeof(bool));
	p.error = rules_code_read(set, &p.code);
	if (!p.reached || !ret->rules)
		p.error = -ENOMEM;
	if (!p.error)
		p.error = judge(&p, where);
	if (!p.error)
		add_literals(&p);
	if (!p.error)
		walk(&p, YR_AC_ROOT_STATE, 0, add_entry);
	free(p.reached);
	free(p.own_depth);
	rules_code_free(&p.code);
	if (p.error)
		rules_plan_free(ret);
	return p.error;
}

void rules_plan_free(struct rules_plan *plan)
{
	free(plan->atoms);
	free(plan->rules);
	memset(plan, 0, sizeof(*plan));
}
