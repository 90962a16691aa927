/* cmd_hash_inputs.c - what `hash build` reads. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "capture.h"
#include "cmd_hash_inputs.h"
#include "hashelf.h"
#include "hashqueue.h"
#include "hashutil.h"
#include "proc.h"
#include "procpages.h"
#include "text.h"

int cmd_hash_usage(struct why *why, const char *value, const char *how)
{
	char shown[80];

	return why_set(why, -EINVAL, "'%s' %s",
		       text_escape_str(value, shown, sizeof(shown)), how);
}

/* ---- inputs ---------------------------------------------------------- */

static const char *said(const char *of_it, const char *of_all)
{
	return of_it && *of_it ? of_it : of_all;
}

/* What a digest list says of itself, and nothing else does. */
static int describe(const struct cmd_hash_job *j, struct cmd_hash_input *in, const char *what)
{
	const char *const *v = j->args.value;
	struct digestlist *list = &in->list;
	const char *family = said(in->family, v[CMD_HASH_FAMILY]);
	const char *version = said(in->version, v[CMD_HASH_VERSION]);
	const char *name = said(in->name, v[CMD_HASH_NAME]);
	const char *slash = strrchr(what, '/');

	if (!family)
		return why_set(&in->why, -EINVAL, "%s: needs --family", what);
	if (v[CMD_HASH_ARCH] && strcmp(v[CMD_HASH_ARCH], list->arch) != 0)
		return why_set(&in->why, -EINVAL,
			       "%s: is for %s, not %s; mend --arch", what,
			       list->arch, v[CMD_HASH_ARCH]);
	snprintf(list->family, sizeof(list->family), "%s", family);
	snprintf(list->version, sizeof(list->version), "%s",
		 version ? version : "");
	snprintf(list->name, sizeof(list->name), "%s",
		 name ? name : slash ? slash + 1 : what);
	if (!digestlist_is_value(list->name) ||
	    !digestlist_is_value(list->family))
		return cmd_hash_usage(&in->why, list->name,
			     "is no name: 1 to 255 printable ASCII "
			     "characters; give --name");
	return 0;
}

static int read_list(int fd, const char *what, struct digestlist *ret,
		     struct why *why)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), error;
	FILE *in = copy < 0 ? NULL : fdopen(copy, "r");

	if (!in) {
		error = -errno;
		if (copy >= 0)
			close(copy);
		return why_set(why, error, "%s: %s", what, strerror(-error));
	}
	error = digestlist_read(in, what, ret, why);
	fclose(in);
	return error;
}

static int read_capture(const char *path, struct digestlist *ret,
			struct why *why)
{
	struct capture *c;
	struct proc p;
	int error = capture_open(path, &c, why);

	if (error)
		return error;
	error = proc_of_capture(c, &p);
	error = error ? why_set(why, error, "what the capture says of its "
					    "process is damaged")
		      : procpages_read(&p, ret, why);
	capture_free(c);
	return error;
}

/* The pages of the file @fd, told apart by content; @ret_elf: it does not say
 * itself what it is. */
int cmd_hash_pages(int fd, const char *path, bool *ret_elf,
		      struct digestlist *ret, struct why *why)
{
	char magic[8] = { 0 }, what[256];
	int error;

	text_escape_str(path, what, sizeof(what));
	error = hashutil_pread(fd, magic, 4, 0) ?: hashutil_pread(fd, magic, 8,
								  0);
	if (error && error != -ENODATA)
		return why_set(why, error, "%s: %s", what, strerror(-error));
	*ret_elf = magic[0] != '#';
	if (memcmp(magic, "\177ELF", 4) == 0)
		return hashelf_read(fd, what, ret, why);
	if (!memcmp(magic, CAPTURE_MAGIC, 8))
		return read_capture(path, ret, why);
	if (magic[0] == '#')
		return read_list(fd, what, ret, why);
	return why_set(why, -EBADMSG,
		       "%s: neither an ELF file nor a digest list nor a "
		       "capture",
		       what);
}

int cmd_hash_open(const char *path, mode_t *ret_type, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st = { 0 };
	int error = fd < 0 || fstat(fd, &st) ? -errno : 0;
	char shown[256];

	text_escape_str(path, shown, sizeof(shown));
	if (!error && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		error = -EINVAL;
	if (error && fd >= 0)
		close(fd);
	if (error)
		return why_set(why, error, "%s: %s", shown,
			       error == -EINVAL ? "not a regular file"
						: strerror(-error));
	*ret_type = st.st_mode & S_IFMT;
	return fd;
}

static int read_file(const struct cmd_hash_job *j, struct cmd_hash_input *in)
{
	char what[256];
	mode_t type = 0;
	int error, fd = cmd_hash_open(in->path, &type, &in->why);

	if (fd < 0)
		return fd;
	text_escape_str(in->path, what, sizeof(what));
	if (type == S_IFDIR)
		error = cmd_hash_usage(&in->why, in->path,
			      "is a directory; give its files");
	else
		error = cmd_hash_pages(fd, in->path, &in->elf, &in->list,
				   &in->why);
	if (!error && in->elf)
		error = describe(j, in, what);
	if (!error && in->elf)
		error = hashelf_sha256(fd, in->list.sha256)
				? why_set(&in->why, -EIO, "%s: can not be read",
					  what)
				: 0;
	close(fd);
	return error;
}

static int read_process(const struct cmd_hash_job *j, struct cmd_hash_input *in)
{
	struct proc p = { .dir = -1 };
	int procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = procfs < 0 ? -errno : proc_open(procfs, in->pid, &p);
	char what[4 * PROC_COMM];

	if (error)
		why_set(&in->why, error, "process %d: %s", in->pid,
			strerror(-error));
	else
		error = procpages_read(&p, &in->list, &in->why);
	in->elf = true;
	if (!error)
		error = describe(j, in, text_escape_str(p.comm, what,
							sizeof(what)));
	proc_close(&p);
	if (procfs >= 0)
		close(procfs);
	return error;
}

/* ---- all of them ----------------------------------------------------- */

static struct cmd_hash_input *add_input(struct cmd_hash_job *j)
{
	void *inputs = j->inputs;

	if (hashutil_room(&inputs, &j->cap_inputs, j->n_inputs, CMD_HASH_INPUTS_MAX,
			  sizeof(*j->inputs)))
		return NULL;
	j->inputs = inputs;
	j->inputs[j->n_inputs] = (struct cmd_hash_input){ 0 };
	return &j->inputs[j->n_inputs++];
}

static char *copy_of(const char *s)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		hashutil_out_of_memory();
	return copy;
}

/* "path<TAB>family<TAB>version<TAB>name" */
static int take_line(struct cmd_hash_job *j, char *line, const char *what, size_t n)
{
	char *path = strsep(&line, "\t"), *family = strsep(&line, "\t");
	char *version = strsep(&line, "\t"), *name = strsep(&line, "\t");
	struct cmd_hash_input *in;

	if (!*path || *path == '#')
		return 0;
	if (!family || line)
		return why_set(&j->why, -EBADMSG,
			       "%s:%zu: is no 'path<TAB>family<TAB>version"
			       "<TAB>name' line",
			       what, n);
	in = add_input(j);
	if (!in)
		return why_set(&j->why, -E2BIG, "%s:%zu: is one input too many",
			       what, n);
	in->path = copy_of(path);
	in->family = copy_of(family);
	in->version = copy_of(version);
	in->name = copy_of(name);
	return 0;
}

static int take_list(struct cmd_hash_job *j, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, what[256];
	size_t room = 0, n = 0;
	int error = 0;

	text_escape_str(path, what, sizeof(what));
	if (!f)
		return why_set(&j->why, -errno, "%s: %s", what,
			       strerror(errno));
	while (!error && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		error = take_line(j, line, what, ++n);
	}
	if (!error && ferror(f))
		error = why_set(&j->why, -EIO, "%s: can not be read", what);
	free(line);
	fclose(f);
	return error;
}

int cmd_hash_take_inputs(struct cmd_hash_job *j)
{
	const char *list = j->args.value[CMD_HASH_LIST];
	const char *pid = j->args.value[CMD_HASH_PID];
	int error = list ? take_list(j, list) : 0;
	struct cmd_hash_input *in;

	for (size_t i = 0; i < j->args.n_inputs && !error; i++) {
		in = add_input(j);
		if (!in)
			return cmd_hash_usage(&j->why, j->args.inputs[i],
				     "is one input too many");
		in->path = copy_of(j->args.inputs[i]);
	}
	if (error || !pid)
		return error;
	in = add_input(j);
	if (!in || !(in->pid = proc_parse_pid(pid)))
		return cmd_hash_usage(&j->why, pid, "is no process id");
	return 0;
}

/* In any thread. */
static void read_input(void *user, int fd, size_t number, const char *what)
{
	struct cmd_hash_job *j = user;
	struct cmd_hash_input *in = &j->inputs[number];

	(void)fd;
	(void)what;
	in->error = in->path ? read_file(j, in) : read_process(j, in);
	pthread_mutex_lock(&j->lock);
	j->progress.done++;
	j->progress.done_bytes++;
	show_progress(&j->progress);
	pthread_mutex_unlock(&j->lock);
}

/* Reads all; the first error in their order is the error. */
int cmd_hash_read_inputs(struct cmd_hash_job *j)
{
	struct hashqueue *q = hashqueue_new(read_input, j);

	j->progress.done = 0;
	j->progress.all = j->progress.all_bytes = j->n_inputs;
	for (size_t i = 0; i < j->n_inputs; i++)
		hashqueue_put(q, -1, i, "");
	hashqueue_end(q);
	for (size_t i = 0; i < j->n_inputs; i++)
		if (j->inputs[i].error) {
			j->why = j->inputs[i].why;
			return j->inputs[i].error;
		}
	return 0;
}

void cmd_hash_free_inputs(struct cmd_hash_job *j)
{
	for (size_t i = 0; i < j->n_inputs; i++) {
		struct cmd_hash_input *in = &j->inputs[i];

		digestlist_free(&in->list);
		free(in->path);
		free(in->family);
		free(in->version);
		free(in->name);
	}
	free(j->inputs);
}
