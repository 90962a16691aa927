/* cmd_hash_compare.c - `davylamp hash compare`: how alike is the code? */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "capture.h"
#include "cmd_hash.h"
#include "cmd_hash_inputs.h"
#include "commands.h"
#include "hashutil.h"
#include "proc.h"
#include "shapeset.h"
#include "text.h"

static const char compare_help[] =
	"usage: davylamp hash compare WHAT OTHER...\n\n"
	"Says how much code WHAT has in common with each OTHER, wherever it lies\n"
	"in them: another version, or a copy built into something else.  Each is\n"
	"an ELF file, a capture (davylamp rules capture) or a process id.\n\n"
	"Versions of a program built by one compiler share 74 to 98 %, builds by\n"
	"different compilers 1 to 56 %, unrelated programs less than 1 % but for\n"
	"libraries that are linked into both (bench/record/codeshape).\n\n"
	"Exit status: 0 done, 2 wrong words or files, 4 unable.\n";

static int of_capture(const char *path, struct shapeset *ret,
		      struct why *why)
{
	struct capture *c;
	struct proc p;
	int err = capture_open(path, &c, why);

	if (err)
		return err;
	err = proc_of_capture(c, &p);
	err = err ? why_set(why, err, "%s", "the capture's texts are damaged")
		  : shapeset_of_proc(ret, &p, why);
	capture_free(c);
	return err;
}

static int of_process(pid_t pid, struct shapeset *ret, struct why *why)
{
	struct proc p = { .dir = -1 };
	int procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = procfs < 0 ? -errno : proc_open(procfs, pid, &p);

	err = err ? why_set(why, err, "process %d: %s", pid, strerror(-err))
		  : shapeset_of_proc(ret, &p, why);
	proc_close(&p);
	if (procfs >= 0)
		close(procfs);
	return err;
}

static int of_file(const char *path, struct shapeset *ret, struct why *why)
{
	char magic[8] = { 0 }, what[256];
	mode_t type;
	int err, fd = cmd_hash_open(path, &type, why);

	if (fd < 0)
		return fd;
	text_escape_str(path, what, sizeof(what));
	(void)hashutil_pread(fd, magic, sizeof(magic), 0);
	if (type != S_IFREG)
		err = why_set(why, -EINVAL, "%s: is a directory", what);
	else if (!memcmp(magic, CAPTURE_MAGIC, sizeof(magic)))
		err = of_capture(path, ret, why);
	else
		err = shapeset_of_elf(ret, fd, what, why);
	close(fd);
	return err;
}

static int read_shapes(const char *word, struct shapeset *ret,
		       struct why *why)
{
	size_t digits = strspn(word, "0123456789");
	int err = digits && digits < 9 && !word[digits]
			  ? of_process(atoi(word), ret, why)
			  : of_file(word, ret, why);

	shapeset_done(ret);
	if (!err && !ret->n) {
		char shown[256];

		err = why_set(why, -EINVAL, "%s: holds no code",
			      text_escape_str(word, shown, sizeof(shown)));
	}
	return err;
}

static void show(const struct shapeset *a, const struct shapeset *b,
		 const char *other)
{
	size_t common = shapeset_common(a, b);
	char shown[256];

	printf("%5.1f %% of it, %5.1f %% of %s (%zu digests)\n",
	       100.0 * (double)common / (double)a->n,
	       100.0 * (double)common / (double)b->n,
	       text_escape_str(other, shown, sizeof(shown)), common);
}

static int compare(char **words, int n)
{
	struct shapeset a = { 0 };
	struct why why = { "" };
	int err = read_shapes(words[0], &a, &why);

	for (int i = 1; i < n && !err; i++) {
		struct shapeset b = { 0 };

		err = read_shapes(words[i], &b, &why);
		if (!err)
			show(&a, &b, words[i]);
		shapeset_free(&b);
	}
	shapeset_free(&a);
	if (err)
		fprintf(stderr, "davylamp hash compare: %s\n", why.text);
	return err ? cmd_hash_status(err) : EXIT_CLEAN;
}

int cmd_hash_compare(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	optind = 0; /* glibc: begin anew */
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'h')
			return EXIT_USAGE;
		fputs(compare_help, stdout);
		return EXIT_CLEAN;
	}
	if (argc - optind < 2) {
		fputs("davylamp hash compare: give two files or more\n",
		      stderr);
		return EXIT_USAGE;
	}
	return compare(argv + optind, argc - optind);
}
