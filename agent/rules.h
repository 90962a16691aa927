/* rules.h - YARA rules, compiled from source.
 *
 * A rule belongs to one class of memory, its meta `where`.  libyara knows
 * nothing of that: each class that has rules has a scanner of its own over the
 * same compiled rules, which looks for the strings of the rules of its class,
 * and of those that these rest on (named in a condition, private, or global).
 * What it says of other rules means nothing.
 *
 * The rules of a class are looked for by the prefilter's suspects; or, if one
 * of them could hold without any string that the prefilter knows, in every
 * page.
 *
 * A process has no filesize; uintN(), intN() and modules have no value here:
 * libyara reads for them when it judges the conditions, and by then the memory
 * has been shown and is gone.  struct rule's @undefined says so.
 *
 * Linked into davylamp-match only. */
#ifndef RULES_H
#define RULES_H

#include <yara.h>
#include "flow.h"
#include "prefilter.h"
#include "why.h"

struct rules;

struct rules_choice {
	bool no_default;
	const char *installed; /* a file in place of the built-in rules; it may
				  include nothing: only it was verified */
	const char *only; /* report the rule of this name; NULL: all */
	bool anywhere; /* in all memory, whatever their meta `where` says */
	int kept;      /* a file: if there is anything in it, that is the text
			  of all rules, and no other file is read; else it is
			  filled.  0: none */
};

/* Compiles the built-in rules if they are chosen, and each of @paths: a source file,
 * or a directory whose *.yar and *.yara files are taken, subfolders too.
 * yr_initialize() must have been called.  -EINVAL: @why names file, line and
 * libyara's message; -ENOENT...: it names the path. */
int rules_load(const char *const *paths, size_t n,
	       const struct rules_choice *choice, struct rules **ret, struct why *why);

void rules_free(struct rules *);

/* Rules that can be reported, and rule number @i; both of the set's life. */
uint32_t rules_count(const struct rules *);
const struct rule *rules_rule(const struct rules *, uint32_t i);

/* Are the strings of libyara's rule number @index looked for in memory of class
 * @where (enum where)? */
bool rules_judges(const struct rules *, unsigned where, uint32_t index);

/* Is @rule one for that memory?  *ret: its number. */
bool rules_number(const struct rules *, unsigned where, const YR_RULE *rule,
		  uint32_t *ret);

/* Bit per enum where: its rules must see every page. */
uint8_t rules_every_page(const struct rules *);

/* Switches rule @i off or on again: its strings and its condition. */
void rules_switch(struct rules *, uint32_t i, bool on);

/* The compiled rules, NULL if none is for memory of class @where. */
YR_RULES *rules_set(const struct rules *, unsigned where);

/* What the prefilter must know; as long as the rules live. */
const struct atom *rules_atoms(const struct rules *, size_t *ret_n);

/* 16 hex digits over the rules' text. */
const char *rules_version(const struct rules *);

#endif
