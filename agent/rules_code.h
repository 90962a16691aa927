/* rules_code.h - what do the conditions of compiled rules rest on?
 *
 * Strings are not all that a condition can look at: it may read memory
 * (uint32(0x400000)), ask a module (pe.is_pe) or name another rule.  The
 * compiled rules say so in their bytecode alone, so that is walked here, for
 * libyara 4.1 to 4.5.  Bytecode that is not understood to the last byte is
 * called @unknown, and then anything must be expected of any rule.
 *
 * Linked into davylamp-match only. */
#ifndef RULES_CODE_H
#define RULES_CODE_H

#include <stdbool.h>
#include <yara.h>

enum {
	CODE_READS = 1,	 /* uintN(), intN() and their like */
	CODE_MODULE = 2, /* a module's value or function */
	CODE_TIME = 4,	 /* that of module "time" */
	CODE_FILESIZE = 8,
	CODE_ENTRYPOINT = 16,
};

struct rules_code {
	bool unknown;
	uint8_t *uses; /* per rule: CODE_* */
	/* Rule @from names rule @to in its condition, which comes earlier. */
	struct rules_code_ref {
		uint32_t from, to;
	} *refs;
	size_t n_refs, room;
};

/* 0, or -ENOMEM; rules_code_free() is due in both cases. */
int rules_code_read(const YR_RULES *set, struct rules_code *ret);

void rules_code_free(struct rules_code *);

#endif
