/* cmd_hash_build.c - `davylamp hash build`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cmd_hash.h"
#include "cmd_hash_args.h"
#include "hashbuild.h"
#include "hashelf.h"
#include "hashsave.h"
#include "hashtree.h"
#include "hashutil.h"
#include "text.h"

struct job {
	struct cmd_hash_args args;
	size_t n_elf;
	struct hashgood *good;
	struct hashtree_sum tree;
	struct why why;
};

static int usage(struct job *j, const char *value, const char *how)
{
	char shown[80];

	return why_set(&j->why, -EINVAL, "'%s' %s",
		       text_escape_str(value, shown, sizeof(shown)), how);
}

/* ---- inputs ------------------------------------------------------------- */

static int describe_elf(struct job *j, int fd, const char *path,
			struct digestlist *list)
{
	const char *slash = strrchr(path, '/');
	const char *const *v = j->args.value;
	char shown[80];
	int error;

	text_escape_str(path, shown, sizeof(shown));
	if (!v[CMD_HASH_FAMILY])
		return usage(j, path, "is an ELF file and needs --family");
	if (v[CMD_HASH_ARCH] && strcmp(v[CMD_HASH_ARCH], list->arch) != 0)
		return why_set(&j->why, -EINVAL,
			       "%s: is for %s, not %s; mend "
			       "--arch",
			       shown, list->arch, v[CMD_HASH_ARCH]);
	strcpy(list->family, v[CMD_HASH_FAMILY]);
	strcpy(list->version, v[CMD_HASH_VERSION] ? v[CMD_HASH_VERSION] : "");
	if (v[CMD_HASH_NAME])
		strcpy(list->name, v[CMD_HASH_NAME]);
	else
		text_escape_str(slash ? slash + 1 : path, list->name,
				sizeof(list->name));
	if (!digestlist_is_value(list->name))
		return usage(j, path,
			     "has a name that is not ASCII; give "
			     "--name");
	error = hashelf_sha256(fd, list->sha256);
	return error ? why_set(&j->why, error, "%s: %s", shown,
			       strerror(-error))
		     : 0;
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
	return why_set(&j->why, -EBADMSG,
		       "%s: neither an ELF file nor a "
		       "digest list",
		       what);
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
		error = hashtree_add(fd, what, j->args.value[CMD_HASH_EXCEPT],
				     j->good, &j->tree, &j->why);
	} else {
		error = read_pages(j, fd, path, &elf, &list);
		j->tree.n_files += !error;
		if (!error && hashgood_add(j->good, &list))
			error = usage(j, path,
				      "is more than can be "
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
	for (size_t i = 0; i < j->args.n_subtract && at < cap; i++) {
		char shown[128];

		text_escape_str(j->args.subtract[i], shown, sizeof(shown));
		if (digestlist_is_value(shown))
			at += (size_t)snprintf(to + at, cap - at, " %s", shown);
	}
}

static int make_text(struct job *j)
{
	const char *out = j->args.value[CMD_HASH_OUT];
	struct digestlist list = { 0 };
	char *bytes = NULL;
	size_t len = 0, n;
	int error = read_input(j, j->args.inputs[0], &list);
	FILE *text;

	if (error)
		return error;
	n = hashgood_subtract(j->good, &list);
	if (j->args.n_subtract)
		note_subtracted(j, n, &list);
	if (j->args.value[CMD_HASH_SOURCE])
		strcpy(list.source, j->args.value[CMD_HASH_SOURCE]);
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
	int error =
		hashbuild_bytes(build, j->good, &bytes, &len, &sum, &j->why);

	if (error)
		return error;
	if (sum.n_binaries == 0)
		error = why_set(&j->why, -EINVAL,
				"no page is left: all of "
				"them are benign or constant");
	if (!error)
		error = hashsave_file(j->args.value[CMD_HASH_OUT], bytes, len,
				      &j->why);
	free(bytes);
	if (error)
		return error;
	printf("%s: %u binaries, %u pages, %u rolling digests, %s; %u benign "
	       "digests left out",
	       text_escape_str(j->args.value[CMD_HASH_OUT], shown,
			       sizeof(shown)),
	       sum.n_binaries, sum.n_pages - sum.n_rolls, sum.n_rolls,
	       text_bytes(len, size),
	       sum.n_subtracted);
	if (sum.n_empty)
		printf(", and %u binaries that had no other", sum.n_empty);
	putchar('\n');
	return fflush(stdout)
		       ? why_set(&j->why, -EIO, "writing: %s", strerror(errno))
		       : 0;
}

static int add_inputs(struct job *j, struct hashbuild *build)
{
	int error = 0;

	for (size_t i = 0; i < j->args.n_inputs && !error; i++) {
		struct digestlist list = { 0 };

		error = read_input(j, j->args.inputs[i], &list);
		if (!error)
			error = hashbuild_add(build, &list, &j->why);
		digestlist_free(&list);
	}
	return error;
}

static int run(struct job *j)
{
	static const int of_elf[] = { CMD_HASH_FAMILY, CMD_HASH_NAME,
				      CMD_HASH_VERSION, CMD_HASH_ARCH };
	struct hashbuild *build = hashbuild_new();
	int error = 0;

	for (size_t i = 0; i < j->args.n_subtract && !error; i++)
		error = subtract_path(j, j->args.subtract[i]);
	if (!error)
		error = j->args.text ? make_text(j) : add_inputs(j, build);
	/* A digest list says these of itself. */
	for (size_t i = 0; i < 4 && !error && !j->n_elf; i++)
		if (j->args.value[of_elf[i]])
			error = usage(j, j->args.value[of_elf[i]],
				      "is said of ELF "
				      "files, and no input is one");
	if (!error && !j->args.text)
		error = make_set(j, build);
	hashbuild_free(build);
	return error;
}

int cmd_hash_build(int argc, char **argv)
{
	struct job j = { .good = hashgood_new() };
	int error = cmd_hash_args(argc, argv, &j.args, &j.why);

	if (error > 0) {
		cmd_hash_args_help();
		error = 0;
	} else if (!error) {
		error = run(&j);
	}
	if (error)
		fprintf(stderr, "davylamp hash build: %s\n", j.why.text);
	else if (j.args.n_subtract)
		fprintf(stderr,
			"subtracted %zu distinct pages of %zu files "
			"(%zu unusable)\n",
			hashgood_count(j.good), j.tree.n_files,
			j.tree.n_skipped);
	hashgood_free(j.good);
	free(j.args.subtract);
	return error ? cmd_hash_status(error) : 0;
}
