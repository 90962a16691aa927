/* cmd_hash.c - `davylamp hash`: which part of it, and what a set holds. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "cmd_hash.h"
#include "cmd_install.h"
#include "defaultset.h"
#include "hashset.h"
#include "sha256.h"
#include "text.h"

static int cmd_hash_info(int argc, char **argv);

static int cmd_hash_install(int argc, char **argv)
{
	return cmd_install(INSTALLED_HASHES, argc, argv);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "build", cmd_hash_build, "make a set of ELF files and digest lists" },
	{ "info", cmd_hash_info, "which binaries a set holds" },
	{ "query", cmd_hash_query, "which known binaries a process has" },
	{ "compare", cmd_hash_compare, "how alike is the code of programs?" },
	{ "diff", cmd_hash_diff, "what differs between two sets" },
	{ "merge", cmd_hash_merge, "make one set of several" },
	{ "verify", cmd_hash_verify, "is a set whole?" },
	{ "install", cmd_hash_install, "use a signed set from now on" },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
	fputs("usage: davylamp hash COMMAND [ARGUMENT...]\n\n"
	      "Sets of digests, of pages and of fragments of code, by which "
	      "known\n"
	      "binaries and other versions of them are recognized in "
	      "memory.\n\n",
	      out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-9s%s\n", commands[i].name, commands[i].help);
	fputs("\n'davylamp hash COMMAND --help' says more.\n", out);
}

int cmd_hash_status(int error)
{
	switch (-error) {
	case EBADMSG:
	case EINVAL:
	case ENOENT:
	case ENOEXEC:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case E2BIG:
	case ENAMETOOLONG:
		return 2;
	default:
		return 4;
	}
}

int cmd_hash(int argc, char **argv)
{
	char shown[80];

	if (argc < 2) {
		fputs("davylamp hash: which command?\n", stderr);
		help(stderr);
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(stdout);
		return 0;
	}
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr,
		"davylamp hash: no command '%s'; see davylamp hash --help\n",
		text_escape_str(argv[1], shown, sizeof(shown)));
	return 2;
}

/* ---- info ------------------------------------------------------------ */

static const char info_help[] =
	"usage: davylamp hash info [--long] [SET]\n\n"
	"Lists the binaries of a hash set: how many pages of each are in it, "
	"how\n"
	"many of those are code, and how many fragments of code.  Without SET: "
	"the\n"
	"one in use.\n\n"
	"  -l, --long   the SHA-256 of each binary's file too\n"
	"  -h, --help   this text\n";

/* Columns as wide as their widest entry. */
struct widths {
	int arch, version, family;
};

static int wider(int width, const char *text)
{
	size_t n = strlen(text);

	return n > (size_t)width ? (int)n : width;
}

static struct widths measure(const struct hashset *set)
{
	struct widths w = { 4, 7, 6 };

	for (uint32_t i = 0; i < hashset_n_binaries(set); i++) {
		struct hashset_binary b = hashset_binary(set, i);

		w.arch = wider(w.arch, b.arch);
		w.version = wider(w.version, b.version);
		w.family = wider(w.family, b.family);
	}
	return w;
}

void cmd_hash_counts(uint32_t n_binaries, uint32_t n_digests,
		     uint32_t n_fragments)
{
	uint32_t n_pages = n_digests - n_fragments;

	printf("%u %s, %u page%s, %u fragment%s of code", n_binaries,
	       n_binaries == 1 ? "binary" : "binaries", n_pages,
	       n_pages == 1 ? "" : "s", n_fragments,
	       n_fragments == 1 ? "" : "s");
}

static void print_set(const struct hashset *set, const char *what,
		      bool with_sha)
{
	struct widths w = measure(set);
	char size[16], hex[65];

	printf("%s: version %s, ", what, hashset_version(set));
	cmd_hash_counts(hashset_n_binaries(set), hashset_n_pages(set),
			hashset_n_fragments(set));
	printf(", %s\n", text_bytes(hashset_bytes(set), size));
	if (hashset_n_binaries(set) == 0)
		return;
	printf("\nPAGES  CODE FRAGMENTS %-*s %-*s %-*s NAME\n", w.arch, "ARCH",
	       w.version, "VERSION", w.family, "FAMILY");
	for (uint32_t i = 0; i < hashset_n_binaries(set); i++) {
		struct hashset_binary b = hashset_binary(set, i);

		printf("%5u %5u %9u %-*s %-*s %-*s %s\n", b.n_pages,
		       b.n_code_pages, b.n_fragments, w.arch, b.arch, w.version,
		       b.version, w.family, b.family, b.name);
		sha256_hex(hashset_sha256(set, i), hex);
		if (with_sha)
			printf("            sha256 %s\n", hex);
	}
}

static int info(const char *path, bool with_sha)
{
	struct hashset *set = NULL;
	struct why why = { "" };
	char what[256];
	int error;

	error = defaultset_open(path, &set, &why);
	if (error) {
		fprintf(stderr, "davylamp hash info: %s\n", why.text);
		return cmd_hash_status(error);
	}
	print_set(set,
		  path ? text_escape_str(path, what, sizeof(what))
		       : "hash set in use",
		  with_sha);
	hashset_free(set);
	return fflush(stdout) ? 4 : 0;
}

static int cmd_hash_info(int argc, char **argv)
{
	static const struct option options[] = {
		{ "long", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	bool with_sha = false;
	char shown[80];
	int key;

	optind = 0; /* glibc: begin anew */
	opterr = 0;
	while ((key = getopt_long(argc, argv, "lh", options, NULL)) != -1) {
		if (key == 'h') {
			fputs(info_help, stdout);
			return 0;
		}
		if (key != 'l') {
			fprintf(stderr,
				"davylamp hash info: unknown option "
				"'%s'; see --help\n",
				text_escape_str(argv[optind - 1], shown,
						sizeof(shown)));
			return 2;
		}
		with_sha = true;
	}
	if (argc - optind > 1) {
		fprintf(stderr,
			"davylamp hash info: one set at a time, not "
			"also '%s'\n",
			text_escape_str(argv[optind + 1], shown,
					sizeof(shown)));
		return 2;
	}
	return info(optind < argc ? argv[optind] : NULL, with_sha);
}
