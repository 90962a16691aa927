/* views_mounts.h - what is mounted over directories of processes. */
#ifndef VIEWS_MOUNTS_H
#define VIEWS_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct views_mounts {
	int fd;	     /* of mountinfo, -1: none */
	pid_t *pids; /* ascending, each once */
	size_t n, room;
	bool read; /* once, at least */
};

/* Reads <procfs>/self/mountinfo; where it can not be read nothing is found. */
void views_mounts_open(struct views_mounts *, int procfs);
void views_mounts_close(struct views_mounts *);

/* Looks again, if anything was mounted since. */
void views_mounts_refresh(struct views_mounts *);

/* Is something mounted over /proc/@pid, or over a file in it? */
bool views_mounts_cover(const struct views_mounts *, pid_t pid);

/* The process whose directory a line of proc_pid_mountinfo(5) covers, or 0. */
pid_t views_mounts_parse(const char *line);

#endif
