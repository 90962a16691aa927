/* localfs.h - which file systems this kernel answers for by itself.
 *
 * Behind a FUSE mount stands a program, and any user may be its author: it can
 * take back a page of a file at any moment and not give it again.  Behind NFS
 * and its like stands another machine, which may be gone.  What lies below an
 * overlay is not said: where anything of these is mounted, it may be that.  Of
 * what is mounted where we can not see it (in another mount namespace, or
 * detached) nobody knows. */
#ifndef LOCALFS_H
#define LOCALFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct localfs {
	int fd;		/* of our mountinfo, -1: none */
	uint32_t *devs; /* major << 20 | minor, as struct region has it */
	size_t n, room;
	bool served;  /* something is, by others */
	uint32_t shm; /* memfd, shared and System V memory; 0: unknown */
	bool read;    /* once, at least */
};

void localfs_open(struct localfs *);
void localfs_close(struct localfs *);

/* Looks again, if anything was mounted since. */
void localfs_refresh(struct localfs *);

/* Is device @dev served by this kernel?  All block devices are. */
bool localfs_has(const struct localfs *, uint32_t dev);

enum localfs_kind {
	LOCALFS_NONE,
	LOCALFS_SERVED,
	LOCALFS_OVERLAY,
	LOCALFS_OWN
};

/* What a line of proc_pid_mountinfo(5) says; LOCALFS_NONE: nothing.  Of the
 * last two its device, too. */
enum localfs_kind localfs_parse(const char *line, uint32_t *ret_dev);

#endif
