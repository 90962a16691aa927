/* cmd_hash_query.c - `davylamp hash query PID`: how much of known binaries
 * a process has. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd_hash.h"
#include "commands.h"
#include "defaultset.h"
#include "proc.h"
#include "scan.h"
#include "text.h"
#include "verdict.h"
#include "tally.h"

static const char query_help[] =
	"usage: davylamp hash query [--hashes FILE] PID\n\n"
	"Says how much of which known binaries the process has in memory, of "
	"the\n"
	"built-in set or of FILE: whole pages, and fragments of code, which "
	"other\n"
	"versions of a binary have, too.  No rules are used.\n\n"
	"Exit status: 0 none, 1 some, 2 wrong words or set, 3 not all could "
	"be\n"
	"read, 4 unable.\n";

static void show_share(const struct share *s)
{
	char name[200], family[80];

	printf("%5.1f %% of %u pages, %5.1f %% of %u fragments of code",
	       100 * tally_pages(s), s->n_pages, 100 * tally_fragments(s),
	       s->n_fragments);
	printf(": %s, %s\n",
	       text_escape_str(s->family, family, sizeof(family)),
	       text_escape_str(s->name, name, sizeof(name)));
}

static int look(struct scan *scan, struct proc *p)
{
	struct look l;

	scan_look(scan, p, SCAN_FULL, 0, NULL, NULL, &l);
	for (size_t i = 0; i < l.n_shares; i++)
		show_share(&l.shares[i]);
	if (l.state != SCAN_COMPLETE)
		fprintf(stderr, "davylamp hash query: %s: %s%s\n",
			verdict_state(l.state), l.why,
			l.denied && geteuid() ? "; try as root" : "");
	else if (!l.n_shares)
		puts("nothing of a known binary");
	if (l.n_shares)
		return EXIT_FINDINGS;
	return l.state == SCAN_COMPLETE ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

static int query(const char *path, pid_t pid)
{
	struct scan_options so = { .no_match = true };
	struct hashset *set = NULL;
	struct scan *scan = NULL;
	struct why why = { "" };
	struct proc p = { .dir = -1 };
	int procfs = -1, status = EXIT_USAGE, err;

	err = defaultset_open(path, &set, &why);
	if (err)
		goto out;
	status = EXIT_UNABLE;
	so.set = set;
	err = scan_new(&so, &scan, &why);
	if (err)
		goto out;
	procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = proc_open(procfs, pid, &p);
	if (err) {
		why_set(&why, err, "process %d: %s", pid, strerror(-err));
		status = EXIT_INCOMPLETE;
		goto out;
	}
	status = look(scan, &p);
out:
	if (err)
		fprintf(stderr, "davylamp hash query: %s\n", why.text);
	proc_close(&p);
	if (procfs >= 0)
		close(procfs);
	scan_free(scan);
	hashset_free(set);
	return status;
}

int cmd_hash_query(int argc, char **argv)
{
	static const struct option options[] = {
		{ "hashes", required_argument, NULL, 'H' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *path = NULL;
	char shown[80];
	pid_t pid = 0;
	int c;

	optind = 0; /* glibc: begin anew */
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(query_help, stdout);
			return EXIT_CLEAN;
		}
		if (c != 'H')
			return EXIT_USAGE;
		path = optarg;
	}
	if (optind + 1 == argc)
		pid = proc_parse_pid(argv[optind]);
	if (!pid) {
		fprintf(stderr, "davylamp hash query: '%s': give one process "
				"id\n",
			text_escape_str(optind < argc ? argv[optind] : "",
					shown, sizeof(shown)));
		return EXIT_USAGE;
	}
	return query(path, pid);
}
