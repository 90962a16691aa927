/* exefile.h - the file a process runs, without trusting who serves it. */
#ifndef EXEFILE_H
#define EXEFILE_H

#include <stdbool.h>
#include <stdint.h>
#include "flow.h"

#define EXEFILE_HASH_MAX (32u << 20) /* a usual @hash_max */
#define EXEFILE_ID	 128

struct exefile {
	uint64_t size;
	uint64_t hashed;     /* bytes that went into @sha256 */
	char sha256[65];     /* "": its file system may make us wait for ever
			      * (FUSE, NFS) or is not known */
	char id[EXEFILE_ID]; /* device, inode, size and last change: tells
			      * executables apart, whatever their names */
};

/* Looks at the executable of @p; never waits for a file system that a program
 * or another machine serves.  Fills @sha256 from the first @hash_max bytes,
 * 0: not at all.  0 or -errno. */
int exefile_read(const struct proc *p, uint64_t hash_max, struct exefile *ret);

/* The same of what @p ran when exefile_open() opened it: an O_PATH descriptor
 * for the caller to close, or -errno. */
int exefile_open(const struct proc *p);
int exefile_read_open(const struct proc *p, int fd, uint64_t hash_max,
		      struct exefile *ret);

/* Has it no name any more, as far as is known without asking who serves it? */
bool exefile_is_nameless(const struct proc *p);

/* Is the file of @fd, from exefile_open(), on a file system that this kernel
 * alone keeps?  Else whoever serves it says what its @id is. */
bool exefile_is_kept(const struct proc *p, int fd);

#endif
