/* stages.h - the stages of a look, each clocked by itself. */
#ifndef STAGES_H
#define STAGES_H

#include <time.h>
#include "hashset.h"
#include "match.h"
#include "prefilter.h"
#include "proc.h"
#include "scan.h"
#include "sweep.h"

struct figure {
	double cpu_s, matcher_s, wall_s;
	uint64_t bytes, zero_pages, known, suspects, suspect_bytes, hits;
};

/* What is measured, and with what; bench.c fills it. */
struct bench {
	pid_t pid;
	uint64_t start, end;
	const char *modes, *rules, *hashes, *variant;
	bool no_default_rules;
	unsigned repeat;

	struct proc proc;
	struct region region;
	struct hashset *set;
	struct match *match;
	struct prefilter *filter[SWEEP_FILTERS];
	struct scan *scan;
};

/* The ways to look, in the order in which they are to be run; the last has no
 * name.  prepare (may be NULL) is not clocked.  run fills *ret, zeros before,
 * and returns 0 or -errno; it sets cpu_s if it has clocked itself. */
extern const struct stage {
	const char *name;
	void (*prepare)(struct bench *);
	int (*run)(struct bench *, struct figure *ret);
	bool rules; /* needs the filters */
} stages[];

/* CPU or wall time in seconds. */
double stages_clock_s(clockid_t id);

#endif
