/* budget.c - how much CPU time the service may spend, and when.
 *
 * Time is cut into slots of ten seconds.  What the slots of a window hold
 * together never exceeds the share: a part of it is kept back for the one piece
 * of work that is under way when the rest is spent, a batch or the start of a
 * matcher, and for what is done whether there is anything left or not. */
#include <string.h>
#include "budget.h"

/* Steady work gets this part of the share, */
#define STEADY 0.7

/* and all work together this one. */
#define ALL 0.95

void budget_init(struct budget *b, double share, uint64_t now_ns)
{
	memset(b, 0, sizeof(*b));
	b->share = share;
	b->slot = now_ns / BUDGET_SLOT_NS;
	b->steady_ns = now_ns;
}

void budget_set(struct budget *b, double share)
{
	b->share = share;
}

/* What the slot that is @back before the one of @now_ns holds. */
static uint64_t spent_in(const struct budget *b, uint64_t now_ns, uint64_t back)
{
	uint64_t slot = now_ns / BUDGET_SLOT_NS;

	if (back > slot || slot - back > b->slot ||
	    b->slot - (slot - back) >= BUDGET_SLOTS)
		return 0;
	return b->spent[(slot - back) % BUDGET_SLOTS];
}

static uint64_t spent(const struct budget *b, uint64_t now_ns)
{
	uint64_t sum = 0;

	for (uint64_t back = 0; back < BUDGET_SLOTS; back++)
		sum += spent_in(b, now_ns, back);
	return sum;
}

void budget_spend(struct budget *b, enum lane lane, uint64_t now_ns,
		  uint64_t cpu_ns)
{
	uint64_t slot = now_ns / BUDGET_SLOT_NS;

	if (slot - b->slot >= BUDGET_SLOTS)
		memset(b->spent, 0, sizeof(b->spent));
	else
		while (b->slot < slot)
			b->spent[++b->slot % BUDGET_SLOTS] = 0;
	b->slot = slot;
	b->spent[slot % BUDGET_SLOTS] += cpu_ns;
	if (lane != LANE_STEADY)
		return;
	if (b->steady_ns < now_ns)
		b->steady_ns = now_ns;
	b->steady_ns += (uint64_t)((double)cpu_ns / (b->share * STEADY));
}

/* When enough of what was spent has left the window for less than @limit to
 * be left in it. */
static uint64_t free_at(const struct budget *b, uint64_t now_ns, double limit)
{
	double sum = (double)spent(b, now_ns);
	uint64_t back = BUDGET_SLOTS;

	if (sum < limit)
		return now_ns;
	while (back-- > 0) {
		sum -= (double)spent_in(b, now_ns, back);
		if (sum < limit)
			break;
	}
	return (now_ns / BUDGET_SLOT_NS - back + BUDGET_SLOTS) *
	       BUDGET_SLOT_NS;
}

uint64_t budget_next(const struct budget *b, enum lane lane,
		     uint64_t now_ns)
{
	double all = ALL * b->share * (double)BUDGET_WINDOW_NS;
	uint64_t at;

	if (lane == LANE_URGENT)
		return free_at(b, now_ns, all);
	at = free_at(b, now_ns, all * (1 + STEADY) / 2);
	return at > b->steady_ns ? at : b->steady_ns;
}

double budget_used(const struct budget *b, uint64_t now_ns)
{
	return (double)spent(b, now_ns) / (double)BUDGET_WINDOW_NS;
}
