/* frames.c - which physical frames were looked at in this pass. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "frames.h"

/* 2^33 frames of 4 KiB are 32 TiB, 2 GiB of bits reserved.  Frames beyond are
 * not kept count of: they are never skipped. */
#define FRAMES_MAX (1ULL << 33)
#define BYTES	   (FRAMES_MAX / 4)

struct frames {
	uint8_t *bits; /* two a frame: seen, found */
};

int frames_new(struct frames **ret)
{
	struct frames *f = malloc(sizeof(*f));
	void *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!f || p == MAP_FAILED) {
		free(f);
		return -ENOMEM;
	}
	f->bits = p;
	*ret = f;
	return 0;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	munmap(f->bits, BYTES);
	free(f);
}

void frames_reset(struct frames *f)
{
	madvise(f->bits, BYTES, MADV_DONTNEED);
}

bool frames_skip(struct frames *f, uint64_t pfn)
{
	unsigned shift = pfn % 4 * 2, was;

	if (pfn >= FRAMES_MAX)
		return false;
	was = __atomic_fetch_or(&f->bits[pfn / 4],
				(uint8_t)(1U << shift), __ATOMIC_RELAXED);
	return (was >> shift & 3) == 1;
}

void frames_remember(struct frames *f, uint64_t pfn)
{
	if (pfn < FRAMES_MAX)
		__atomic_fetch_or(&f->bits[pfn / 4],
				  (uint8_t)(2U << pfn % 4 * 2),
				  __ATOMIC_RELAXED);
}
