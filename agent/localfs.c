/* localfs.c - which file systems this kernel answers for by itself. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "fstype.h"
#include "localfs.h"

/* Above a device's number, in this order. */
#define OVERLAY (1ULL << 32)
#define SERVED	(2ULL << 32)

uint64_t localfs_number(const struct mount *m)
{
	switch (fstype_served(m->type)) {
	case FSTYPE_BY_KERNEL:
		return m->dev;
	case FSTYPE_BY_OVERLAY:
		return OVERLAY | m->dev;
	default:
		return SERVED | m->dev;
	}
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

static bool any_is_served(const struct mounts *m)
{
	return m->n && m->numbers[m->n - 1] >= SERVED;
}

/* A program may serve a block device's files, too (fuseblk). */
bool localfs_has(const struct localfs *l, uint32_t dev)
{
	if (mounts_has(&l->mounts, SERVED | dev))
		return false;
	if (mounts_has(&l->mounts, OVERLAY | dev))
		return !any_is_served(&l->mounts);
	return dev >> 20 || dev == l->shm || mounts_has(&l->mounts, dev);
}
