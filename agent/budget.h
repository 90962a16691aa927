/* budget.h - how much CPU time the service may spend, and when.
 *
 * A share of one core that holds over every ten minutes, however much there
 * is to do.  Steady work (the whole pass) is spread evenly over them and
 * leaves a part alone, which urgent work (what has just begun) may take at
 * once. */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdint.h>
#include "queue.h"

#define BUDGET_WINDOW_NS 600000000000ULL
#define BUDGET_SLOT_NS	 10000000000ULL
#define BUDGET_SLOTS	 61 /* the window, and the slot that has begun */

struct budget {
	double share;		      /* of one core */
	uint64_t slot;		      /* number of the last one filled */
	uint64_t spent[BUDGET_SLOTS]; /* ns of CPU time, a ring */
	uint64_t steady_ns;	      /* when steady work may go on */
};

/* @share of one core, over 0.  All times are io_now_ns(). */
void budget_init(struct budget *, double share, uint64_t now_ns);

/* Another share from now on; what was spent is remembered. */
void budget_set(struct budget *, double share);

/* @cpu_ns were spent on work of this lane, by all our processes. */
void budget_spend(struct budget *, enum lane, uint64_t now_ns,
		  uint64_t cpu_ns);

/* When work of this lane may go on; not after @now_ns: now. */
uint64_t budget_next(const struct budget *, enum lane,
		     uint64_t now_ns);

/* Spent within the last ten minutes, as a share of one core. */
double budget_used(const struct budget *, uint64_t now_ns);

#endif
