/* generate.c - random rule sets. */
#include <stdlib.h>
#include <string.h>
#include <yara.h>
#include "generate.h"

struct writer {
	FILE *f;
	struct rng *r;
	uint32_t rule;	    /* the one being written */
	uint32_t n_strings; /* it has so many: $_s0, $_s1 ... */
	bool global[RULES_MAX];
};

static uint32_t a_string(const struct writer *w)
{
	return rng_below(w->r, w->n_strings);
}

static void write_string_term(struct writer *w)
{
	uint32_t a = a_string(w), n = rng_below(w->r, 6);

	switch (rng_below(w->r, 12)) {
	case 0:
		fputs("any of them", w->f);
		break;
	case 1:
		fputs("all of them", w->f);
		break;
	case 2:
		fprintf(w->f, "%u of them", rng_range(w->r, 1, w->n_strings));
		break;
	case 3:
		fprintf(w->f, "#_s%u > %u", a, n);
		break;
	case 4:
		fprintf(w->f, "#_s%u == %u", a, n);
		break;
	case 5:
		fprintf(w->f, "$_s%u in (0x%x..0x%x)", a, 0x10000000,
			0x10000000 + rng_below(w->r, 0x80000));
		break;
	case 6:
		fprintf(w->f, "$_s%u at 0x%x", a,
			0x10000000 + rng_below(w->r, 0x8000));
		break;
	case 7:
		fprintf(w->f, "@_s%u[%u] & 1 == %u", a, n + 1, n & 1);
		break;
	case 8:
		fprintf(w->f, "!_s%u[1] > %u", a, n);
		break;
	case 9:
		fprintf(w->f,
			"for any i in (1..#_s%u) : (@_s%u[i] & 0xff == %u)", a,
			a, rng_below(w->r, 256));
		break;
	case 10:
		fprintf(w->f, "for %u of them : (# > %u)",
			rng_range(w->r, 1, w->n_strings), n);
		break;
	default:
		fprintf(w->f, "not $_s%u", a);
	}
}

static void write_rule_term(struct writer *w)
{
	uint32_t other = rng_below(w->r, w->rule);

#if YR_VERSION_HEX >= 0x040200
	if (rng_chance(w->r, 25)) {
		fprintf(w->f, "%s of (r%u, r%u)",
			rng_chance(w->r, 50) ? "any" : "all", other,
			rng_below(w->r, w->rule));
		return;
	}
#endif
	fprintf(w->f, "%sr%u", rng_chance(w->r, 25) ? "not " : "", other);
}

static void write_condition(struct writer *w, int depth)
{
	if (depth && rng_chance(w->r, 35)) {
		fputc('(', w->f);
		write_condition(w, depth - 1);
		fputs(rng_chance(w->r, 50) ? ") and (" : ") or (", w->f);
		write_condition(w, depth - 1);
		fputc(')', w->f);
	} else if (w->rule && (!w->n_strings || rng_chance(w->r, 20))) {
		write_rule_term(w);
	} else if (w->n_strings) {
		write_string_term(w);
	} else {
		fputs(rng_chance(w->r, 80) ? "false" : "true", w->f);
	}
}

static void write_strings(struct writer *w, struct rule_set *set)
{
	fputs("\tstrings:\n", w->f);
	for (uint32_t i = 0; i < w->n_strings; i++) {
		struct string *s = &set->strings[set->n_strings++];

		generate_string(w->r, set, s);
		fprintf(w->f, "\t\t$_s%u = ", i);
		print_string(w->f, s);
		fputc('\n', w->f);
	}
}

/* As long as each other. */
static const char wheres[][8] = { "\"code\" ", "\"image\"", "\"jit\"  ",
				  "\"any\"  " };

static void write_rule(struct writer *w, struct rule_set *set)
{
	uint32_t kind = rng_below(w->r, 100);

	/* A global rule holds its whole namespace down when it is false, so
	 * there are few, and they are often true. */
	if (kind < 2)
		fputs("global ", w->f);
	if (kind < 17 && kind)
		fputs("private ", w->f);
	fprintf(w->f, "rule r%u {\n\tmeta:\n\t\twhere = %s\n", w->rule,
		wheres[rng_below(w->r, 4)]);
	w->n_strings = rng_range(w->r, 1, rng_chance(w->r, 70) ? 2 : 8);
	if (rng_chance(w->r, 12))
		w->n_strings = 0;
	if (w->n_strings)
		write_strings(w, set);
	fputs("\tcondition:\n\t\t", w->f);
	if (kind < 2)
		fputs("true or ", w->f);
	/* A string must be named in its rule's condition. */
	if (w->n_strings)
		fputs("#_s0 > 900000 and any of them or ", w->f);
	write_condition(w, 2);
	fputs("\n}\n", w->f);
}

void generate_where(struct rule_set *set, const char *rule, unsigned where)
{
	char line[160];
	char *at;

	snprintf(line, sizeof(line), "rule %s {\n\tmeta:\n\t\twhere = ", rule);
	at = strstr(set->text, line);
	if (!at)
		abort();
	memcpy(at + strlen(line), wheres[where], strlen(wheres[where]));
}

void generate_rules(struct rng *r, struct rule_set *set)
{
	struct writer w = { .r = r };
	size_t len;

	memset(set, 0, sizeof(*set));
	set->n_rules = rng_range(r, 1, RULES_MAX);
	w.f = open_memstream(&set->text, &len);
	if (!w.f)
		abort();
	for (w.rule = 0; w.rule < set->n_rules; w.rule++)
		write_rule(&w, set);
	fclose(w.f);
}
