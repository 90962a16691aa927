/* rules_plan_own.h - a plan in the making, as rules_plan*.c have it. */
#ifndef RULES_PLAN_OWN_H
#define RULES_PLAN_OWN_H

#include "rules_code.h"
#include "rules_plan.h"

/* The automaton's levels. */
#define DEPTH YR_MAX_ATOM_LENGTH

#define NOT_MET (DEPTH + 1)

/* What fullword looks at on each side, wide. */
#define ATOM_CONTEXT 2

/* An entry of the automaton's pool: the state that is its own. */
struct pooled {
	uint8_t depth; /* NOT_MET: no state has it */
	uint8_t path[DEPTH];
};

struct planner {
	YR_RULES *set;
	struct rules_plan *plan;
	struct rules_code code;
	bool *reached; /* per string: the automaton has it */
	struct pooled *pool;
	size_t n_pool;
	uint8_t path[DEPTH];
	int error;
};

/* ---- rules_plan.c */

/* Rule @rule must see every page, because of @why (a literal) and @name, a
 * string or rule in it, or NULL.  The first reason stands. */
void rules_plan_every_page(struct planner *p, uint32_t rule, const char *why,
			   const char *name);

/* ---- rules_plan_atoms.c */

/* Notes the rules that have a string whose atoms will not do.  0 or -errno. */
int rules_plan_judge_strings(struct planner *p);

/* Where the @slice of @len bytes begins that has the most different values. */
size_t rules_plan_slice(const uint8_t *, size_t len, size_t slice);

/* Takes the atoms of all strings that suspects are enough for.  0 or -errno. */
int rules_plan_add_atoms(struct planner *p);

/* ---- rules_plan_runs.c */

/* @a is what the automaton knows of a string, @m its entry: makes it the best
 * run of certain bytes of that string, and its reach as short as it is. */
void rules_plan_extend(struct atom *a, const YR_AC_MATCH *m);

#endif
