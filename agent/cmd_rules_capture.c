/* cmd_rules_capture.c - `davylamp rules capture`: saves a process's memory. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "capture_save.h"
#include "cmd_rules.h"
#include "commands.h"
#include "io.h"
#include "proc.h"
#include "show.h"
#include "text.h"

static const char capture_help[] =
	"usage: davylamp rules capture PID -o FILE\n\n"
	"Saves what the process has in memory, and what /proc says of it, in\n"
	"FILE, to be looked at again and elsewhere: davylamp scan --capture,\n"
	"rules explain, rules cost, rules test.  The process goes on and is not\n"
	"changed.  FILE is made for you alone to read: a process's memory and\n"
	"command line hold whatever secrets it has.\n\n"
	"Exit status: 0 saved, 2 wrong words, 3 it could not be read to the\n"
	"end, 4 unable.\n";

static void on_tick(void *user, uint64_t bytes)
{
	struct show_progress *p = user;

	p->done_bytes += bytes;
	show_progress(p);
}

static uint64_t resident(const struct proc *p)
{
	unsigned long long pages = 0;
	char text[128];

	if (io_read_at(p->dir, "statm", text, sizeof(text)) > 0)
		sscanf(text, "%*u %llu", &pages);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int save(const struct proc *p, const char *path)
{
	struct show_progress progress;
	struct capture_sum sum;
	struct why why = { "" };
	char shown[256], bytes[16], packed[16];
	int fd, err;

	text_escape_str(path, shown, sizeof(shown));
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0) {
		fprintf(stderr, "davylamp rules capture: %s: %s%s\n", shown,
			strerror(errno),
			errno == EEXIST ? "; remove it or name another" : "");
		return EXIT_USAGE;
	}
	show_progress_init(&progress, stderr);
	progress.all = 1;
	progress.all_bytes = resident(p);
	err = capture_save(fd, p, on_tick, &progress, &sum, &why);
	show_progress_end(&progress);
	if (!err && close(fd))
		err = why_set(&why, -errno, "%s: %s", shown, strerror(errno));
	if (err) {
		unlink(path);
		fprintf(stderr, "davylamp rules capture: %s\n", why.text);
		return err == -ESRCH || err == -EACCES || err == -EPERM
			       ? EXIT_INCOMPLETE
			       : EXIT_UNABLE;
	}
	printf("%s of process %d in %s, %s\n", text_bytes(sum.bytes, bytes),
	       p->pid, shown, text_bytes(sum.packed, packed));
	if (!sum.unreadable)
		return EXIT_CLEAN;
	printf("%s could not be read\n", text_bytes(sum.unreadable, bytes));
	return EXIT_INCOMPLETE;
}

static int capture(pid_t pid, const char *path)
{
	struct proc p = { .dir = -1 };
	int procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = procfs < 0 ? -errno : proc_open(procfs, pid, &p), status;

	if (!err && (p.kernel || proc_is_dead(&p)))
		err = -ESRCH;
	if (err) {
		fprintf(stderr,
			"davylamp rules capture: process %d: %s\n", pid,
			err == -ESRCH ? "there is none with memory"
				      : strerror(-err));
		status = EXIT_INCOMPLETE;
	} else {
		status = save(&p, path);
	}
	proc_close(&p);
	if (procfs >= 0)
		close(procfs);
	return status;
}

int cmd_rules_capture(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *path = NULL;
	char shown[80];
	pid_t pid = 0;
	int c;

	optind = 0; /* glibc: begin anew */
	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(capture_help, stdout);
			return EXIT_CLEAN;
		}
		if (c != 'o')
			return EXIT_USAGE;
		path = optarg;
	}
	if (optind + 1 == argc)
		pid = proc_parse_pid(argv[optind]);
	if (!pid) {
		fprintf(stderr,
			"davylamp rules capture: '%s': give one process id\n",
			text_escape_str(optind < argc ? argv[optind] : "",
					shown, sizeof(shown)));
		return EXIT_USAGE;
	}
	if (!path) {
		fputs("davylamp rules capture: no output; give -o FILE\n",
		      stderr);
		return EXIT_USAGE;
	}
	return capture(pid, path);
}
