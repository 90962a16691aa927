/* cmd_rules_words.c - the words of `rules explain` and `rules cost`. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include "cmd_rules.h"
#include "commands.h"
#include "proc.h"
#include "text.h"

static int usage(const char *what, const char *value, const char *how)
{
	char shown[128];

	fprintf(stderr, "davylamp rules %s: '%s' %s; see davylamp rules %s "
			"--help\n",
		what, text_escape_str(value, shown, sizeof(shown)), how, what);
	return EXIT_USAGE;
}

static int take_words(int argc, char **argv, bool first_is_rule,
		      struct cmd_rules_words *w)
{
	for (int i = optind; i < argc; i++) {
		pid_t pid = proc_parse_pid(argv[i]);

		if (first_is_rule && i == optind)
			w->only = argv[i];
		else if (pid > 0)
			w->pids[w->n_pids++] = pid;
		else
			return usage(argv[0], argv[i], "is no process id");
	}
	return 0;
}

int cmd_rules_words(int argc, char **argv, bool first_is_rule,
		    struct cmd_rules_words *ret)
{
	static const struct option options[] = {
		{ "rules", required_argument, NULL, 'r' },
		{ "capture", required_argument, NULL, 'C' },
		{ "rule", required_argument, NULL, 'o' },
		{ "rounds", required_argument, NULL, 'R' },
		{ "no-default-rules", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct cmd_rules_words *w = ret;
	size_t n = (size_t)argc + 1;
	long rounds;
	int c;

	*w = (struct cmd_rules_words){ .rounds = 3 };
	w->rules = calloc(n, sizeof(*w->rules));
	w->captures = calloc(n, sizeof(*w->captures));
	w->pids = calloc(n, sizeof(*w->pids));
	if (!w->rules || !w->captures || !w->pids)
		return EXIT_UNABLE;
	optind = 0; /* glibc: begin anew */
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":r:h", options, NULL)) != -1) {
		if (c == 'h')
			return -1;
		if (c == 'r')
			w->rules[w->n_rules++] = optarg;
		else if (c == 'C')
			w->captures[w->n_captures++] = optarg;
		else if (c == 'n')
			w->no_default_rules = true;
		else if (c == 'j')
			w->json = true;
		else if (c == 'o' && !first_is_rule)
			w->only = optarg;
		else if (c == 'R' && !first_is_rule &&
			 (rounds = text_number(optarg, 1, 99)) > 0)
			w->rounds = (unsigned)rounds;
		else if (c == 'R' && !first_is_rule)
			return usage(argv[0], optarg, "is not 1 to 99");
		else
			return usage(argv[0], argv[optind - 1],
				     c == ':' ? "needs a value"
					      : "is no option");
	}
	return take_words(argc, argv, first_is_rule, w);
}

void cmd_rules_words_free(struct cmd_rules_words *w)
{
	free(w->rules);
	free(w->captures);
	free(w->pids);
}
