/* filecache.c - pages of unchanged files in which nothing was found. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#include "filecache.h"
#include "keyset.h"

#define PAGES_LOG2 20

/* A page's state: 0, or as what it was clean. */
#define CLEAN(content) ((unsigned)(content) + 1)

struct filecache {
	struct keyset *pages;
};

int filecache_new(struct filecache **ret)
{
	struct filecache *c = malloc(sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	err = keyset_new(PAGES_LOG2, &c->pages);
	if (err)
		free(c);
	else
		*ret = c;
	return err;
}

void filecache_take(struct filecache *c)
{
	keyset_take(c->pages);
}

void filecache_free(struct filecache *c)
{
	if (!c)
		return;
	keyset_free(c->pages);
	free(c);
}

/* XFS_SUPER_MAGIC is in the kernel's own headers only (fs/xfs/libxfs). */
#define XFS_MAGIC 0x58465342

static bool keeps_ctime(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	switch ((unsigned long)fs.f_type) {
	case EXT4_SUPER_MAGIC: /* ext2 and ext3 have the same */
	case XFS_MAGIC:
	case F2FS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case SQUASHFS_MAGIC:
		return true;
	default:
		return false;
	}
}

/* Nothing is opened but the way to it: a device or pipe does not notice. */
static int open_file(const struct proc *proc, const struct region *r)
{
	char name[64];

	snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64,
		 r->start, r->end);
	return openat(proc->dir, name, O_PATH | O_CLOEXEC);
}

static bool is_old(const struct stat *st)
{
	struct timespec now;

	return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	       st->st_ctim.tv_sec <= now.tv_sec - FILECACHE_AGE_S;
}

/* Whoever could open it for writing may hold a page of it for ever. */
static bool is_roots(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

uint64_t filecache_file(const struct filecache *c, const struct proc *proc,
			const struct region *r, uint64_t looked_for)
{
	struct stat st;
	uint64_t key = 0;
	int fd;

	if (!r->inode || r->flags & (REGION_ANON | REGION_MEMFD))
		return 0;
	fd = open_file(proc, r);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_roots(&st) &&
	    is_old(&st) && keeps_ctime(fd)) {
		const uint64_t numbers[] = {
			looked_for, st.st_dev, st.st_ino, (uint64_t)st.st_size,
			(uint64_t)st.st_ctim.tv_sec,
			(uint64_t)st.st_ctim.tv_nsec,
		};

		key = keyset_key(c->pages, numbers, 6) | 1;
	}
	close(fd);
	return key;
}

static uint64_t page_key(const struct filecache *c, uint64_t file,
			 uint64_t offset)
{
	const uint64_t numbers[] = { file, offset };

	return keyset_key(c->pages, numbers, 2);
}

bool filecache_clean(const struct filecache *c, uint64_t file, uint64_t offset,
		     enum content content)
{
	return keyset_get(c->pages, page_key(c, file, offset)) >=
	       CLEAN(content);
}

void filecache_mark(struct filecache *c, uint64_t file, uint64_t offset,
		    enum content content)
{
	keyset_raise(c->pages, page_key(c, file, offset), CLEAN(content));
}
