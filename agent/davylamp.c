/* davylamp - finds cryptocurrency miners in the memory of this machine. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "config.h"
#include "text.h"

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *about;
	bool reads_config; /* else it is only checked, for all commands take
			      --config alike */
} commands[] = {
	{ "scan", cmd_scan, "look at every process once and say what mines",
	  true },
	{ "run", cmd_run, "watch this machine until stopped: the service",
	  true },
	{ "status", cmd_status, "how the service does", true },
	{ "hash", cmd_hash, "build, show and query sets of known binaries",
	  false },
	{ "rules", cmd_rules, "check, explain, measure and test rules", false },
	{ "report", cmd_report, "what waits for delivery; deliver it", true },
	{ "doctor", cmd_doctor, "what works here, and what mends the rest",
	  false },
	{ "help", cmd_help, "this list, or the help of one command", false },
	{ "version", cmd_version, "print the version", false },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	fputs("davylamp finds cryptocurrency miners in the memory of this "
	      "machine.\n\nusage: davylamp COMMAND [OPTION]...\n\n",
	      out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-10s%s\n", commands[i].name,
			commands[i].about);
	fprintf(out,
		"\nEach takes --config FILE, read alone instead of %s\n"
		"and the other places (davylamp-report --help).\n"
		"Try: sudo davylamp scan\n",
		CONFIG_DEFAULT);
}

static int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("davylamp " DAVYLAMP_VERSION);
	return EXIT_CLEAN;
}

/* What was said must have arrived: a finding that is lost is no finding. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "davylamp: standard output: %s\n", strerror(errno));
	return EXIT_UNABLE;
}

/* Checks the file of --config FILE and takes both words out of @argv; returns
 * how many are left, or -1. */
static int check_config(int argc, char **argv)
{
	struct why why = { "" };
	struct config config;

	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--config"))
			continue;
		if (config_load(argv[i + 1], &config, &why)) {
			fprintf(stderr, "davylamp: %s\n", why.text);
			return -1;
		}
		config_free(&config);
		memmove(&argv[i], &argv[i + 2],
			(size_t)(argc - i - 1) * sizeof(*argv));
		return argc - 2;
	}
	return argc;
}

static int run(int argc, char **argv)
{
	char shown[128];

	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		if (!commands[i].reads_config)
			argc = check_config(argc, argv);
		return argc < 0 ? EXIT_USAGE
				: finish(commands[i].run(argc, argv));
	}
	fprintf(stderr,
		"davylamp: there is no command '%s'; try: "
		"davylamp help\n",
		text_escape_str(argv[0], shown, sizeof(shown)));
	return EXIT_USAGE;
}

static int cmd_help(int argc, char **argv)
{
	char help[] = "--help";
	char *words[] = { NULL, NULL, help, NULL };
	int n = argc > 3 ? 3 : argc;

	if (argc > 1 && strcmp(argv[1], "help")) {
		memcpy(words + 3 - n, argv + 1,
		       (size_t)(n - 1) * sizeof(*argv));
		return run(n, words + 3 - n);
	}
	usage(stdout);
	return EXIT_CLEAN;
}

int main(int argc, char **argv)
{
	static char out[1 << 16];

	/* One that libc would allocate can fail it, and what was said before
	 * is lost then. */
	setvbuf(stdout, out, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF,
		sizeof(out));
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cmd_help(1, argv);
	if (!strcmp(argv[1], "--version"))
		return cmd_version(1, argv);
	return run(argc - 1, argv + 1);
}
