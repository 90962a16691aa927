/* frames.c - which physical frames were looked at in this pass. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "frames.h"

/* 2^33 frames of 4 KiB are 32 TiB, 2 GiB of bits reserved.  Frames beyond are
 * not kept count of: they are never skipped. */
#define FRAMES_MAX (1ULL << 33)
#define BYTES	   (FRAMES_MAX / 4)

/* A frame's state only ever goes up. */
enum { UNSEEN, SEEN_PLAIN, SEEN_FULL, FOUND };

struct frames {
	uint8_t *bits; /* two a frame */
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

bool frames_clean(const struct frames *f, uint64_t pfn, bool plain)
{
	unsigned state;

	if (pfn >= FRAMES_MAX)
		return false;
	state = __atomic_load_n(&f->bits[pfn / 4], __ATOMIC_RELAXED) >>
			pfn % 4 * 2 &
		3;
	return state == SEEN_FULL || (plain && state == SEEN_PLAIN);
}

void frames_mark(struct frames *f, uint64_t pfn, bool plain, bool found)
{
	unsigned to = found ? FOUND : plain ? SEEN_PLAIN : SEEN_FULL;
	unsigned shift = pfn % 4 * 2;
	uint8_t *byte, was, now;

	if (pfn >= FRAMES_MAX)
		return;
	byte = &f->bits[pfn / 4];
	was = __atomic_load_n(byte, __ATOMIC_RELAXED);
	do {
		if ((was >> shift & 3) >= to)
			return;
		now = (uint8_t)((was & ~(3U << shift)) | to << shift);
	} while (!__atomic_compare_exchange_n(byte, &was, now, true,
					      __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
}
