/* cmd_hash_compare.c - `davylamp hash compare`: how alike is the code? */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cmd_hash.h"
#include "cmd_hash_inputs.h"
#include "commands.h"
#include "hashformat.h"
#include "proc.h"
#include "procpages.h"
#include "text.h"

static const char compare_help[] =
	"usage: davylamp hash compare WHAT OTHER...\n\n"
	"Says how much code WHAT has in common with each OTHER, wherever it "
	"lies\n"
	"in them: another version, or a copy built into something else.  Each "
	"is\n"
	"an ELF file, a digest list, a capture (davylamp rules capture) or a\n"
	"process id.\n\n"
	"Versions of a program built by one compiler share 77 to 98 %, builds "
	"by\n"
	"different compilers 1 to 85 %, unrelated programs less than 1 % but "
	"for\n"
	"libraries that are linked into both (bench/record/fragments).\n\n"
	"Exit status: 0 done, 2 wrong words or files, 4 unable.\n";

static int of_process(pid_t pid, struct digestlist *ret, struct why *why)
{
	struct proc p = { .dir = -1 };
	int procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = procfs < 0 ? -errno : proc_open(procfs, pid, &p);

	err = err ? why_set(why, err, "process %d: %s", pid, strerror(-err))
		  : procpages_read(&p, ret, why);
	proc_close(&p);
	if (procfs >= 0)
		close(procfs);
	return err;
}

static int of_file(const char *path, struct digestlist *ret, struct why *why)
{
	char what[256];
	mode_t type;
	bool elf;
	int err, fd = cmd_hash_open(path, &type, why);

	if (fd < 0)
		return fd;
	if (type == S_IFREG)
		err = cmd_hash_pages(fd, path, &elf, ret, why);
	else
		err = why_set(why, -EINVAL, "%s: is a directory",
			      text_escape_str(path, what, sizeof(what)));
	close(fd);
	return err;
}

static size_t count(const struct digestlist *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_fragments; i++)
		n += l->fragments[i].fixed;
	return n;
}

/* Fixed fragments of @a that @b has, fixed or not: as a scan counts them. */
static size_t common(const struct digestlist *a, const struct digestlist *b)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < a->n_fragments; i++) {
		while (k < b->n_fragments &&
		       hashformat_compare(b->fragments[k].digest,
					  a->fragments[i].digest) < 0)
			k++;
		n += a->fragments[i].fixed && k < b->n_fragments &&
		     !hashformat_compare(b->fragments[k].digest,
					 a->fragments[i].digest);
	}
	return n;
}

static int read_fragments(const char *word, struct digestlist *ret,
			  struct why *why)
{
	size_t digits = strspn(word, "0123456789");
	int err = digits && digits < 9 && !word[digits]
			  ? of_process(atoi(word), ret, why)
			  : of_file(word, ret, why);

	digestlist_sort(ret);
	if (!err && !count(ret)) {
		char shown[256];

		err = why_set(why, -EINVAL, "%s: holds no fragment of code",
			      text_escape_str(word, shown, sizeof(shown)));
	}
	return err;
}

static void show(const struct digestlist *a, const struct digestlist *b,
		 const char *other)
{
	char shown[256];

	printf("%5.1f %% of it, %5.1f %% of %s (%zu of %zu, %zu of %zu "
	       "fragments)\n",
	       100.0 * (double)common(a, b) / (double)count(a),
	       100.0 * (double)common(b, a) / (double)count(b),
	       text_escape_str(other, shown, sizeof(shown)), common(a, b),
	       count(a), common(b, a), count(b));
}

static int compare(char **words, int n)
{
	struct digestlist a = { 0 };
	struct why why = { "" };
	int err = read_fragments(words[0], &a, &why);

	for (int i = 1; i < n && !err; i++) {
		struct digestlist b = { 0 };

		err = read_fragments(words[i], &b, &why);
		if (!err)
			show(&a, &b, words[i]);
		digestlist_free(&b);
	}
	digestlist_free(&a);
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
