/* rules_plan.h - by which bytes can the prefilter know a rule's strings?
 *
 * Plain literals come from the compiled strings themselves, nocase and wide
 * ones, too.  All others (wildcards, jumps, alternatives, xor, base64, regular
 * expressions) come from libyara's own Aho-Corasick automaton, whose tables are
 * public in YR_RULES since 4.0: the path to a state that has a match is an
 * atom, up to 4 bytes that stand in every match of that string.  In hex strings
 * and regular expressions that are not wide it grows to the whole run of
 * certain bytes around it, and gives way to a better run where nothing but
 * wildcards and jumps lies between (rules_plan_runs.c).
 *
 * A rule that this is not enough for must see every page that is not zero, and
 * with it all rules for the same memory: libyara looks for all strings at once.
 * tests/differential compares what comes out with libyara over all
 * memory at once.  It can not be the same for
 *  - matches of zero bytes only: nobody looks into pages of zeros;
 *  - strings that match more than WIRE_SPAN bytes, by length or by jumps;
 *  - uintN(), modules and entrypoint: memory is shown once, in pieces, and is
 *    gone when conditions are judged, so they have no value there;
 *  - strings with more matches than match_scan.c takes, and libyara's own
 *    limits on how far it follows a regular expression. */
#ifndef RULES_PLAN_H
#define RULES_PLAN_H

#include <yara.h>
#include "flow.h"
#include "prefilter.h"

struct rules_plan {
	struct atom *atoms;
	size_t n, room;
	uint8_t every_page; /* bit per enum where: of rules that must see it */
	struct plan_rule {
		/* Bit per enum where: it is judged with the rules for such
		 * memory, as one of them or as what one of them rests on. */
		uint8_t where;
		const char *why;  /* it must see every page; NULL: it need not */
		const char *name; /* of a string or rule in that, or NULL */
		const char *undefined; /* in its condition, or NULL */
	} *rules; /* per rule of libyara */
};

/* Plans for @set, which must outlive the plan; @where[i]: enum where of the
 * memory that rule i looks at, WHERE_COUNT if it is private: then it is
 * looked for where the rules are that rest on it.  0 or -errno. */
int rules_plan_make(YR_RULES *set, const uint8_t *where,
		    struct rules_plan *ret);

void rules_plan_free(struct rules_plan *);

#endif
