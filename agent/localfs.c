/* localfs.c - which file systems this kernel answers for by itself. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "localfs.h"

uint32_t localfs_dev(const struct mount *m)
{
	bool program =
		!strncmp(m->type, "fuse", 4) && strcmp(m->type, "fusectl") != 0;

	return program ? 0 : m->dev;
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
	mounts_open(&l->mounts, AT_FDCWD, "/proc/self/mountinfo", localfs_dev);
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
	return dev >> 20 || dev == l->shm || mounts_has(&l->mounts, dev);
}
