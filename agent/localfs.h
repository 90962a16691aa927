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

#include "mounts.h"

struct localfs {
	struct mounts mounts; /* localfs_number() of each */
	uint32_t shm; /* memfd, shared and System V memory; 0: unknown */
};

void localfs_open(struct localfs *);
void localfs_close(struct localfs *);

/* Looks again, if anything was mounted since. */
void localfs_refresh(struct localfs *);

/* Is device @dev served by this kernel?  Block devices are, where nothing else
 * is known of them. */
bool localfs_has(const struct localfs *, uint32_t dev);

/* What is kept of a mount: its device, and above that who serves it. */
uint64_t localfs_number(const struct mount *);

#endif
