/* localfs.h - which file systems this kernel answers for by itself.
 *
 * Behind a FUSE mount stands a program, and any user may be its author: it can
 * take back a page of a file at any moment and not give it again.  Of what is
 * mounted where we can not see it (in another mount namespace, or detached)
 * nobody knows. */
#ifndef LOCALFS_H
#define LOCALFS_H

#include "mounts.h"

struct localfs {
	struct mounts mounts; /* their devices */
	uint32_t shm; /* memfd, shared and System V memory; 0: unknown */
};

void localfs_open(struct localfs *);
void localfs_close(struct localfs *);

/* Looks again, if anything was mounted since. */
void localfs_refresh(struct localfs *);

/* Is device @dev served by this kernel?  All block devices are. */
bool localfs_has(const struct localfs *, uint32_t dev);

/* The device of a mount, if it is no program's; else 0. */
uint32_t localfs_dev(const struct mount *);

#endif
