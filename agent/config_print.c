/* config_print.c - the configuration as a file: what there is, what holds. */
#include <string.h>
#include "config_keys.h"
#include "exclude.h"
#include "text.h"

#define COLUMN 32 /* of the comment behind a value */

/* Begins a section where @k is its first key. */
static void begin_section(FILE *out, const struct config_key *k)
{
	if (k == config_keys || strcmp(k[-1].section, k->section))
		fprintf(out, "%s[%s%s]\n", k == config_keys ? "" : "\n",
			k->section, config_key_excludes(k) ? " NAME" : "");
}

void config_print(FILE *out)
{
	char range[128];

	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];

		begin_section(out, k);
		config_key_allowed(k, range, sizeof(range));
		fprintf(out, "; %s (%s)\n%s%s =%s%s\n", k->help, range,
			config_key_excludes(k) ? ";" : "", k->name,
			*k->initial ? " " : "", k->initial);
	}
}

/* ---- what holds ------------------------------------------------------ */

static void print_value(FILE *out, const void *base, const struct config_key *k,
			const struct config_origin *origin)
{
	char number[32], shown[CONFIG_TEXT * 4];
	const char *value = config_key_show(base, k, number, sizeof(number));
	int n;

	text_escape_str(value, shown, sizeof(shown));
	n = fprintf(out, "%s =%s%s", k->name, *shown ? " " : "", shown);
	if (origin)
		fprintf(out, "%*s ; %s", n < COLUMN ? COLUMN - n : 0, "",
			origin->file ? origin->file : "default");
	if (origin && origin->file)
		fprintf(out, ":%d", origin->line);
	fputc('\n', out);
}

static void print_exclusion(FILE *out, const struct exclusion *x)
{
	fprintf(out, "\n[exclude %s] ; %s:%d%s%s\n", x->name, x->file, x->line,
		*x->trouble ? ": holds for nobody: " : "", x->trouble);
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];

		if (config_key_excludes(k) && *((const char *)x + k->offset))
			print_value(out, x, k, NULL);
	}
}

void config_print_effective(FILE *out, const struct config *c)
{
	exclude_begin(c->excludes);
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];

		if (config_key_excludes(k))
			continue;
		begin_section(out, k);
		print_value(out, c, k, &c->origin[i]);
	}
	for (size_t i = 0; i < exclude_count(c->excludes); i++)
		print_exclusion(out, exclude_get(c->excludes, i));
}
