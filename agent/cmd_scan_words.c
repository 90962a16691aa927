/* cmd_scan_words.c - the options of `davylamp scan`. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include "cmd_scan_words.h"
#include "commands.h"
#include "kernel.h"
#include "pass.h"
#include "proc.h"
#include "text.h"

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "capture", required_argument, NULL, 'C' },
	{ "rules", required_argument, NULL, 'r' },
	{ "no-default-rules", no_argument, NULL, 'n' },
	{ "hashes", required_argument, NULL, 'H' },
	{ "timeout", required_argument, NULL, 't' },
	{ "threads", required_argument, NULL, 'T' },
	{ "variant", required_argument, NULL, 'V' },
	{ "report", no_argument, NULL, 'R' },
	{ "config", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void help(void)
{
	puts("usage: davylamp scan [OPTION]...\n"
	     "\n"
	     "Looks once at the memory of every process and says what mines.\n"
	     "As root it sees all processes; else only your own.\n"
	     "\n"
	     "  -p, --pid PID          only this process (may be repeated)\n"
	     "      --capture FILE     look at a saved process instead "
	     "(davylamp rules\n"
	     "                         capture; may be repeated)\n"
	     "  -r, --rules PATH       also use these YARA rules: a source "
	     "file, or a\n"
	     "                         directory of *.yar and *.yara (may be "
	     "repeated)\n"
	     "      --no-default-rules without the built-in rules\n"
	     "      --hashes FILE      this hash set instead of the built-in "
	     "one\n"
	     "  -t, --timeout SECONDS  stop after that long; what was not "
	     "reached is\n"
	     "                         reported as not complete\n"
	     "      --threads N        look at so many processes at once "
	     "(default: as many\n"
	     "                         as there are CPUs on a terminal, else "
	     "1)\n"
	     "      --variant NAME     force a variant of the inner loops: "
	     "avx512, avx2, sse2,\n"
	     "                         neon, scalar\n"
	     "      --report           file the findings: keep them in the "
	     "spool and deliver\n"
	     "                         them as the configuration says\n"
	     "      --config FILE      read the configuration from this file "
	     "alone; with it or\n"
	     "                         --report its exclusions hold\n"
	     "      --json             JSON Lines: one finding a line, a "
	     "summary last\n"
	     "  -v, --verbose          a line for every process, and every "
	     "string of a rule\n"
	     "\n"
	     "Exit status: 0 clean, 1 findings, 2 wrong words or rules, 3 "
	     "something could\nnot be read to the end, 4 unable.");
}

static int bad_value(const char *option, const char *value, const char *allowed)
{
	char shown[128];

	fprintf(stderr, "davylamp scan: %s '%s': must be %s\n", option,
		text_escape_str(value, shown, sizeof(shown)), allowed);
	return EXIT_USAGE;
}

static int take_variant(const char *value)
{
	char all[64], allowed[96];

	if (!kernel_choose(value))
		return 0;
	kernel_describe(all, sizeof(all));
	snprintf(allowed, sizeof(allowed), "one of this CPU's: %s", all);
	return bad_value("--variant", value, allowed);
}

static int take_option(struct scan_words *o, int c, const char *value)
{
	long n;

	switch (c) {
	case 'p':
		n = proc_parse_pid(value);
		if (!n)
			return bad_value("--pid", value, "a process id");
		o->pids[o->n_pids++] = (pid_t)n;
		return 0;
	case 'C':
		o->captures[o->n_captures++] = value;
		return 0;
	case 'r':
		o->rules[o->n_rules++] = value;
		return 0;
	case 't':
		n = text_number(value, 1, 86400);
		if (n < 0)
			return bad_value("--timeout", value,
					 "seconds, 1 to 86400");
		o->timeout_s = (unsigned)n;
		return 0;
	case 'T':
		n = text_number(value, 1, PASS_THREADS);
		if (n < 0)
			return bad_value("--threads", value, "1 to 64");
		o->threads = (unsigned)n;
		return 0;
	case 'V':
		return take_variant(value);
	case 'H':
		o->hashes = value;
		return 0;
	case 'n':
		o->no_default_rules = true;
		return 0;
	case 'R':
		o->report = true;
		return 0;
	case 'c':
		o->config = value;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	default:
		fputs("davylamp scan: see davylamp help scan\n", stderr);
		return EXIT_USAGE;
	}
}

int scan_words_take(struct scan_words *o, int argc, char **argv)
{
	char shown[128];
	int c, status = 0;

	o->rules = calloc((size_t)argc + 1, sizeof(*o->rules));
	o->pids = calloc((size_t)argc + 1, sizeof(*o->pids));
	o->captures = calloc((size_t)argc + 1, sizeof(*o->captures));
	if (!o->rules || !o->pids || !o->captures) {
		fputs("davylamp scan: out of memory\n", stderr);
		return EXIT_UNABLE;
	}
	while (!status && (c = getopt_long(argc, argv, "p:r:t:vh", long_options,
					   NULL)) != -1) {
		if (c == 'h') {
			help();
			return -1;
		}
		status = take_option(o, c, optarg);
	}
	if (!status && optind < argc) {
		fprintf(stderr,
			"davylamp scan: what is '%s'? %s\n",
			text_escape_str(argv[optind], shown, sizeof(shown)),
			proc_parse_pid(argv[optind])
				? "a process is named by --pid"
				: "see davylamp help scan");
		status = EXIT_USAGE;
	}
	if (!status && o->n_captures && o->report) {
		fputs("davylamp scan: --report is for processes, not for "
		      "captures\n",
		      stderr);
		status = EXIT_USAGE;
	}
	return status;
}

void scan_words_free(struct scan_words *o)
{
	free(o->rules);
	free(o->pids);
	free(o->captures);
}
