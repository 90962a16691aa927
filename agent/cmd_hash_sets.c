/* cmd_hash_sets.c - `davylamp hash diff`, `merge` and `verify`. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd_hash.h"
#include "commands.h"
#include "hashbuild.h"
#include "hashformat.h"
#include "hashread.h"
#include "hashsave.h"
#include "text.h"

static const char diff_help[] =
	"usage: davylamp hash diff OLD NEW\n\n"
	"Says which binaries are in one hash set only, and of which the pages\n"
	"differ.\n\n"
	"Exit status: 0 none, 1 some, 2 wrong words or sets.\n";

static const char merge_help[] =
	"usage: davylamp hash merge -o OUT SET...\n\n"
	"Makes one hash set of several.  A binary that is in more than one of\n"
	"them, the same in name, version and file, is in OUT once, with all its\n"
	"pages.  Equal sets make equal bytes, in whatever order.\n\n"
	"Exit status: 0 made, 2 wrong words or sets, 4 unable.\n";

static const char verify_help[] =
	"usage: davylamp hash verify SET...\n\n"
	"Reads each hash set to its end: checksum, form, and that every page is\n"
	"found and belongs to a binary.\n\n"
	"Exit status: 0 all are whole, 2 one is not.\n";

static int say(const char *what, const struct why *why, int error)
{
	fprintf(stderr, "davylamp hash %s: %s\n", what, why->text);
	return cmd_hash_status(error);
}

/* The words behind the options; -1: help was given; else an exit status. */
static int words(int argc, char **argv, const char *help, const char **out)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	optind = 0; /* glibc: begin anew */
	while ((c = getopt_long(argc, argv, out ? "o:h" : "h", options,
				NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return -1;
		}
		if (c != 'o' || !out) {
			fprintf(stderr, "davylamp hash %s: see --help\n",
				argv[0]);
			return EXIT_USAGE;
		}
		*out = optarg;
	}
	return 0;
}

static int open_named(const char *path, struct hashset **ret, struct why *why)
{
	char shown[256];
	struct why how = { "" };
	int err = hashset_open(path, ret, why);

	if (err)
		return err;
	err = hashread_verify(*ret, &how);
	if (!err)
		return 0;
	hashset_free(*ret);
	*ret = NULL;
	return why_set(why, err, "%s: %.400s; build it again",
		       text_escape_str(path, shown, sizeof(shown)), how.text);
}

/* ---- diff ------------------------------------------------------------ */

static int compare_lists(const struct digestlist *a,
			 const struct digestlist *b)
{
	return strcmp(a->name, b->name)
		       ?: strcmp(a->version, b->version)
		       ?: strcmp(a->arch, b->arch)
		       ?: strcmp(a->family, b->family);
}

static int by_header(const void *a, const void *b)
{
	return compare_lists(a, b);
}

/* Pages of @a that @b does not have; both are in the order of digests. */
static size_t missing(const struct digestlist *a, const struct digestlist *b)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < a->n_pages; i++) {
		while (k < b->n_pages &&
		       hashformat_compare(b->pages[k].digest,
					  a->pages[i].digest) < 0)
			k++;
		n += k == b->n_pages ||
		     hashformat_compare(b->pages[k].digest,
					a->pages[i].digest) != 0;
	}
	return n;
}

static bool same_fragments(const struct digestlist *a,
			   const struct digestlist *b)
{
	size_t i = 0;

	while (i < a->n_fragments && i < b->n_fragments &&
	       !hashformat_compare(a->fragments[i].digest,
				   b->fragments[i].digest))
		i++;
	return i == a->n_fragments && i == b->n_fragments;
}

static void show_binary(char sign, const struct digestlist *l)
{
	printf("%c %s %s %s, %zu pages\n", sign, l->family, l->name,
	       l->version, l->n_pages);
}

static bool show_both(const struct digestlist *a, const struct digestlist *b)
{
	size_t gone = missing(a, b), new = missing(b, a);
	bool file = strcmp(a->sha256, b->sha256), code = !same_fragments(a, b);

	if (gone || new || file || code)
		printf("~ %s %s %s, %zu pages less, %zu more, %zu the "
		       "same%s%s\n",
		       b->family, b->name, b->version, gone, new,
		       b->n_pages - new, code ? ", other fragments" : "",
		       file ? ", another file" : "");
	return gone || new || file || code;
}

static bool diff_lists(const struct digestlist *a, size_t n,
		       const struct digestlist *b, size_t m)
{
	bool differ = false;

	for (size_t i = 0, k = 0; i < n || k < m;) {
		int order = i == n   ? 1
			    : k == m ? -1
				     : compare_lists(&a[i], &b[k]);

		if (order < 0)
			show_binary('-', &a[i++]);
		else if (order > 0)
			show_binary('+', &b[k++]);
		else
			differ |= show_both(&a[i++], &b[k++]);
		differ |= order != 0;
	}
	return differ;
}

int cmd_hash_diff(int argc, char **argv)
{
	int status = words(argc, argv, diff_help, NULL), err;
	struct hashset *set[2] = { NULL, NULL };
	struct digestlist *lists[2];
	struct why why = { "" };
	size_t n[2];
	bool differ;

	if (status)
		return status < 0 ? EXIT_CLEAN : status;
	if (argc - optind != 2) {
		fputs("davylamp hash diff: give two sets\n", stderr);
		return EXIT_USAGE;
	}
	err = open_named(argv[optind], &set[0], &why);
	if (!err)
		err = open_named(argv[optind + 1], &set[1], &why);
	if (err) {
		hashset_free(set[0]);
		return say("diff", &why, err);
	}
	for (int i = 0; i < 2; i++) {
		hashread_lists(set[i], &lists[i], &n[i]);
		qsort(lists[i], n[i], sizeof(*lists[i]), by_header);
	}
	differ = diff_lists(lists[0], n[0], lists[1], n[1]);
	for (int i = 0; i < 2; i++) {
		hashread_free(lists[i], n[i]);
		hashset_free(set[i]);
	}
	return differ ? EXIT_FINDINGS : EXIT_CLEAN;
}

/* ---- merge ----------------------------------------------------------- */

static int add_set(struct hashbuild *build, const char *path, struct why *why)
{
	struct digestlist *lists;
	struct hashset *set;
	size_t n;
	int err = open_named(path, &set, why);

	if (err)
		return err;
	hashread_lists(set, &lists, &n);
	for (size_t i = 0; i < n && !err; i++)
		err = hashbuild_add(build, &lists[i], why);
	hashread_free(lists, n);
	hashset_free(set);
	return err;
}

int cmd_hash_merge(int argc, char **argv)
{
	const char *out = NULL;
	int status = words(argc, argv, merge_help, &out), err = 0;
	struct hashbuild_sum sum;
	struct hashbuild *build;
	struct hashgood *none;
	struct why why = { "" };
	uint8_t *bytes = NULL;
	size_t len = 0;

	if (status)
		return status < 0 ? EXIT_CLEAN : status;
	if (!out || optind == argc) {
		fputs("davylamp hash merge: give -o OUT and sets\n", stderr);
		return EXIT_USAGE;
	}
	build = hashbuild_new();
	none = hashgood_new();
	for (int i = optind; i < argc && !err; i++)
		err = add_set(build, argv[i], &why);
	if (!err)
		err = hashbuild_bytes(build, none, &bytes, &len, &sum, &why);
	if (!err)
		err = hashsave_file(out, bytes, len, &why);
	if (!err) {
		cmd_hash_counts(sum.n_binaries, sum.n_pages, sum.n_fragments);
		putchar('\n');
	}
	free(bytes);
	hashgood_free(none);
	hashbuild_free(build);
	return err ? say("merge", &why, err) : EXIT_CLEAN;
}

/* ---- verify ---------------------------------------------------------- */

int cmd_hash_verify(int argc, char **argv)
{
	int status = words(argc, argv, verify_help, NULL);

	if (status)
		return status < 0 ? EXIT_CLEAN : status;
	if (optind == argc) {
		fputs("davylamp hash verify: give a set\n", stderr);
		return EXIT_USAGE;
	}
	for (int i = optind; i < argc; i++) {
		struct hashset *set;
		struct why why = { "" };
		char shown[256];
		int err = open_named(argv[i], &set, &why);

		if (err) {
			status = say("verify", &why, err);
			continue;
		}
		printf("%s: whole, version %s, ",
		       text_escape_str(argv[i], shown, sizeof(shown)),
		       hashset_version(set));
		cmd_hash_counts(hashset_n_binaries(set), hashset_n_pages(set),
				hashset_n_fragments(set));
		putchar('\n');
		hashset_free(set);
	}
	return status;
}
