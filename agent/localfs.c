/* localfs.c - which file systems this kernel answers for by itself. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "localfs.h"

/* Numbers of no device that is asked for: of a block device nobody asks. */
#define SERVED	0xffe00000U
#define OVERLAY 0xfff00000U /* and its minor */

/* By a program (fuse, fuse.sshfs, fuseblk; not fusectl), by another machine. */
static bool is_served(const char *type)
{
	static const char *const others[] = { "nfs",  "nfs4",	  "cifs",
					      "smb3", "9p",	  "ceph",
					      "afs",  "lustre",	  "virtiofs",
					      "coda", "orangefs", "beegfs",
					      "gpfs" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(type, others[i]))
			return true;
	return !strncmp(type, "fuse", 4) && strcmp(type, "fusectl") != 0;
}

uint32_t localfs_number(const struct mount *m)
{
	if (is_served(m->type))
		return SERVED;
	return strcmp(m->type, "overlay") ? m->dev : OVERLAY | m->dev;
}

/* What they have in common is the device of the kernel's own mount of it. */
static uint32_t find_shm(void)
{
	int fd = memfd_create("davylamp", MFD_CLOEXEC);
	struct stat st;
	uint32_t dev = 0;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0)
		dev = major(st.st_dev) << 20 | minor(st.st_dev);
	close(fd);
	return dev;
}

void localfs_open(struct localfs *l)
{
	mounts_open(&l->mounts, AT_FDCWD, "/proc/self/mountinfo",
		    localfs_number);
	l->shm = find_shm();
}

void localfs_close(struct localfs *l)
{
	mounts_close(&l->mounts);
}

void localfs_refresh(struct localfs *l)
{
	mounts_refresh(&l->mounts);
}

bool localfs_has(const struct localfs *l, uint32_t dev)
{
	return dev >> 20 || dev == l->shm || mounts_has(&l->mounts, dev) ||
	       (mounts_has(&l->mounts, OVERLAY | dev) &&
		!mounts_has(&l->mounts, SERVED));
}
