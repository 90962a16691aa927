/* keyset.c - what was seen of things that have a key of 64 bits.
 *
 * A slot is a key without its lowest two bits, and the state in their place.
 * Eight slots, a cache line, are a bucket: a new key takes an empty slot or
 * that of another key, whose turn the key itself decides. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <xxhash.h>
#include "keyset.h"

#define WAYS  8
#define STATE 3ULL

struct keyset {
	uint64_t *slots;
	uint64_t n;
	uint8_t secret[XXH3_SECRET_SIZE_MIN];
};

int keyset_new(unsigned log2, struct keyset **ret)
{
	struct keyset *s = calloc(1, sizeof(*s));
	void *p;

	if (!s)
		return -ENOMEM;
	s->n = 1ULL << log2;
	p = mmap(NULL, s->n * 8, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		free(s);
		return -ENOMEM;
	}
	s->slots = p;
	if (getrandom(s->secret, sizeof(s->secret), 0) !=
	    (ssize_t)sizeof(s->secret)) {
		keyset_free(s);
		return -EIO;
	}
	*ret = s;
	return 0;
}

void keyset_free(struct keyset *s)
{
	if (!s)
		return;
	munmap(s->slots, s->n * 8);
	free(s);
}

void keyset_reset(struct keyset *s)
{
	madvise(s->slots, s->n * 8, MADV_DONTNEED);
}

uint64_t keyset_key(const struct keyset *s, const uint64_t *numbers, unsigned n)
{
	return XXH3_64bits_withSecret(numbers, n * sizeof(*numbers), s->secret,
				      sizeof(s->secret));
}

static uint64_t *bucket_of(const struct keyset *s, uint64_t key)
{
	return s->slots + (key >> 8) % (s->n / WAYS) * WAYS;
}

unsigned keyset_get(const struct keyset *s, uint64_t key)
{
	const uint64_t *b = bucket_of(s, key);

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t slot = __atomic_load_n(&b[i], __ATOMIC_RELAXED);

		if (slot && (slot ^ key) <= STATE)
			return slot & STATE;
	}
	return 0;
}

/* Its own slot, else an empty one, else the one whose turn it is. */
static uint64_t *slot_for(uint64_t *b, uint64_t key)
{
	uint64_t *empty = NULL;

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t slot = __atomic_load_n(&b[i], __ATOMIC_RELAXED);

		if (slot && (slot ^ key) <= STATE)
			return &b[i];
		if (!slot && !empty)
			empty = &b[i];
	}
	return empty ? empty : &b[key >> 2 & (WAYS - 1)];
}

void keyset_raise(struct keyset *s, uint64_t key, unsigned state)
{
	uint64_t *slot = slot_for(bucket_of(s, key), key);
	uint64_t now, was = __atomic_load_n(slot, __ATOMIC_RELAXED);

	do {
		if (was && (was ^ key) <= STATE && (was & STATE) >= state)
			return;
		now = (key & ~STATE) | state;
	} while (!__atomic_compare_exchange_n(slot, &was, now, true,
					      __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
}
