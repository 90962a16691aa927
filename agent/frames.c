/* frames.c - which physical frames were looked at in this pass. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "frames.h"
#include "keyset.h"
#include "lazymem.h"
#include "mounts.h"

/* 2^33 frames of 4 KiB are 32 TiB, 2 GiB of bits reserved.  Frames beyond are
 * not kept count of: they are never skipped. */
#define FRAMES_MAX (1ULL << 33)
#define BYTES	   (FRAMES_MAX / 4)

/* A frame's state only ever goes up: 0, or as what it was seen. */
#define SEEN(content) ((unsigned)(content) + 1)

/* Numbers that frames_of_file() made have this bit. */
#define OF_FILE (1ULL << 63)

/* File pages kept count of: 2 GiB of them, in 2 MiB of memory at most. */
#define FILE_PAGES_LOG2 19

struct frames {
	uint8_t *bits; /* two a frame */
	uint64_t end;  /* of what was written of them, in bytes */
	struct keyset *files;
	struct mounts mounts; /* sound_dev() of each */
};

/* What (device, inode) is one file on; a device that is mounted where we can
 * not see it is not known. */
static uint64_t sound_dev(const struct mount *m)
{
	static const char *const sound[] = { "ext2",	 "ext3", "ext4",
					     "xfs",	 "f2fs", "tmpfs",
					     "squashfs", "erofs" };

	for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++)
		if (!strcmp(m->type, sound[i]))
			return m->dev;
	return 0;
}

int frames_new(struct frames **ret)
{
	struct frames *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	mounts_open(&f->mounts, AT_FDCWD, "/proc/self/mountinfo", sound_dev);
	f->bits = lazymem_new(BYTES);
	if (!f->bits || keyset_new(FILE_PAGES_LOG2, &f->files)) {
		frames_free(f);
		return -ENOMEM;
	}
	mounts_refresh(&f->mounts);
	*ret = f;
	return 0;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	mounts_close(&f->mounts);
	lazymem_free(f->bits, BYTES);
	keyset_free(f->files);
	free(f);
}

void frames_take(struct frames *f)
{
	long pages = sysconf(_SC_PHYS_PAGES); /* and a hole or two */
	uint64_t bytes = pages > 0 ? (uint64_t)pages / 4 : 0;

	lazymem_take(f->bits, bytes < BYTES ? bytes : BYTES);
}

void frames_reset(struct frames *f)
{
	lazymem_clear(f->bits, __atomic_load_n(&f->end, __ATOMIC_RELAXED));
	keyset_reset(f->files);
	mounts_refresh(&f->mounts);
}

uint64_t frames_of_file(const struct frames *f, uint32_t dev, uint64_t inode,
			uint64_t offset)
{
	const uint64_t numbers[] = { dev, inode, offset };

	if (!inode || !mounts_has(&f->mounts, dev))
		return 0;
	return keyset_key(f->files, numbers, 3) | OF_FILE;
}

static unsigned state_of(const struct frames *f, uint64_t pfn)
{
	if (pfn & OF_FILE)
		return keyset_get(f->files, pfn);
	if (pfn >= FRAMES_MAX)
		return 0;
	return __atomic_load_n(&f->bits[pfn / 4], __ATOMIC_RELAXED) >>
		       pfn % 4 * 2 &
	       3;
}

bool frames_clean(const struct frames *f, uint64_t pfn, enum content content)
{
	return state_of(f, pfn) >= SEEN(content);
}

static void reach(struct frames *f, uint64_t end)
{
	uint64_t was = __atomic_load_n(&f->end, __ATOMIC_RELAXED);

	while (was < end &&
	       !__atomic_compare_exchange_n(&f->end, &was, end, true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

void frames_mark(struct frames *f, uint64_t pfn, enum content content)
{
	unsigned to = SEEN(content);
	unsigned shift = pfn % 4 * 2;
	uint8_t *byte, was, now;

	if (pfn & OF_FILE)
		keyset_raise(f->files, pfn, to);
	if (pfn >= FRAMES_MAX)
		return;
	reach(f, pfn / 4 + 1);
	byte = &f->bits[pfn / 4];
	was = __atomic_load_n(byte, __ATOMIC_RELAXED);
	do {
		if ((was >> shift & 3) >= to)
			return;
		now = (uint8_t)((was & ~(3U << shift)) | to << shift);
	} while (!__atomic_compare_exchange_n(
		byte, &was, now, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}
