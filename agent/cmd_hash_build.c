/* cmd_hash_build.c - `davylamp hash build`. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cmd_hash.h"
#include "hashbuild.h"
#include "hashelf.h"
#include "hashsave.h"
#include "hashtree.h"
#include "hashutil.h"
#include "text.h"

enum { VALUE_OUT, VALUE_FAMILY, VALUE_NAME, VALUE_VERSION, VALUE_ARCH,
       VALUE_SOURCE, VALUE_EXCEPT, VALUES };
enum { SUBTRACT = VALUES, TEXT, HELP };

/* A key below VALUES is kept as that value; the short letter, 0: none. */
static const struct {
	const char *name;
	char letter;
	int key;
	const char *arg, *help;
} options[] = {
	{ "output", 'o', VALUE_OUT, "OUT", "the file to make (needed)" },
	{ "family", 0, VALUE_FAMILY, "F", "of the ELF files (needed for them)" },
	{ "name", 0, VALUE_NAME, "N", "of the ELF file; default: its file's" },
	{ "version", 0, VALUE_VERSION, "V", "of the ELF files" },
	{ "arch", 0, VALUE_ARCH, "A", "x86_64 or aarch64: refuse other files" },
	{ "source", 0, VALUE_SOURCE, "S", "with --text: where it comes from" },
	{ "subtract", 0, SUBTRACT, "PATH",
	  "leave out the pages of this benign ELF file,\n"
	  "                      digest list, or directory of ELF files" },
	{ "except", 0, VALUE_EXCEPT, "GLOB",
	  "file names that --subtract passes over" },
	{ "text", 0, TEXT, NULL,
	  "make a digest list of one INPUT; OUT may be -" },
	{ "help", 'h', HELP, NULL, "this text" },
};
#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

struct job {
	const char *value[VALUES];
	const char **subtract;
	size_t n_subtract, cap_subtract;
	char **inputs;
	size_t n_inputs, n_elf;
	bool text;
	struct hashgood *good;
	struct hashtree_sum tree;
	struct why why;
};

static void help(void)
{
	puts("usage: davylamp hash build -o OUT [OPTION...] INPUT...\n\n"
	     "Makes a hash set of ELF files and digest lists.  Equal input\n"
	     "makes equal bytes, in whatever order.\n");
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

/* ---- arguments ---------------------------------------------------------- */

static int usage(struct job *j, const char *value, const char *how)
{
	char shown[80];

	return why_set(&j->why, -EINVAL, "'%s' %s",
		       text_escape_str(value, shown, sizeof(shown)), how);
}

/* 1: help was asked for. */
static int take_option(struct job *j, size_t i, const char *arg)
{
	void *subtract = j->subtract;

	switch (options[i].key) {
	case HELP:
		return 1;
	case TEXT:
		j->text = true;
		return 0;
	case SUBTRACT:
		if (hashutil_room(&subtract, &j->cap_subtract, j->n_subtract,
				  65536, sizeof(*j->subtract)))
			return usage(j, arg, "is one --subtract too many");
		j->subtract = subtract;
		j->subtract[j->n_subtract++] = arg;
		return 0;
	default:
		if (j->value[options[i].key])
			return usage(j, arg, "is given to an option that was "
					     "given before; keep one");
		j->value[options[i].key] = arg;
		return 0;
	}
}

static int check_values(struct job *j)
{
	const char *arch = j->value[VALUE_ARCH];

	for (int k = VALUE_FAMILY; k <= VALUE_SOURCE; k++)
		if (j->value[k] && !digestlist_is_value(j->value[k]))
			return usage(j, j->value[k], "is no value: 1 to 255 "
				     "printable ASCII characters");
	if (!j->value[VALUE_OUT])
		return why_set(&j->why, -EINVAL,
			       "no output; give -o FILE (see --help)");
	if (!j->n_inputs)
		return why_set(&j->why, -EINVAL, "no input; give ELF files or "
			       "digest lists (see --help)");
	if (arch && strcmp(arch, "x86_64") != 0 && strcmp(arch, "aarch64") != 0)
		return usage(j, arch, "is no architecture; x86_64 or aarch64");
	if (j->text && j->n_inputs != 1)
		return usage(j, j->inputs[1], "is a second input; --text makes "
			     "a list of one");
	if (!j->text && j->value[VALUE_SOURCE])
		return usage(j, j->value[VALUE_SOURCE],
			     "can not be kept in a set; add --text");
	if (!j->text && strcmp(j->value[VALUE_OUT], "-") == 0)
		return usage(j, "-", "can not be a set; give -o FILE");
	if (j->value[VALUE_NAME] && j->n_inputs != 1)
		return usage(j, j->value[VALUE_NAME],
			     "can name one input only; build lists with "
			     "--text first");
	return 0;
}

static int take_arguments(struct job *j, int argc, char **argv)
{
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
			return usage(j, argv[optind - 1], "needs a value");
		if (key == '?')
			return usage(j, argv[optind - 1],
				     "is no option; see --help");
		while (key < 256 ? options[i].letter != key
				 : (int)i != key - 256)
			i++;
		found = take_option(j, i, optarg);
		if (found)
			return found;
	}
	j->inputs = argv + optind;
	j->n_inputs = (size_t)(argc - optind);
	return check_values(j);
}

/* ---- inputs ------------------------------------------------------------- */

static int describe_elf(struct job *j, int fd, const char *path,
			struct digestlist *list)
{
	const char *slash = strrchr(path, '/');
	const char *const *v = j->value;
	char shown[80];
	int error;

	text_escape_str(path, shown, sizeof(shown));
	if (!v[VALUE_FAMILY])
		return usage(j, path, "is an ELF file and needs --family");
	if (v[VALUE_ARCH] && strcmp(v[VALUE_ARCH], list->arch) != 0)
		return why_set(&j->why, -EINVAL, "%s: is for %s, not %s; mend "
			       "--arch", shown, list->arch, v[VALUE_ARCH]);
	strcpy(list->family, v[VALUE_FAMILY]);
	strcpy(list->version, v[VALUE_VERSION] ? v[VALUE_VERSION] : "");
	if (v[VALUE_NAME])
		strcpy(list->name, v[VALUE_NAME]);
	else
		text_escape_str(slash ? slash + 1 : path, list->name,
				sizeof(list->name));
	if (!digestlist_is_value(list->name))
		return usage(j, path, "has a name that is not ASCII; give "
				      "--name");
	error = hashelf_sha256(fd, list->sha256);
	return error ? why_set(&j->why, error, "%s: %s", shown,
			       strerror(-error)) : 0;
}

static int read_list(struct job *j, int fd, const char *what,
		     struct digestlist *ret)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), error;
	FILE *in = copy < 0 ? NULL : fdopen(copy, "r");

	if (!in) {
		error = -errno;
		if (copy >= 0)
			close(copy);
		return why_set(&j->why, error, "%s: %s", what,
			       strerror(-error));
	}
	error = digestlist_read(in, what, ret, &j->why);
	fclose(in);
	return error;
}

/* The pages of the ELF file or digest list @fd, told apart by content. */
static int read_pages(struct job *j, int fd, const char *path, bool *ret_elf,
		      struct digestlist *ret)
{
	char magic[4] = { 0 }, what[256];
	int error;

	text_escape_str(path, what, sizeof(what));
	error = hashutil_pread(fd, magic, sizeof(magic), 0);
	if (error && error != -ENODATA)
		return why_set(&j->why, error, "%s: %s", what,
			       strerror(-error));
	*ret_elf = memcmp(magic, "\177ELF", 4) == 0;
	if (*ret_elf)
		return hashelf_read(fd, what, ret, &j->why);
	if (magic[0] == '#')
		return read_list(j, fd, what, ret);
	return why_set(&j->why, -EBADMSG, "%s: neither an ELF file nor a "
		       "digest list", what);
}

static int open_path(struct job *j, const char *path, mode_t *ret_type)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int error = fd < 0 || fstat(fd, &st) ? -errno : 0;
	char shown[256];

	text_escape_str(path, shown, sizeof(shown));
	if (!error && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		error = -EINVAL;
	if (error && fd >= 0)
		close(fd);
	if (error)
		return why_set(&j->why, error, "%s: %s", shown,
			       error == -EINVAL ? "not a regular file"
						: strerror(-error));
	*ret_type = st.st_mode & S_IFMT;
	return fd;
}

static int read_input(struct job *j, const char *path, struct digestlist *ret)
{
	struct digestlist list = { 0 };
	mode_t type;
	bool elf = false;
	int error, fd = open_path(j, path, &type);

	if (fd < 0)
		return fd;
	if (type == S_IFDIR)
		error = usage(j, path, "is a directory; give its files");
	else
		error = read_pages(j, fd, path, &elf, &list);
	if (!error && elf)
		error = describe_elf(j, fd, path, &list);
	j->n_elf += elf;
	close(fd);
	if (error)
		digestlist_free(&list);
	else
		*ret = list;
	return error;
}

static int subtract_path(struct job *j, const char *path)
{
	struct digestlist list = { 0 };
	char what[256];
	mode_t type;
	bool elf;
	int error, fd = open_path(j, path, &type);

	if (fd < 0)
		return fd;
	if (type == S_IFDIR) {
		text_escape_str(path, what, sizeof(what));
		error = hashtree_add(fd, what, j->value[VALUE_EXCEPT], j->good,
				     &j->tree, &j->why);
	} else {
		error = read_pages(j, fd, path, &elf, &list);
		j->tree.n_files += !error;
		if (!error && hashgood_add(j->good, &list))
			error = usage(j, path, "is more than can be "
					       "subtracted; give less");
		digestlist_free(&list);
	}
	close(fd);
	return error;
}

/* ---- outputs ------------------------------------------------------------ */

/* "71 pages of /usr/bin /usr/lib", for the list's header. */
static void note_subtracted(const struct job *j, size_t n_pages,
			    struct digestlist *list)
{
	char *to = list->subtracted;
	size_t cap = sizeof(list->subtracted);
	size_t at = strlen(to);

	at += (size_t)snprintf(to + at, cap - at, "%s%zu pages of",
			       at ? "; " : "", n_pages);
	for (size_t i = 0; i < j->n_subtract && at < cap; i++) {
		char shown[128];

		text_escape_str(j->subtract[i], shown, sizeof(shown));
		if (digestlist_is_value(shown))
			at += (size_t)snprintf(to + at, cap - at, " %s", shown);
	}
}

static int make_text(struct job *j)
{
	const char *out = j->value[VALUE_OUT];
	struct digestlist list = { 0 };
	char *bytes = NULL;
	size_t len = 0, n;
	int error = read_input(j, j->inputs[0], &list);
	FILE *text;

	if (error)
		return error;
	n = hashgood_subtract(j->good, &list);
	if (j->n_subtract)
		note_subtracted(j, n, &list);
	if (j->value[VALUE_SOURCE])
		strcpy(list.source, j->value[VALUE_SOURCE]);
	text = strcmp(out, "-") == 0 ? stdout : open_memstream(&bytes, &len);
	if (!text)
		hashutil_out_of_memory();
	digestlist_write(text, &list);
	if (fflush(text) || ferror(text))
		error = why_set(&j->why, -EIO, "writing: %s", strerror(errno));
	if (text != stdout) {
		fclose(text);
		if (!error)
			error = hashsave_file(out, bytes, len, &j->why);
		free(bytes);
	}
	digestlist_free(&list);
	return error;
}

static int make_set(struct job *j, struct hashbuild *build)
{
	struct hashbuild_sum sum;
	char size[16], shown[256];
	uint8_t *bytes;
	size_t len;
	int error = hashbuild_bytes(build, j->good, &bytes, &len, &sum,
				    &j->why);

	if (error)
		return error;
	if (sum.n_binaries == 0)
		error = why_set(&j->why, -EINVAL, "no page is left: all of "
				"them are benign or constant");
	if (!error)
		error = hashsave_file(j->value[VALUE_OUT], bytes, len, &j->why);
	free(bytes);
	if (error)
		return error;
	printf("%s: %u binaries, %u pages, %s; %u benign pages left out",
	       text_escape_str(j->value[VALUE_OUT], shown, sizeof(shown)),
	       sum.n_binaries, sum.n_pages, text_bytes(len, size),
	       sum.n_subtracted);
	if (sum.n_empty)
		printf(", and %u binaries that had no other", sum.n_empty);
	putchar('\n');
	return fflush(stdout) ? -EIO : 0;
}

static int add_inputs(struct job *j, struct hashbuild *build)
{
	int error = 0;

	for (size_t i = 0; i < j->n_inputs && !error; i++) {
		struct digestlist list = { 0 };

		error = read_input(j, j->inputs[i], &list);
		if (!error)
			error = hashbuild_add(build, &list, &j->why);
		digestlist_free(&list);
	}
	return error;
}

static int run(struct job *j)
{
	static const int of_elf[] = { VALUE_FAMILY, VALUE_NAME, VALUE_VERSION,
				      VALUE_ARCH };
	struct hashbuild *build = hashbuild_new();
	int error = 0;

	for (size_t i = 0; i < j->n_subtract && !error; i++)
		error = subtract_path(j, j->subtract[i]);
	if (!error)
		error = j->text ? make_text(j) : add_inputs(j, build);
	/* A digest list says these of itself. */
	for (size_t i = 0; i < 4 && !error && !j->n_elf; i++)
		if (j->value[of_elf[i]])
			error = usage(j, j->value[of_elf[i]], "is said of ELF "
				      "files, and no input is one");
	if (!error && !j->text)
		error = make_set(j, build);
	hashbuild_free(build);
	return error;
}

int cmd_hash_build(int argc, char **argv)
{
	struct job j = { .good = hashgood_new() };
	int error = take_arguments(&j, argc, argv);

	if (error > 0) {
		help();
		error = 0;
	} else if (!error) {
		error = run(&j);
	}
	if (error)
		fprintf(stderr, "davylamp hash build: %s\n", j.why.text);
	else if (j.n_subtract)
		fprintf(stderr, "subtracted %zu distinct pages of %zu files "
			"(%zu unusable)\n", hashgood_count(j.good),
			j.tree.n_files, j.tree.n_skipped);
	hashgood_free(j.good);
	free(j.subtract);
	return error ? cmd_hash_status(error) : 0;
}
