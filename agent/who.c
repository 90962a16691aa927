/* who.c - what people need to know of a process in a finding. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "exefile.h"
#include "io.h"
#include "peers.h"
#include "proc.h"
#include "who.h"

#define PATH_SHOWN 2047 /* of a cgroup's */

/* By /etc/passwd alone: getpwuid(3) would load the host's NSS modules and talk
 * to daemons, from a program with root's rights. */
static void read_user(uid_t uid, char *ret, size_t cap)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd entry, *found = NULL;
	char buf[4096];

	snprintf(ret, cap, "%u", uid);
	while (f && fgetpwent_r(f, &entry, buf, sizeof(buf), &found) == 0)
		if (found->pw_uid == uid) {
			snprintf(ret, cap, "%s", found->pw_name);
			break;
		}
	if (f)
		fclose(f);
}

static bool has_no_name(const struct proc *p)
{
	char text[80];
	unsigned links = 1;

	if (!p->saved)
		return exefile_is_nameless(p);
	return proc_read(p, CAPTURE_TIMES, text, sizeof(text)) > 0 &&
	       sscanf(text, "%*u %*u %u", &links) == 1 && !links;
}

/* The kernel appends " (deleted)" to the link; a file can be called so, too,
 * so the link count of what the link leads to decides. */
static void read_exe(const struct proc *p, struct who *ret)
{
	static const char mark[] = " (deleted)";
	ssize_t n = p->saved ? proc_read(p, CAPTURE_EXE, ret->exe,
					 sizeof(ret->exe))
			     : io_link_at(p->dir, "exe", ret->exe,
					  sizeof(ret->exe));

	if (n < 0) {
		ret->exe[0] = '\0';
		return;
	}
	ret->exe_deleted = has_no_name(p);
	if (ret->exe_deleted && (size_t)n > sizeof(mark) - 1 &&
	    !strcmp(ret->exe + n - (sizeof(mark) - 1), mark))
		ret->exe[n - (ssize_t)(sizeof(mark) - 1)] = '\0';
	/* mm/memfd.c names them so; none has another name. */
	ret->exe_memfd = ret->exe_deleted && !strncmp(ret->exe, "/memfd:", 7);
}

static void read_args(const struct proc *p, struct who *ret)
{
	char text[sizeof(ret->args) + 2]; /* one more, and a NUL */
	ssize_t n = proc_read(p, CAPTURE_CMDLINE, text, sizeof(text));

	if (n <= 0)
		return;
	ret->args_truncated = (size_t)n > sizeof(ret->args);
	ret->args_len = ret->args_truncated ? sizeof(ret->args) : (size_t)n;
	memcpy(ret->args, text, ret->args_len);
}

/* The last path element that ends in .service or .scope. */
static void find_unit(const char *path, size_t len, struct who *ret)
{
	for (size_t end = len; end;) {
		size_t start = end;

		while (start && path[start - 1] != '/')
			start--;
		if ((end - start > 8 &&
		     !memcmp(path + end - 8, ".service", 8)) ||
		    (end - start > 6 && !memcmp(path + end - 6, ".scope", 6))) {
			snprintf(ret->unit, sizeof(ret->unit), "%.*s",
				 (int)(end - start), path + start);
			return;
		}
		end = start ? start - 1 : 0;
	}
}

void who_parse_cgroup(const char *text, struct who *ret)
{
	container_parse_cgroup(text, &ret->container);
	for (const char *line = text; line && *line && !ret->unit[0];) {
		size_t len = strcspn(line, "\n");

		find_unit(line, len < PATH_SHOWN ? len : PATH_SHOWN, ret);
		line += len + (line[len] == '\n');
	}
}

static bool ends_in(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(s + len - n, end, n);
}

/* From the root down to the first service or scope. */
static bool path_in_unit(const char *s, size_t len, const char *unit)
{
	size_t want = strlen(unit);

	for (const char *end = s + len; s < end;) {
		const char *slash = memchr(s, '/', (size_t)(end - s));
		size_t n = (size_t)((slash ? slash : end) - s);

		if (n && n == want && !memcmp(s, unit, n))
			return true;
		if (ends_in(s, n, ".service") || ends_in(s, n, ".scope"))
			return false;
		s += n + 1;
	}
	return false;
}

/* Lines are "HIERARCHY:CONTROLLERS:/PATH", and no path holds a newline.
 * systemd's own are version 2's and, where there is none, name=systemd. */
bool who_in_unit(const char *text, const char *unit)
{
	static const char *const lists[] = { "::/", ":name=systemd:/" };

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		const char *at = line + strspn(line, "0123456789");

		for (size_t i = 0; i < 2; i++) {
			size_t n = strlen(lists[i]);

			if (!strncmp(at, lists[i], n) &&
			    path_in_unit(at + n,
					 len - (size_t)(at - line) - n, unit))
				return true;
		}
		line += len + (line[len] == '\n');
	}
	return false;
}

/* A parent that began after its child is none: the pid was used again, and
 * the child belongs to whoever adopted it meanwhile. */
static void read_parents(const struct proc *p, struct who *ret)
{
	int procfs = openat(p->own, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t start = p->start_ticks;
	pid_t next = p->ppid;

	while (procfs >= 0 && next > 0 && ret->n_parents < WHO_PARENTS) {
		struct who_parent *to = &ret->parents[ret->n_parents];
		struct proc parent;

		if (proc_open(procfs, next, &parent))
			break;
		if (parent.start_ticks > start) {
			proc_close(&parent);
			break;
		}
		to->pid = next;
		memcpy(to->comm, parent.comm, sizeof(to->comm));
		if (io_link_at(parent.dir, "exe", to->exe, sizeof(to->exe)) < 0)
			to->exe[0] = '\0';
		start = parent.start_ticks;
		next = parent.ppid;
		ret->n_parents++;
		proc_close(&parent);
	}
	if (procfs >= 0)
		close(procfs);
}

/* Transparent ones and hugetlbfs's, as proc_pid_smaps_rollup(5) sums them. */
static void read_huge(const struct proc *p, struct who *ret)
{
	static const char *const names[] = { "\nAnonHugePages:",
					     "\nShmemPmdMapped:",
					     "\nShared_Hugetlb:",
					     "\nPrivate_Hugetlb:" };
	char text[4096];
	unsigned long long kb;

	if (io_read_at(p->dir, "smaps_rollup", text, sizeof(text)) <= 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *at = strstr(text, names[i]);

		if (at && sscanf(at + strlen(names[i]), "%llu kB", &kb) == 1)
			ret->huge_bytes += kb << 10;
	}
}

void who_read(const struct proc *p, struct who *ret)
{
	char text[8192];

	memset(ret, 0, sizeof(*ret));
	read_user(p->uid, ret->user, sizeof(ret->user));
	read_exe(p, ret);
	ret->exe_file = exefile_open(p);
	read_args(p, ret);
	if (proc_read(p, CAPTURE_CGROUP, text, sizeof(text)) > 0)
		who_parse_cgroup(text, ret);
	peers_read(p, &ret->peers);
	container_read("", &ret->container);
	read_parents(p, ret);
	read_huge(p, ret);
}

void who_close(struct who *w)
{
	if (w->exe_file >= 0)
		close(w->exe_file);
	w->exe_file = -1;
}
