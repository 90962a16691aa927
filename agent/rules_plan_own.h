/* rules_plan_own.h - a plan in the making, as rules_plan*.c have it. */
#ifndef RULES_PLAN_OWN_H
#define RULES_PLAN_OWN_H

#include "rules_code.h"
#include "rules_plan.h"

/* The automaton's levels. */
#define DEPTH YR_MAX_ATOM_LENGTH

#define NOT_MET (DEPTH + 1)

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

/* Takes the atoms of all strings whose rules have their sets.  0 or -errno. */
int rules_plan_add_atoms(struct planner *p);

#endif
