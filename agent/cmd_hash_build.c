/* cmd_hash_build.c - `davylamp hash build`. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cmd_hash.h"
#include "cmd_hash_inputs.h"
#include "hashbuild.h"
#include "hashsave.h"
#include "hashtree.h"
#include "hashutil.h"
#include "text.h"

/* ---- what is subtracted ---------------------------------------------- */

static void on_file(void *user, size_t n)
{
	struct cmd_hash_job *j = user;

	j->progress.done = n;
	show_progress(&j->progress);
}

static int subtract_path(struct cmd_hash_job *j, const char *path)
{
	struct digestlist list = { 0 };
	char what[256];
	mode_t type;
	bool elf;
	int error, fd = cmd_hash_open(path, &type, &j->why);

	if (fd < 0)
		return fd;
	if (type == S_IFDIR) {
		text_escape_str(path, what, sizeof(what));
		error = hashtree_add(fd, what, j->args.value[CMD_HASH_EXCEPT],
				     j->good, &j->tree,
				     (struct hashtree_tick){ on_file, j },
				     &j->why);
	} else {
		error = cmd_hash_pages(fd, path, &elf, &list, &j->why);
		j->tree.n_files += !error;
		if (!error && hashgood_add(j->good, &list))
			error = cmd_hash_usage(&j->why, path,
				      "is more than can be "
				      "subtracted; give less");
		digestlist_free(&list);
	}
	close(fd);
	return error;
}

/* ---- outputs --------------------------------------------------------- */

/* "71 pages of /usr/bin /usr/lib", for the list's header. */
static void note_subtracted(const struct cmd_hash_job *j, size_t n_pages,
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

static int make_text(struct cmd_hash_job *j)
{
	const char *out = j->args.value[CMD_HASH_OUT];
	struct digestlist *list = &j->inputs[0].list;
	char *bytes = NULL;
	size_t len = 0, n = hashgood_subtract(j->good, list);
	int error = 0;
	FILE *text;

	digestlist_sort(list);
	if (j->args.n_subtract)
		note_subtracted(j, n, list);
	if (j->args.value[CMD_HASH_SOURCE])
		strcpy(list->source, j->args.value[CMD_HASH_SOURCE]);
	text = strcmp(out, "-") == 0 ? stdout : open_memstream(&bytes, &len);
	if (!text)
		hashutil_out_of_memory();
	digestlist_write(text, list);
	if (fflush(text) || ferror(text))
		error = why_set(&j->why, -EIO, "writing: %s", strerror(errno));
	if (text != stdout) {
		fclose(text);
		if (!error)
			error = hashsave_file(out, bytes, len, &j->why);
		free(bytes);
	}
	return error;
}

static int make_set(struct cmd_hash_job *j, struct hashbuild *build)
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
	printf("%s: ", text_escape_str(j->args.value[CMD_HASH_OUT], shown,
				       sizeof(shown)));
	cmd_hash_counts(sum.n_binaries, sum.n_pages, sum.n_fragments);
	printf(", %s; %u benign digests left out", text_bytes(len, size),
	       sum.n_subtracted);
	if (sum.n_common)
		printf(", and %u that %d families have", sum.n_common,
		       HASHBUILD_COMMON);
	if (sum.n_empty)
		printf(", and %u binar%s that had no other", sum.n_empty,
		       sum.n_empty == 1 ? "y" : "ies");
	putchar('\n');
	return fflush(stdout)
		       ? why_set(&j->why, -EIO, "writing: %s", strerror(errno))
		       : 0;
}

static int run(struct cmd_hash_job *j)
{
	static const int of_elf[] = { CMD_HASH_FAMILY, CMD_HASH_NAME,
				      CMD_HASH_VERSION, CMD_HASH_ARCH };
	struct hashbuild *build = hashbuild_new();
	bool named = false;
	int error = cmd_hash_take_inputs(j);

	for (size_t i = 0; i < j->args.n_subtract && !error; i++)
		error = subtract_path(j, j->args.subtract[i]);
	if (!error)
		error = cmd_hash_read_inputs(j);
	show_progress_end(&j->progress);
	for (size_t i = 0; i < j->n_inputs && !error; i++) {
		named |= j->inputs[i].elf;
		if (!j->args.text)
			error = hashbuild_add(build, &j->inputs[i].list,
					      &j->why);
	}
	/* A digest list says these of itself. */
	for (size_t i = 0; i < 4 && !error && !named; i++)
		if (j->args.value[of_elf[i]])
			error = cmd_hash_usage(&j->why, j->args.value[of_elf[i]],
				      "is said of ELF "
				      "files, and no input is one");
	if (!error)
		error = j->args.text ? make_text(j) : make_set(j, build);
	hashbuild_free(build);
	return error;
}

int cmd_hash_build(int argc, char **argv)
{
	struct cmd_hash_job j = { .good = hashgood_new(),
			 .lock = PTHREAD_MUTEX_INITIALIZER };
	int error = cmd_hash_args(argc, argv, &j.args, &j.why);

	show_progress_init(&j.progress, stderr);
	j.progress.unit = "files";
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
	cmd_hash_free_inputs(&j);
	hashgood_free(j.good);
	free(j.args.subtract);
	return error ? cmd_hash_status(error) : 0;
}
