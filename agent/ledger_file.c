/* ledger_file.c - one line a change: "DIGEST JSON".
 *
 * The last line of an id counts, a torn or damaged one is skipped, and the
 * file is written anew (temporary file, rename) when most of it is past.  It
 * is root's own file: its JSON is read back by the privileged program, which
 * reads no other. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ledger_own.h"
#include "report_json.h"
#include "sha256.h"

#define DIGEST	  16 /* hex digits before each line */
#define LINE_MOST (2 * LEDGER_FINDING + 4096)
#define SLACK	  (4u << 20) /* past lines that are kept */

/* ---- lines ----------------------------------------------------------- */

static void digest(const char *text, size_t len, char ret[static 65])
{
	struct sha256 s;
	uint8_t d[32];

	sha256_begin(&s);
	sha256_add(&s, text, len);
	sha256_end(&s, d);
	sha256_hex(d, ret);
}

static void add_int(json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_int64((int64_t)n));
}

static void add_text(json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

/* The line of @e; the caller frees it. */
static char *line_of(const struct ledger_entry *e, bool gone)
{
	json_object *o = json_object_new_object();
	const char *text;
	char hex[65], *line = NULL;

	add_text(o, "id", e->id);
	if (!gone) {
		add_text(o, "boot", e->boot);
		add_text(o, "exe", e->exe);
		add_int(o, "category", e->category);
		add_int(o, "severity", e->severity);
		add_int(o, "pid", (uint64_t)e->pid);
		add_int(o, "start", e->start_ticks);
		add_int(o, "refreshed", e->refreshed_ns);
		add_int(o, "seen", e->seen_ns);
		add_int(o, "clean", e->clean);
		add_int(o, "pending", e->pending);
		add_text(o, "finding", e->finding);
	}
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	if (text) {
		digest(text, strlen(text), hex);
		if (asprintf(&line, "%.*s %s\n", DIGEST, hex, text) < 0)
			line = NULL;
	}
	json_object_put(o);
	return line;
}

static int64_t int_of(json_object *o, const char *key, int64_t most)
{
	json_object *v = NULL;
	int64_t n = json_object_object_get_ex(o, key, &v)
			    ? json_object_get_int64(v)
			    : -1;

	return n < 0 || n > most ? -1 : n;
}

static const char *text_of(json_object *o, const char *key, size_t cap)
{
	json_object *v = NULL;
	const char *s = json_object_object_get_ex(o, key, &v) &&
					json_object_is_type(v, json_type_string)
				? json_object_get_string(v)
				: NULL;

	return s && strlen(s) < cap ? s : NULL;
}

static struct ledger_entry *slot(struct ledger *l, const char *id)
{
	struct ledger_entry *empty = NULL;

	for (size_t i = 0; i < LEDGER_MAX; i++) {
		if (!strcmp(l->entries[i].id, id))
			return &l->entries[i];
		if (!l->entries[i].id[0] && !empty)
			empty = &l->entries[i];
	}
	return empty;
}

/* What can not be read now could not be told later, either. */
static bool is_finding(const char *text)
{
	json_object *o = report_json_parse(text, strlen(text));

	json_object_put(o);
	return o;
}

static bool is_id(const char *s)
{
	return s && strlen(s) == SPOOL_ID &&
	       strspn(s, "0123456789abcdef") == SPOOL_ID;
}

static void take(struct ledger *l, json_object *o)
{
	const char *id = text_of(o, "id", SPOOL_ID + 1);
	const char *boot = text_of(o, "boot", LEDGER_BOOT);
	const char *exe = text_of(o, "exe", LEDGER_EXE);
	const char *finding = text_of(o, "finding", LEDGER_FINDING + 1);
	int64_t category = int_of(o, "category", CATEGORIES - 1);
	int64_t severity = int_of(o, "severity", SEVERITY_HIGH);
	int64_t clean = int_of(o, "clean", 2);
	struct ledger_entry *e = is_id(id) ? slot(l, id) : NULL;

	if (!e)
		return;
	free(e->finding);
	memset(e, 0, sizeof(*e));
	if (!boot || !exe || !finding || category < 0 || severity < 0 ||
	    !is_finding(finding))
		return; /* it is gone */
	snprintf(e->id, sizeof(e->id), "%s", id);
	snprintf(e->boot, sizeof(e->boot), "%s", boot);
	snprintf(e->exe, sizeof(e->exe), "%s", exe);
	e->category = (enum category)category;
	e->severity = (enum severity)severity;
	e->pid = (pid_t)int_of(o, "pid", INT32_MAX);
	e->start_ticks = (uint64_t)int_of(o, "start", INT64_MAX);
	e->refreshed_ns = (uint64_t)int_of(o, "refreshed", INT64_MAX);
	e->seen_ns = (uint64_t)int_of(o, "seen", INT64_MAX);
	e->clean = clean < 0 ? 0 : (unsigned)clean;
	e->pending = int_of(o, "pending", 1) > 0;
	e->ended = strcmp(boot, l->boot) != 0;
	e->finding = strdup(finding);
	if (!e->finding)
		memset(e, 0, sizeof(*e));
}

static void read_line(struct ledger *l, const char *line, size_t len)
{
	json_object *o;
	char hex[65];

	if (len < DIGEST + 2 || line[DIGEST] != ' ')
		return;
	digest(line + DIGEST + 1, len - DIGEST - 1, hex);
	if (memcmp(hex, line, DIGEST))
		return;
	o = report_json_parse(line + DIGEST + 1, len - DIGEST - 1);
	if (o)
		take(l, o);
	json_object_put(o);
}

/* ---- the file -------------------------------------------------------- */

static int read_all(struct ledger *l)
{
	FILE *f = fdopen(dup(l->file), "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (!f)
		return -errno;
	rewind(f);
	while ((n = getline(&line, &cap, f)) > 0)
		if (line[n - 1] == '\n' && n <= (ssize_t)LINE_MOST) {
			line[n - 1] = 0;
			read_line(l, line, (size_t)n - 1);
		}
	free(line);
	fclose(f);
	return 0;
}

static int append(int fd, const char *line)
{
	size_t len = strlen(line);
	ssize_t n = write(fd, line, len);

	if (n == (ssize_t)len)
		return 0;
	return n < 0 ? -errno : -ENOSPC;
}

/* What root writes in the folder of the service's user stays that user's. */
static void hand_over(struct ledger *l, int fd)
{
	struct stat st;

	if (geteuid() == 0 && fstat(l->dir, &st) == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

static int open_new(struct ledger *l)
{
	int fd;

	unlinkat(l->dir, "findings.new", 0);
	fd = openat(l->dir, "findings.new",
		    O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC |
			    O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return -errno;
	hand_over(l, fd);
	return fd;
}

/* Only what is open, in a new file under the old name. */
static int write_anew(struct ledger *l)
{
	uint64_t bytes = 0;
	char *line;
	int fd, err = 0;

	fd = open_new(l);
	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB))
		err = -errno;
	for (size_t i = 0; i < LEDGER_MAX && !err; i++) {
		if (!l->entries[i].id[0])
			continue;
		line = line_of(&l->entries[i], false);
		err = line ? append(fd, line) : -ENOMEM;
		bytes += line ? strlen(line) : 0;
		free(line);
	}
	if (!err && fsync(fd))
		err = -errno;
	if (!err && renameat(l->dir, "findings.new", l->dir, "findings"))
		err = -errno;
	if (!err && fsync(l->dir))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	if (l->file >= 0)
		close(l->file);
	l->file = fd;
	l->file_bytes = l->live_bytes = bytes;
	return 0;
}

int ledger_file_add(struct ledger *l, const struct ledger_entry *e, bool gone)
{
	char *line = line_of(e, gone);
	struct stat st;
	int err;

	if (!line)
		return -ENOMEM;
	if (fstat(l->file, &st)) {
		err = -errno;
	} else {
		err = append(l->file, line);
		if (err) /* no half lines */
			(void)!ftruncate(l->file, st.st_size);
		else if (fdatasync(l->file))
			err = -errno;
	}
	if (!err)
		l->file_bytes += strlen(line);
	free(line);
	if (!err && l->file_bytes > 2 * l->live_bytes + SLACK)
		err = write_anew(l);
	return err;
}

int ledger_file_open(struct ledger *l, const char *directory, struct why *why)
{
	struct stat st = { 0 };
	int err = 0;

	if (mkdir(directory, 0700) && errno != EEXIST)
		err = -errno;
	if (!err) {
		l->dir = open(directory,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = l->dir < 0 || fstat(l->dir, &st) ? -errno : 0;
	}
	if (err)
		return why_set(why, err, "state folder %s: %s", directory,
			       strerror(-err));
	if ((st.st_uid && geteuid() && st.st_uid != geteuid()) ||
	    st.st_mode & (S_IWGRP | S_IWOTH))
		return why_set(why, -EPERM,
			       "state folder %s: must belong to root or to "
			       "this user alone: chown root %s; chmod go-w %s",
			       directory, directory, directory);
	l->file = openat(l->dir, "findings",
			 O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
			 0600);
	if (l->file < 0 && errno == EACCES)
		return why_set(why, -EACCES,
			       "%s/findings: it is the installed service's, "
			       "which reports itself (davylamp status); scan "
			       "without --report",
			       directory);
	if (l->file < 0)
		return why_set(why, -errno, "%s/findings: %s", directory,
			       strerror(errno));
	hand_over(l, l->file);
	if (flock(l->file, LOCK_EX | LOCK_NB))
		return why_set(why, -EBUSY,
			       "%s/findings: another davylamp has it (the "
			       "service runs: systemctl stop davylamp)",
			       directory);
	err = read_all(l);
	if (!err)
		err = write_anew(l);
	return err ? why_set(why, err, "%s/findings: %s", directory,
			     strerror(-err))
		   : 0;
}
