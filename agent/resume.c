/* resume.c - which processes were looked at to the end, and when. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io.h"
#include "resume.h"

#define RESUME_MAX (16u << 20) /* bytes of the file */

/* The first line: that this is such a file, of which boot and version. */
static int head(const char *version, char *ret, size_t cap)
{
	char boot[64];
	ssize_t n = io_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id",
			       boot, sizeof(boot));

	if (n < 0)
		return (int)n;
	boot[strcspn(boot, "\n")] = '\0';
	snprintf(ret, cap, "davylamp-resume 1 %s %s\n", boot, version);
	return 0;
}

static int write_all(FILE *f, const char *version, const struct queue *q)
{
	char first[256];
	const struct target *t;
	int err = head(version, first, sizeof(first));

	if (err)
		return err;
	fputs(first, f);
	for (size_t i = 0; (t = queue_target(q, i)); i++)
		if (t->full_ns)
			fprintf(f, "%d %" PRIu64 " %" PRIu64 "\n", t->pid,
				t->start_ticks, t->full_ns);
	return ferror(f) ? -EIO : 0;
}

int resume_save(const char *directory, const char *version,
	      const struct queue *q)
{
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, err;
	struct stat st;
	FILE *f;

	if (dir < 0)
		return -errno;
	unlinkat(dir, "resume.new", 0);
	fd = openat(dir, "resume.new",
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	/* What root leaves in the folder of the service's user is that user's. */
	if (f && geteuid() == 0 && fstat(dir, &st) == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
	err = f ? write_all(f, version, q) : -errno;
	if (f && fclose(f) && !err)
		err = -errno;
	if (!err && renameat(dir, "resume.new", dir, "resume"))
		err = -errno;
	close(dir);
	return err;
}

/* "PID START FULL", of which process when. */
static int take_line(const char *line, uint64_t now, struct queue *q)
{
	uint64_t start, full;
	struct target *t;
	int pid, n = 0;

	if (sscanf(line, "%d %" SCNu64 " %" SCNu64 "%n", &pid, &start, &full,
		   &n) != 3 ||
	    line[n] || full > now)
		return -EBADMSG;
	t = queue_find(q, pid);
	if (t && t->start_ticks == start)
		t->full_ns = full;
	return 0;
}

int resume_parse(char *text, const char *version, struct queue *q)
{
	char first[256], *line = text, *end;
	uint64_t now = io_now_ns();
	int err = head(version, first, sizeof(first));

	if (err)
		return err;
	if (strncmp(text, first, strlen(first)))
		return -ESTALE;
	/* Each line is ended first: sscanf() measures all that follows. */
	for (line += strlen(first); !err && (end = strchr(line, '\n'));
	     line = end + 1) {
		*end = '\0';
		err = take_line(line, now, q);
	}
	return err ?: *line ? -EBADMSG : 0;
}

int resume_load(const char *directory, const char *version, struct queue *q)
{
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	char *text = malloc(RESUME_MAX);
	ssize_t n;

	if (dir < 0 || !text) {
		err = dir < 0 ? -errno : -ENOMEM;
	} else {
		n = io_read_at(dir, "resume", text, RESUME_MAX);
		err = n < 0 ? (int)n : resume_parse(text, version, q);
	}
	if (dir >= 0)
		close(dir);
	free(text);
	return err;
}
