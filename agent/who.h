/* who.h - what people need to know of a process in a finding. */
#ifndef WHO_H
#define WHO_H

#include "flow.h"

#define WHO_ARGS_BYTES 4096 /* of the command line; more is cut and said */

/* All of it hostile and unescaped but for the container's fields. */
struct who {
	char user[64];		/* name, or the number */
	char exe[4096];		/* /proc/PID/exe's link, "" if unknown */
	bool exe_deleted;
	char args[WHO_ARGS_BYTES]; /* NUL after each */
	size_t args_len;
	bool args_truncated;
	char runtime[16];	/* "docker", "containerd", ..., "" if none */
	char container[65];	/* its id, hexadecimal */
	char unit[128];		/* systemd unit, "" if none */
	struct peers peers;	/* its connections now; peers_add() and
				   peers_name() for what events told */
};

/* Never fails: what can not be read stays empty. */
void who_read(const struct proc *, struct who *ret);

/* The container and unit that a line of proc_pid_cgroup(5) names. */
void who_parse_cgroup(const char *text, struct who *ret);

/* Does @text (proc_pid_cgroup(5)) put its process into the system's unit or
 * slice @unit?  What the system's manager made counts: elements from the root
 * of the hierarchy down to the first service or scope; below that, users and
 * containers name cgroups as they like. */
bool who_in_unit(const char *text, const char *unit);

#endif
