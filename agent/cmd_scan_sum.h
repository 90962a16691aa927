/* cmd_scan_sum.h - what `davylamp scan` says last: the sum of all. */
#ifndef CMD_SCAN_SUM_H
#define CMD_SCAN_SUM_H

#include "exclude.h"
#include "finding_json.h"
#include "hashset.h"
#include "show.h"
#include "verdict.h"

struct scan_sum {
	size_t processes, clean, findings, carriers, partial, vanished, denied,
		excluded, hidden;
	uint64_t read_bytes, shared_bytes;
	double seconds;
	size_t n_rules;
	const struct hashset *set;	     /* borrowed, */
	const struct exclude_list *excludes; /* likewise; NULL: none are */
};

/* Counts a look. */
void scan_sum_add(struct scan_sum *, const struct look *, enum verdict);

/* For a person, on show->out. */
void scan_sum_show(const struct scan_sum *, const struct show *);

/* The same as JSON; the caller owns it. */
json_object *scan_sum_json(const struct scan_sum *,
			   const struct finding_tools *);

#endif
