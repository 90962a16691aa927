/* queue.h - the processes that the service knows, and which is next.
 *
 * Two lanes.  Urgent: what has just begun, or did something; by the time it is
 * due.  Steady: what the whole pass has still to look at; by rank.  A process
 * may stand in both. */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include "flow.h"

#define QUEUE_MAX 262144 /* processes; more are looked at by no trigger */

enum lane { LANE_URGENT, LANE_STEADY, LANES };

/* One process.  The queue owns it and fills the first part, the service the
 * second. */
struct target {
	pid_t pid;
	uint64_t start_ticks;
	uint64_t key[LANES];   /* due (ns) or rank: the least is first */
	uint32_t place[LANES]; /* in the lane, from 1; 0: not in it */

	uint64_t born_ns;      /* when this program began; 0: before us */
	uint64_t looked_ns;    /* the last look of any depth, 0: none */
	uint64_t full_ns;      /* the last one at all of it, 0: none */
	uint64_t looked_ticks; /* CPU time at the last look */
	uint64_t cpu_ns, cpu_at_ns; /* at the last census */
	double cpu_share;      /* of one core, over about a minute */
	uint64_t cgroup;       /* when it began, 0: unknown */
	uint64_t covered;      /* by an exclusion, in the pass of this number */
	uint32_t census;       /* number of the last one that saw it */
	uint8_t newborn_looks; /* still to come */
	uint8_t deeds;	       /* that made it due, as code made */
	uint8_t hidden;        /* HIDDEN_* */
	bool busy;	       /* and was looked at for that */
	bool anew;	       /* to be looked at, however idle it was */
};

struct queue;

/* 0 or -ENOMEM. */
int queue_new(struct queue **ret);
void queue_free(struct queue *);

/* The target of this process, or NULL. */
struct target *queue_find(const struct queue *, pid_t pid);

/* The same, made where there is none; where the pid was another process's,
 * that one is forgotten.  NULL: QUEUE_MAX are known, or no memory. */
struct target *queue_add(struct queue *, pid_t pid, uint64_t start_ticks);

void queue_remove(struct queue *, struct target *);

/* Puts @t into @lane, or moves it there. */
void queue_put(struct queue *, struct target *t, enum lane lane, uint64_t key);

/* Takes it out, if it is in. */
void queue_take(struct queue *, struct target *t, enum lane lane);

/* The first of @lane, or NULL. */
struct target *queue_first(const struct queue *, enum lane lane);

size_t queue_length(const struct queue *, enum lane lane);

/* Number @i of all, by pid; NULL: no more. */
struct target *queue_target(const struct queue *, size_t i);

#endif
