/* cmd_rules.h - `davylamp rules`: argv[0] is the subcommand's name; the return
 * value is the exit status. */
#ifndef CMD_RULES_H
#define CMD_RULES_H

#include "match.h"

int cmd_rules_capture(int argc, char **argv);
int cmd_rules_explain(int argc, char **argv);
int cmd_rules_cost(int argc, char **argv);
int cmd_rules_test(int argc, char **argv);

/* The words that `rules explain` and `rules cost` have in common: --rules,
 * --no-default-rules, --capture and process ids, as they came. */
struct cmd_rules_words {
	const char **rules, **captures;
	pid_t *pids;
	size_t n_rules, n_captures, n_pids;
	bool no_default_rules, json;
	unsigned rounds;
	const char *only; /* a rule's name */
};

/* @first_is_rule: the first word that is no option names a rule.  0; -1: help
 * was asked for; else an exit status, and the error was told. */
int cmd_rules_words(int argc, char **argv, bool first_is_rule,
		    struct cmd_rules_words *ret);

void cmd_rules_words_free(struct cmd_rules_words *);

#endif
