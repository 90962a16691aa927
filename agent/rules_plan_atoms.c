/* rules_plan_atoms.c - by which bytes can the prefilter know a string? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rules_plan_own.h"
#include "wire.h"

/* A regular expression or hex string reaches at most so far from its atom, in
 * either direction; with the bytes that fullword looks at. */
#define REACH (YR_RE_SCAN_LIMIT + 8)
_Static_assert(2 * REACH <= WIRE_SPAN, "regular expressions fit a window");

#define TRANSFORMED \
	(STRING_FLAGS_XOR | STRING_FLAGS_BASE64 | STRING_FLAGS_BASE64_WIDE)

/* ---- plain literals -------------------------------------------------- */

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

/* Entries of one string that differ in the automaton's four bytes may have the
 * same run. */
static bool is_there(const struct rules_plan *plan, const struct atom *atom)
{
	const struct atom *a;

	for (size_t i = plan->n; i--;) {
		a = &plan->atoms[i];
		if (a->string != atom->string)
			return false;
		if (a->len == atom->len && a->nocase == atom->nocase &&
		    a->before == atom->before && a->after == atom->after &&
		    !memcmp(a->bytes, atom->bytes, a->len))
			return true;
	}
	return false;
}

static void add(struct planner *p, const struct atom *atom)
{
	struct rules_plan *plan = p->plan;

	if (is_there(plan, atom))
		return;
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

/* Of the memory where its rule is judged by suspects; 0: it needs no atoms. */
static uint8_t where_of(const struct planner *p, const YR_STRING *s)
{
	return p->plan->rules[s->rule_idx].where &
	       (uint8_t)~p->plan->every_page;
}

size_t rules_plan_slice(const uint8_t *s, size_t len, size_t slice)
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
	size_t at = rules_plan_slice(bytes, len, slice);
	struct atom a = {
		.len = (uint8_t)slice,
		.where = where_of(p, s),
		.nocase = !!STRING_IS_NO_CASE(s),
		.string = s->idx,
		.before = (uint16_t)(at + ATOM_CONTEXT),
		.after = (uint16_t)(len - at + ATOM_CONTEXT),
	};

	for (size_t i = 0; i < slice; i++)
		a.bytes[i] =
			a.nocase ? atom_lower(bytes[at + i]) : bytes[at + i];
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

/* Entry @entry of the pool is listed by the state of p->path. */
static void meet(struct planner *p, size_t entry, unsigned depth)
{
	if (entry >= p->n_pool) {
		size_t n = (entry + 1) * 2;
		struct pooled *pool = realloc(p->pool, n * sizeof(*pool));

		if (!pool) {
			p->error = -ENOMEM;
			return;
		}
		for (size_t i = p->n_pool; i < n; i++)
			pool[i].depth = NOT_MET;
		p->pool = pool;
		p->n_pool = n;
	}
	if (depth >= p->pool[entry].depth)
		return;
	p->pool[entry].depth = (uint8_t)depth;
	memcpy(p->pool[entry].path, p->path, depth);
}

static void walk(struct planner *p, uint32_t state, unsigned depth)
{
	const YR_AC_MATCH *pool = p->set->ac_match_pool;
	uint32_t first = p->set->ac_match_table[state];

	if (first)
		for (const YR_AC_MATCH *m = &pool[first - 1]; m; m = m->next)
			meet(p, (size_t)(m - pool), depth);
	if (depth == DEPTH)
		return;
	for (unsigned c = 0; c < 256; c++) {
		YR_AC_TRANSITION t = p->set->ac_transition_table[state + c + 1];
		uint32_t next = YR_AC_NEXT_STATE(t);

		if (YR_AC_INVALID_TRANSITION(t, c + 1) || !next)
			continue;
		p->path[depth] = (uint8_t)c;
		walk(p, next, depth + 1);
	}
}

/* Will this atom of its string do?  Pages of zeros are not looked at, so an
 * atom of zeros will not, whatever the rest of its string is. */
static void judge_entry(struct planner *p, size_t entry)
{
	const YR_STRING *s = p->set->ac_match_pool[entry].string;
	const struct pooled *own = &p->pool[entry];

	p->reached[s->idx] = true;
	if (is_plain(s))
		return;
	if (STRING_IS_CHAIN_PART(s))
		rules_plan_every_page(p, s->rule_idx,
				      "a jump of more than 200 bytes in",
				      s->identifier);
	else if (own->depth < ATOM_MIN || is_zero(own->path, own->depth))
		rules_plan_every_page(p, s->rule_idx,
				      "fewer than 3 certain bytes in a row in",
				      s->identifier);
}

/* Of a literal it is known where its atom lies in it; anything else may
 * stretch to both sides. */
static void add_entry(struct planner *p, size_t entry)
{
	const YR_AC_MATCH *m = &p->set->ac_match_pool[entry];
	const struct pooled *own = &p->pool[entry];
	const YR_STRING *s = m->string;
	struct atom a = { .len = own->depth,
			  .where = where_of(p, s),
			  .before = REACH,
			  .after = REACH,
			  .string = s->idx };

	if (is_plain(s) || !a.where)
		return;
	memcpy(a.bytes, own->path, own->depth);
	if (STRING_IS_LITERAL(s) && m->backtrack >= own->depth) {
		size_t at = (size_t)m->backtrack - own->depth;

		a.before = (uint16_t)(at + ATOM_CONTEXT);
		a.after = (uint16_t)(reach_of(s) + ATOM_CONTEXT);
	}
	if (!STRING_IS_LITERAL(s) &&
	    !(s->flags & (TRANSFORMED | STRING_FLAGS_WIDE)))
		rules_plan_extend(&a, m);
	add(p, &a);
}

int rules_plan_judge_strings(struct planner *p)
{
	walk(p, YR_AC_ROOT_STATE, 0);
	if (p->error)
		return p->error;
	for (size_t i = 0; i < p->n_pool; i++)
		if (p->pool[i].depth != NOT_MET)
			judge_entry(p, i);
	for (uint32_t i = 0; i < p->set->num_strings; i++) {
		const YR_STRING *s = &p->set->strings_table[i];

		if (!is_plain(s) && !p->reached[i])
			rules_plan_every_page(p, s->rule_idx,
					      "libyara has no atom for",
					      s->identifier);
		else if (is_plain(s) && is_zero(s->string, (size_t)s->length))
			rules_plan_every_page(p, s->rule_idx,
					      "nothing but zeros in",
					      s->identifier);
		else if (STRING_IS_LITERAL(s) &&
			 reach_of(s) + 2 * ATOM_CONTEXT > WIRE_SPAN)
			rules_plan_every_page(
				p, s->rule_idx,
				"too long to be found for certain:",
				s->identifier);
	}
	return 0;
}

int rules_plan_add_atoms(struct planner *p)
{
	add_literals(p);
	for (size_t i = 0; i < p->n_pool && !p->error; i++)
		if (p->pool[i].depth != NOT_MET)
			add_entry(p, i);
	return p->error;
}
