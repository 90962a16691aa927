/* rules_plan.h - by which bytes can the prefilter know a rule's strings?
 *
 * Plain literals come from the compiled strings themselves.  All others
 * (wildcards, jumps, alternatives, nocase, xor, base64, regular expressions)
 * come from libyara's own Aho-Corasick automaton, whose tables are public in
 * YR_RULES since 4.0: the path to a state that has a match is an atom, up to
 * 4 bytes that stand in every match of that string. */
#ifndef RULES_PLAN_H
#define RULES_PLAN_H

#include <yara.h>
#include "flow.h"
#include "prefilter.h"

struct rules_plan {
	struct atom *atoms;
	size_t n, room;
	bool *every_page; /* per rule: the atoms are not enough for it */
};

/* Plans for @set; @where[i]: bit per enum where, the classes of memory that
 * rule i looks at.  0 or -errno. */
int rules_plan_make(YR_RULES *set, const uint8_t *where,
		    struct rules_plan *ret);

void rules_plan_free(struct rules_plan *);

#endif
