/* cmd_report.c - davylamp report: the network part is davylamp-report's. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "report_start.h"
#include "text.h"

static const struct {
	const char *name, *option, *about;
	bool takes; /* an organization */
} actions[] = {
	{ "status", "--status", "what waits in the spool, and why", false },
	{ "flush", "--once", "deliver what waits now", false },
	{ "setup", "--setup",
	  "ORGANIZATION: find or create the source in Security Command\n"
	  "          Center, print what to grant",
	  true },
};

#define N_ACTIONS (sizeof(actions) / sizeof(actions[0]))

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void usage(FILE *out)
{
	fputs("usage: davylamp report [status | flush | setup ORGANIZATION] "
	      "[--config FILE]\n\nFindings on their way to Security Command "
	      "Center.\n\n",
	      out);
	for (size_t i = 0; i < N_ACTIONS; i++)
		fprintf(out, "  %-8s%s%s\n", actions[i].name, actions[i].about,
			i ? "" : " (the default)");
	fputs("\n  --config FILE  another configuration file\n\n"
	      "Exit status: 0 all delivered, 2 wrong use, 3 something waits, "
	      "4 unable\n",
	      out);
}

static int wrong(const char *what, const char *word)
{
	char shown[128];

	fprintf(stderr,
		"davylamp report: %s '%s'; try: davylamp report "
		"--help\n",
		what, text_escape_str(word, shown, sizeof(shown)));
	return EXIT_USAGE;
}

int cmd_report(int argc, char **argv)
{
	const char *file = NULL, *word, *more;
	struct why why;
	size_t i = 0;
	int c, status;

	optind = 0;
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			return EXIT_CLEAN;
		}
		if (c != 'c')
			return EXIT_USAGE;
		file = optarg;
	}
	word = optind < argc ? argv[optind++] : "status";
	while (i < N_ACTIONS && strcmp(word, actions[i].name))
		i++;
	if (i == N_ACTIONS)
		return wrong("there is no action", word);
	more = actions[i].takes && optind < argc ? argv[optind++] : NULL;
	if (actions[i].takes && !more)
		return wrong("an ORGANIZATION (a number) must follow", word);
	if (optind < argc)
		return wrong("unexpected word", argv[optind]);
	status = report_start(actions[i].option, more, file, &why);
	if (status < 0) {
		fprintf(stderr, "davylamp report: %s\n", why.text);
		return EXIT_UNABLE;
	}
	return status;
}
