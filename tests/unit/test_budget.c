#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "budget.h"

#define SECOND 1000000000UL
#define START  (1000 * SECOND + 7)

static void nothing_spent_is_no_wait(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 0.01, START);
	assert_true(budget_next(&b, LANE_URGENT, START) <= START);
	assert_true(budget_next(&b, LANE_STEADY, START) <= START);
	assert_true(budget_used(&b, START) == 0);
}

static void urgent_work_may_take_all_at_once(void **state)
{
	struct budget b;
	uint64_t next;

	(void)state;
	budget_init(&b, 0.01, START);
	budget_spend(&b, LANE_URGENT, START, 5 * SECOND);
	assert_true(budget_next(&b, LANE_URGENT, START) <= START);
	budget_spend(&b, LANE_URGENT, START, SECOND);
	next = budget_next(&b, LANE_URGENT, START);
	/* Not before that slot has left the window. */
	assert_true(next >= START + BUDGET_WINDOW_NS);
	assert_true(next <= START + BUDGET_WINDOW_NS + BUDGET_SLOT_NS);
	assert_true(budget_next(&b, LANE_URGENT, next) <= next);
}

static void steady_work_is_spread(void **state)
{
	struct budget b;
	uint64_t next;

	(void)state;
	budget_init(&b, 0.01, START);
	budget_spend(&b, LANE_STEADY, START, SECOND / 100);
	next = budget_next(&b, LANE_STEADY, START);
	assert_in_range(next, START + SECOND, START + 2 * SECOND);
	/* Urgent work does not wait for it. */
	assert_true(budget_next(&b, LANE_URGENT, START) <= START);
}

static void steady_work_leaves_a_part(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 0.01, START);
	budget_spend(&b, LANE_URGENT, START, 5500 * (SECOND / 1000));
	assert_true(budget_next(&b, LANE_URGENT, START) <= START);
	assert_true(budget_next(&b, LANE_STEADY, START) > START + SECOND);
}

/* Whatever is asked for, no ten minutes hold more than the share and the one
 * piece that was under way. */
static void the_share_holds_over_every_window(void **state)
{
	enum { SECONDS = 4000, PIECE = SECOND / 50 };
	static uint64_t spent[SECONDS];
	uint64_t most = 0;
	struct budget b;

	(void)state;
	srand(1);
	budget_init(&b, 0.01, START);
	for (int s = 0; s < SECONDS; s++) {
		for (uint64_t at = 0; at < SECOND; at += SECOND / 20) {
			uint64_t now = START + (uint64_t)s * SECOND + at;
			enum lane c = rand() % 3 ? LANE_STEADY
							 : LANE_URGENT;

			if (budget_next(&b, c, now) > now)
				continue;
			budget_spend(&b, c, now, PIECE);
			spent[s] += PIECE;
		}
	}
	for (int from = 0; from + 600 <= SECONDS; from++) {
		uint64_t sum = 0;

		for (int s = from; s < from + 600; s++)
			sum += spent[s];
		if (sum > most)
			most = sum;
	}
	assert_in_range(most, 5 * SECOND, 6 * SECOND + PIECE);
}

static void a_long_silence_is_no_credit(void **state)
{
	struct budget b;
	uint64_t now = START;

	(void)state;
	budget_init(&b, 0.5, START);
	budget_spend(&b, LANE_URGENT, now, 10 * SECOND);
	now += 100 * BUDGET_WINDOW_NS;
	assert_true(budget_used(&b, now) == 0);
	budget_spend(&b, LANE_URGENT, now, 300 * SECOND);
	assert_true(budget_next(&b, LANE_URGENT, now) > now);
	assert_true(budget_used(&b, now) > 0.49);
}

static void another_share_counts_at_once(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 0.01, START);
	budget_spend(&b, LANE_URGENT, START, 6 * SECOND);
	assert_true(budget_next(&b, LANE_URGENT, START) > START);
	budget_set(&b, 0.1);
	assert_true(budget_next(&b, LANE_URGENT, START) <= START);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_spent_is_no_wait),
		cmocka_unit_test(urgent_work_may_take_all_at_once),
		cmocka_unit_test(steady_work_is_spread),
		cmocka_unit_test(steady_work_leaves_a_part),
		cmocka_unit_test(the_share_holds_over_every_window),
		cmocka_unit_test(a_long_silence_is_no_credit),
		cmocka_unit_test(another_share_counts_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
