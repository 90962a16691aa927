/* cmd_hash_args.c - the command line of `hash build`. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "cmd_hash_args.h"
#include "digestlist.h"
#include "hashutil.h"
#include "text.h"

enum { SUBTRACT = CMD_HASH_VALUES, TEXT, HELP };

/* A key below CMD_HASH_VALUES is kept as that value.  Letter 0: none. */
static const struct {
	const char *name;
	char letter;
	int key;
	const char *arg, *help;
} options[] = {
	{ "output", 'o', CMD_HASH_OUT, "OUT", "the file to make (needed)" },
	{ "family", 0, CMD_HASH_FAMILY, "F",
	  "of the ELF files (needed for them)" },
	{ "name", 0, CMD_HASH_NAME, "N",
	  "of the ELF file; default: its file's" },
	{ "version", 0, CMD_HASH_VERSION, "V", "of the ELF files" },
	{ "arch", 0, CMD_HASH_ARCH, "A",
	  "x86_64 or aarch64: refuse other files" },
	{ "source", 0, CMD_HASH_SOURCE, "S",
	  "with --text: where it comes from" },
	{ "subtract", 0, SUBTRACT, "PATH",
	  "leave out the pages of this benign ELF file,\n"
	  "                      digest list, or directory of ELF files" },
	{ "except", 0, CMD_HASH_EXCEPT, "GLOB",
	  "file names that --subtract passes over" },
	{ "list", 0, CMD_HASH_LIST, "FILE",
	  "more ELF files, one a line: path, family,\n"
	  "                      version and name, with tabs between" },
	{ "pid", 0, CMD_HASH_PID, "PID",
	  "the program of this process, from its memory" },
	{ "text", 0, TEXT, NULL,
	  "make a digest list of one INPUT; OUT may be -" },
	{ "help", 'h', HELP, NULL, "this text" },
};
#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

struct parse {
	struct cmd_hash_args *args;
	struct why *why;
};

void cmd_hash_args_help(void)
{
	puts("usage: davylamp hash build -o OUT [OPTION...] INPUT...\n\n"
	     "Makes a hash set of ELF files, digest lists, captures (see\n"
	     "davylamp rules capture) and processes.  Equal input makes equal\n"
	     "bytes, in whatever order.\n");
	for (size_t i = 0; i < N_OPTIONS; i++) {
		int n = options[i].letter
				? printf("  -%c, --%s", options[i].letter,
					 options[i].name)
				: printf("      --%s", options[i].name);

		if (options[i].arg)
			n += printf(" %s", options[i].arg);
		printf("%*s%s\n", n < 22 ? 22 - n : 1, "", options[i].help);
	}
}

static int usage(struct parse *p, const char *value, const char *how)
{
	char shown[80];

	return why_set(p->why, -EINVAL, "'%s' %s",
		       text_escape_str(value, shown, sizeof(shown)), how);
}

/* 1: help was asked for. */
static int take_option(struct parse *p, size_t i, const char *arg)
{
	void *subtract = p->args->subtract;

	switch (options[i].key) {
	case HELP:
		return 1;
	case TEXT:
		p->args->text = true;
		return 0;
	case SUBTRACT:
		if (hashutil_room(&subtract, &p->args->cap_subtract,
				  p->args->n_subtract, 65536,
				  sizeof(*p->args->subtract)))
			return usage(p, arg, "is one --subtract too many");
		p->args->subtract = subtract;
		p->args->subtract[p->args->n_subtract++] = arg;
		return 0;
	default:
		if (p->args->value[options[i].key])
			return usage(p, arg,
				     "is given to an option that was "
				     "given before; keep one");
		p->args->value[options[i].key] = arg;
		return 0;
	}
}

static size_t n_inputs(const struct parse *p)
{
	return p->args->n_inputs + (p->args->value[CMD_HASH_PID] != NULL) +
	       (p->args->value[CMD_HASH_LIST] != NULL);
}

static int check_values(struct parse *p)
{
	const char *arch = p->args->value[CMD_HASH_ARCH];

	for (int k = CMD_HASH_FAMILY; k <= CMD_HASH_SOURCE; k++)
		if (p->args->value[k] &&
		    !digestlist_is_value(p->args->value[k]))
			return usage(p, p->args->value[k],
				     "is no value: 1 to 255 "
				     "printable ASCII characters");
	if (!p->args->value[CMD_HASH_OUT])
		return why_set(p->why, -EINVAL,
			       "no output; give -o FILE (see --help)");
	if (!n_inputs(p))
		return why_set(p->why, -EINVAL,
			       "no input; give ELF files or "
			       "digest lists (see --help)");
	if (arch && strcmp(arch, "x86_64") != 0 && strcmp(arch, "aarch64") != 0)
		return usage(p, arch, "is no architecture; x86_64 or aarch64");
	if (p->args->text && (n_inputs(p) != 1 ||
			      p->args->value[CMD_HASH_LIST]))
		return why_set(p->why, -EINVAL,
			       "--text makes a list of one input, not more");
	if (!p->args->text && p->args->value[CMD_HASH_SOURCE])
		return usage(p, p->args->value[CMD_HASH_SOURCE],
			     "can not be kept in a set; add --text");
	if (!p->args->text && strcmp(p->args->value[CMD_HASH_OUT], "-") == 0)
		return usage(p, "-", "can not be a set; give -o FILE");
	if (p->args->value[CMD_HASH_NAME] && n_inputs(p) != 1)
		return usage(p, p->args->value[CMD_HASH_NAME],
			     "can name one input only; build lists with "
			     "--text first");
	return 0;
}

int cmd_hash_args(int argc, char **argv, struct cmd_hash_args *ret,
		  struct why *why)
{
	struct parse parse = { .args = ret, .why = why }, *p = &parse;
	struct option longs[N_OPTIONS + 1] = { 0 };
	int key, found;

	for (size_t i = 0; i < N_OPTIONS; i++)
		longs[i] = (struct option){
			.name = options[i].name,
			.has_arg = options[i].arg ? required_argument
						  : no_argument,
			.val = 256 + (int)i,
		};
	optind = 0; /* glibc: begin anew */
	opterr = 0;
	while ((key = getopt_long(argc, argv, ":o:h", longs, NULL)) != -1) {
		size_t i = 0;

		if (key == ':')
			return usage(p, argv[optind - 1], "needs a value");
		if (key == '?')
			return usage(p, argv[optind - 1],
				     "is no option; see --help");
		while (key < 256 ? options[i].letter != key
				 : (int)i != key - 256)
			i++;
		found = take_option(p, i, optarg);
		if (found)
			return found;
	}
	p->args->inputs = argv + optind;
	p->args->n_inputs = (size_t)(argc - optind);
	return check_values(p);
}
