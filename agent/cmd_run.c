/* cmd_run.c - `davylamp run`: the service. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "confine.h"
#include "config.h"
#include "log.h"
#include "service.h"

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void usage(FILE *out)
{
	fputs("usage: davylamp run [--config FILE] [--check]\n\n"
	      "Looks at what happens on this machine until it is stopped: at "
	      "every program\nsome seconds after it begins, at memory that is "
	      "made executable, at processes\nthat are busy, and at all of it "
	      "in turn.  Findings go to the spool, from where\n"
	      "davylamp-report takes them.\n\n"
	      "  --config FILE  read this file instead of " CONFIG_ADMIN
	      " and\n                 " CONFIG_VENDOR "\n"
	      "  --check        say what is wrong with the configuration, or "
	      "what holds, and\n                 where each value comes from\n\n"
	      "SIGHUP reads configuration, rules and hash set again; SIGTERM "
	      "ends it.\nHow it does: davylamp status\n\n"
	      "Exit status: 0 it was stopped, 2 wrong use, configuration, rules "
	      "or set,\n4 unable\n",
	      out);
}

static int run(const char *file, bool only_check)
{
	struct service *service = NULL;
	struct why why = { "" };
	int err = only_check ? service_check(file, stdout, &why)
			     : service_new(file, &service, &why);

	if (err) {
		log_say(LOG_ERR, "%s", why.text);
		return err == -EINVAL ? EXIT_USAGE : EXIT_UNABLE;
	}
	if (service)
		service_run(service);
	service_free(service);
	return EXIT_CLEAN;
}

int cmd_run(int argc, char **argv)
{
	const char *file = NULL;
	bool only_check = false;
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			file = optarg;
			break;
		case 'k':
			only_check = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_CLEAN;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	confine_begin();
	return run(file, only_check);
}
