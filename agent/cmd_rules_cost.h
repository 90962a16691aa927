/* cmd_rules_cost.h - what rules cost: what was measured, and telling it, for
 * cmd_rules_cost*.c only. */
#ifndef CMD_RULES_COST_H
#define CMD_RULES_COST_H

#include <stddef.h>
#include <stdint.h>

#define COST_ROUNDS 99 /* at most */

/* Of an array of prices: a look for no rule, for all, then each rule's. */
enum { NO_RULE, ALL_RULES, FIRST_RULE };

struct price {
	char name[128];
	double more[COST_ROUNDS]; /* CPU seconds of both programs */
	double none[COST_ROUNDS]; /* of the look for no rule before it */
	uint64_t read_bytes, places, windows, window_bytes, matches;
	char slow[160];
	char string[48];     /* at fault; "": none */
	uint64_t string_met; /* its atom, in the places */
	uint8_t atom_len;
};

/* To stdout: @n prices of so many rounds; the rules are sorted, the slowest
 * first. */
void cost_show(struct price *prices, size_t n, unsigned rounds);
void cost_print_json(struct price *prices, size_t n, unsigned rounds);

#endif
