/* cmd_rules_cost_show.c - what rules cost, as a table and as JSON Lines. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd_rules_cost.h"
#include "text.h"

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *of, unsigned rounds)
{
	double s[COST_ROUNDS];

	memcpy(s, of, sizeof(s));
	qsort(s, rounds, sizeof(*s), compare);
	return rounds % 2 ? s[rounds / 2]
			  : (s[rounds / 2 - 1] + s[rounds / 2]) / 2;
}

static unsigned sorted_rounds; /* for qsort(3) */

static int slowest_first(const void *a, const void *b)
{
	const struct price *p = a, *q = b;
	double x = median(p->more, sorted_rounds);
	double y = median(q->more, sorted_rounds);

	return (x < y) - (x > y);
}

static void sort(struct price *prices, size_t n, unsigned rounds)
{
	sorted_rounds = rounds;
	qsort(prices + FIRST_RULE, n - FIRST_RULE, sizeof(*prices),
	      slowest_first);
}

static void show_price(const struct price *p, unsigned rounds)
{
	double none = median(p->none, rounds);
	double more = median(p->more, rounds);
	char name[160], bytes[16], string[64], slow[200];

	printf("%8.1f ms %+7.0f %%  %8" PRIu64 " %9s %8" PRIu64 "  %s\n",
	       more * 1e3, none > 0 ? 100 * more / none : 0, p->places,
	       text_bytes(p->window_bytes, bytes), p->matches,
	       text_escape_str(p->name, name, sizeof(name)));
	if (p->slow[0])
		printf("%42ssees every page: %s\n", "",
		       text_escape_str(p->slow, slow, sizeof(slow)));
	else if (p->string[0])
		printf("%42s%s: atom of %u bytes, met %" PRIu64 " times\n", "",
		       text_escape_str(p->string, string, sizeof(string)),
		       p->atom_len, p->string_met);
}

void cost_show(struct price *prices, size_t n, unsigned rounds)
{
	char bytes[16];

	sort(prices, n, rounds);
	printf("%s read, for no rule: %.1f ms of CPU time\n\n",
	       text_bytes(prices[0].read_bytes, bytes),
	       median(prices[ALL_RULES].none, rounds) * 1e3);
	printf("%11s %9s  %8s %9s %8s  RULE\n", "MORE", "", "PLACES", "SHOWN",
	       "MATCHES");
	for (size_t i = ALL_RULES; i < n; i++)
		show_price(&prices[i], rounds);
}

void cost_print_json(struct price *prices, size_t n, unsigned rounds)
{
	sort(prices, n, rounds);
	for (size_t i = ALL_RULES; i < n; i++) {
		const struct price *p = &prices[i];
		json_object *o = json_object_new_object();
		const struct {
			const char *key;
			uint64_t n;
		} numbers[] = {
			{ "readBytes", p->read_bytes },
			{ "places", p->places },
			{ "windows", p->windows },
			{ "windowBytes", p->window_bytes },
			{ "matches", p->matches },
			{ "atomBytes", p->atom_len },
			{ "atomMet", p->string_met },
		};
		char shown[200];
		double more = median(p->more, rounds);
		double none = median(p->none, rounds);

		json_object_object_add(o, "rule",
				       json_object_new_string(text_escape_str(
					       p->name, shown, sizeof(shown))));
		json_object_object_add(o, "seconds",
				       json_object_new_double(more));
		json_object_object_add(o, "secondsOfNone",
				       json_object_new_double(none));
		for (size_t k = 0; k < sizeof(numbers) / sizeof(*numbers); k++)
			json_object_object_add(
				o, numbers[k].key,
				json_object_new_int64((int64_t)numbers[k].n));
		json_object_object_add(
			o, "string",
			json_object_new_string(text_escape_str(p->string, shown,
							       sizeof(shown))));
		json_object_object_add(o, "slow",
				       json_object_new_string(text_escape_str(
					       p->slow, shown, sizeof(shown))));
		puts(json_object_to_json_string_ext(
			o, JSON_C_TO_STRING_PLAIN |
				   JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(o);
	}
}
