/* rules.h - YARA rules, compiled from source.
 *
 * A rule belongs to one class of memory (its meta `where`) and is looked for
 * in one of two ways: by the prefilter's suspects, or, if it could hold
 * without any string that the prefilter knows, in every page.  libyara knows
 * nothing of either, so there is one compiled set for each combination that
 * occurs, and in it the rules of the others are disabled, except those that
 * its own rules rest on (named in a condition, private, or global): these are
 * judged there by the memory that its own rules see, but not reported.
 *
 * uintN(), intN() and modules have no value here: libyara reads for them when
 * it judges the conditions, and by then the memory has been shown and is gone.
 * A rule that uses them sees every page, and its condition is undefined where
 * libyara would have found something to read; rules_why_slow() says so.
 *
 * Linked into davylamp-match only. */
#ifndef RULES_H
#define RULES_H

#include <yara.h>
#include "flow.h"
#include "prefilter.h"
#include "why.h"

struct rules;

/* Compiles the built-in rules if @builtin, and each of @paths: a source file,
 * or a directory whose *.yar and *.yara files are taken, subfolders too.
 * yr_initialize() must have been called.  -EINVAL: @why names file, line and
 * libyara's message; -ENOENT...: it names the path. */
int rules_load(const char *const *paths, size_t n, bool builtin,
	       struct rules **ret, struct why *why);

void rules_free(struct rules *);

/* Rules that can be reported, and rule number @i; both of the set's life. */
uint32_t rules_count(const struct rules *);
const struct rule *rules_rule(const struct rules *, uint32_t i);

/* Is @rule, of the compiled set @set, reported from it?  *ret: its number. */
bool rules_number(const struct rules *, unsigned set, const YR_RULE *rule,
		  uint32_t *ret);

/* Must it see every page?  And for people, why: "" if it need not. */
bool rules_every_page(const struct rules *, uint32_t i);
void rules_why_slow(const struct rules *, uint32_t i, char *ret, size_t cap);

/* The compiled set @set (0..SET_COUNT-1), NULL if no rule is in it. */
YR_RULES *rules_set(const struct rules *, unsigned set);

/* What the prefilter must know; as long as the rules live. */
const struct atom *rules_atoms(const struct rules *, size_t *ret_n);

/* 16 hex digits over the rules' text. */
const char *rules_version(const struct rules *);

#endif
