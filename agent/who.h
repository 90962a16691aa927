/* who.h - what people need to know of a process in a finding. */
#ifndef WHO_H
#define WHO_H

#include "container.h"
#include "flow.h"

#define WHO_ARGS_BYTES 4096 /* of the command line; more is cut and said */
#define WHO_PARENTS    8

struct who_parent {
	pid_t pid;
	char comm[PROC_COMM];
	char exe[256]; /* the link as it is, "" if unknown */
};

/* All of it hostile and unescaped but for the container's id. */
struct who {
	char user[64];		/* name, or the number */
	char exe[4096];		/* /proc/PID/exe's link, "" if unknown */
	bool exe_deleted, exe_memfd; /* memfd_create(2)'s is deleted, too */
	int exe_file;		/* O_PATH, of what it runs; or -1 */
	char args[WHO_ARGS_BYTES]; /* NUL after each */
	size_t args_len;
	bool args_truncated;
	struct container container;
	char unit[128];		/* systemd unit, "" if none */
	struct peers peers;	/* its connections now; peers_add() and
				   peers_name() for what events told */
	struct who_parent parents[WHO_PARENTS]; /* the nearest first */
	size_t n_parents;
	uint64_t huge_bytes; /* of its memory in huge pages, of either kind */
};

/* Never fails: what can not be read stays empty.  who_close() is due. */
void who_read(const struct proc *, struct who *ret);

void who_close(struct who *);

/* The container and unit that a line of proc_pid_cgroup(5) names. */
void who_parse_cgroup(const char *text, struct who *ret);

/* Does @text (proc_pid_cgroup(5)) put its process into the system's unit or
 * slice @unit?  What the system's manager made counts: elements from the root
 * of the hierarchy down to the first service or scope; below that, users and
 * containers name cgroups as they like. */
bool who_in_unit(const char *text, const char *unit);

#endif
