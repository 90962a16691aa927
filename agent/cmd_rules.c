/* cmd_rules.c - `davylamp rules`: check and list rules. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "cmd_install.h"
#include "cmd_rules.h"
#include "commands.h"
#include "match.h"
#include "prefilter.h"
#include "show.h"
#include "text.h"
#include "verdict.h"

static const char sources_help[] =
	"usage: davylamp rules check [--no-default-rules] [PATH...]\n"
	"       davylamp rules list [--no-default-rules] [PATH...]\n\n"
	"Compiles the built-in rules and those of each PATH (a source file, or a\n"
	"directory of *.yar and *.yara). `check` names the rules that make a scan\n"
	"slow, and why, that ask for what a process does not have, and those\n"
	"without a family; `list` shows all.\n\n"
	"Exit status: 0 fine, 1 check found something to mend, 2 wrong words or\n"
	"rules, 4 unable.\n";

static const char *const wheres[WHERE_COUNT] = { "code", "image", "jit",
						 "any" };

static void list(const struct rule *rules, size_t n)
{
	printf("%-34s %-14s %-6s %-6s\n", "RULE", "FAMILY", "WHERE", "LEVEL");
	for (size_t i = 0; i < n; i++) {
		const struct rule *r = &rules[i];
		char name[160], family[80];

		printf("%-34s %-14s %-6s %-6s%s\n",
		       text_escape_str(r->name, name, sizeof(name)),
		       text_escape_str(r->family, family, sizeof(family)),
		       wheres[r->where],
		       verdict_severity((enum severity)r->severity),
		       r->slow[0] ? " slow" : "");
	}
}

/* What there is to say of one rule; false: nothing. */
static bool complain(const struct show *s, const struct rule *r)
{
	char name[160], text[320], why[200], missing[64];

	snprintf(missing, sizeof(missing), "%s%s%s",
		 r->family[0] ? "" : " family",
		 r->algorithm[0] ? "" : " algorithm",
		 r->reference[0] ? "" : " reference");
	text_escape_str(r->name, name, sizeof(name));
	if (r->slow[0]) {
		snprintf(text, sizeof(text), "%s: must see every page: %s",
			 name, text_escape_str(r->slow, why, sizeof(why)));
		show_field(s, "slow", text);
	}
	if (r->undefined[0]) {
		snprintf(text, sizeof(text),
			 "%s: %s, which is undefined in a scan of processes",
			 name, text_escape_str(r->undefined, why, sizeof(why)));
		show_field(s, "undefined", text);
	}
	if (r->generic[0]) {
		snprintf(text, sizeof(text),
			 "%s: looks for nothing but %s, which many benign "
			 "programs have",
			 name, text_escape_str(r->generic, why, sizeof(why)));
		show_field(s, "generic", text);
	}
	if (missing[0]) {
		snprintf(text, sizeof(text), "%s: no meta%s: findings will "
					     "not say it",
			 name, missing);
		show_field(s, "meta", text);
	}
	return r->slow[0] || r->undefined[0] || r->generic[0] || missing[0];
}

static void say_every_page(const struct show *s, uint8_t where)
{
	char text[80] = "all rules with where =";

	for (size_t i = 0; i < WHERE_COUNT; i++)
		if (where & 1U << i)
			snprintf(text + strlen(text),
				 sizeof(text) - strlen(text), " %s", wheres[i]);
	if (where)
		show_field(s, "every page", text);
}

static int check(const struct match *m, const struct rule *rules, size_t n)
{
	struct prefilter *filter;
	struct why why = { "" };
	struct show show;
	char text[256];
	size_t n_atoms, complaints = 0;
	const struct atom *atoms = match_atoms(m, &n_atoms);

	show_init(&show, stdout);
	for (size_t i = 0; i < n; i++)
		complaints += complain(&show, &rules[i]);
	if (prefilter_new(atoms, n_atoms, &filter, &why)) {
		fprintf(stderr, "davylamp rules check: %s\n", why.text);
		return EXIT_UNABLE;
	}
	prefilter_describe(filter, text, sizeof(text));
	prefilter_free(filter);
	printf("%zu rule%s by %s, version %s: %zu to mend\n", n,
	       n == 1 ? "" : "s", match_engine(m), match_version(m),
	       complaints);
	show_field(&show, "looked for", n_atoms ? text : "nothing");
	say_every_page(&show, match_every_page(m));
	return complaints ? EXIT_FINDINGS : EXIT_CLEAN;
}

static int run(const char *what, const struct match_options *o)
{
	struct match *m = NULL;
	struct why why = { "" };
	const struct rule *rules;
	size_t n;
	int err = match_new(o, &m, &why), status = EXIT_CLEAN;

	if (err) {
		fprintf(stderr, "davylamp rules %s: %s\n", what, why.text);
		return err == -EINVAL ? EXIT_USAGE : EXIT_UNABLE;
	}
	rules = match_rules(m, &n);
	if (!strcmp(what, "check"))
		status = check(m, rules, n);
	else
		list(rules, n);
	match_free(m);
	return status;
}

/* `check` and `list`. */
static int cmd_rules_sources(int argc, char **argv)
{
	static const struct option options[] = {
		{ "no-default-rules", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct match_options o = { 0 };
	int c;

	optind = 0; /* glibc: begin anew */
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(sources_help, stdout);
			return EXIT_CLEAN;
		}
		if (c != 'n')
			return EXIT_USAGE;
		o.no_default_rules = true;
	}
	o.paths = (const char *const *)argv + optind;
	o.n_paths = (size_t)(argc - optind);
	return run(argv[0], &o);
}

static int cmd_rules_install(int argc, char **argv)
{
	return cmd_install(INSTALLED_RULES, argc, argv);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "check", cmd_rules_sources, "compile rules and say what to mend" },
	{ "list", cmd_rules_sources, "compile rules and list them" },
	{ "explain", cmd_rules_explain,
	  "why a rule holds for a process, or not" },
	{ "cost", cmd_rules_cost, "what each rule takes, the slowest first" },
	{ "capture", cmd_rules_capture, "save a process's memory in a file" },
	{ "test", cmd_rules_test, "what rules find in a corpus, and what not" },
	{ "install", cmd_rules_install, "use signed rules from now on" },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
	fputs("usage: davylamp rules COMMAND [ARGUMENT...]\n\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-9s%s\n", commands[i].name, commands[i].help);
	fputs("\n'davylamp rules COMMAND --help' says more.\n", out);
}

int cmd_rules(int argc, char **argv)
{
	char shown[80];

	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		help(stdout);
		return EXIT_CLEAN;
	}
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "davylamp rules: there is no command '%s'; see "
			"davylamp rules --help\n",
		text_escape_str(argv[1], shown, sizeof(shown)));
	return EXIT_USAGE;
}
