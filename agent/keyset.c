/* keyset.c - what was seen of things that have a key of 64 bits.
 *
 * The key's upper half chooses a bucket; a slot is its lower half, with the
 * state in the lowest two bits.  Sixteen slots, a cache line, are a bucket: a
 * new key takes an empty slot or that of another key, whose turn the key itself
 * decides.
 *
 * So a key that was never raised has another's state with a chance of 16 in
 * 2^30: of a million pages, one is taken for another once in 67 times. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>
#include "keyset.h"
#include "lazymem.h"

#define WAYS  16
#define STATE 3U

struct keyset {
	uint32_t *slots;
	uint64_t n;
	uint8_t secret[XXH3_SECRET_SIZE_MIN];
};

static size_t bytes_of(const struct keyset *s)
{
	return s->n * sizeof(*s->slots);
}

int keyset_new(unsigned log2, struct keyset **ret)
{
	struct keyset *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->n = 1ULL << log2;
	s->slots = lazymem_new(bytes_of(s));
	if (!s->slots) {
		keyset_free(s);
		return -ENOMEM;
	}
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
	lazymem_free(s->slots, bytes_of(s));
	free(s);
}

void keyset_take(struct keyset *s)
{
	lazymem_take(s->slots, bytes_of(s));
}

void keyset_reset(struct keyset *s)
{
	lazymem_clear(s->slots, bytes_of(s));
}

uint64_t keyset_key(const struct keyset *s, const uint64_t *numbers, unsigned n)
{
	return XXH3_64bits_withSecret(numbers, n * sizeof(*numbers), s->secret,
				      sizeof(s->secret));
}

static uint32_t *bucket_of(const struct keyset *s, uint64_t key)
{
	return s->slots + (key >> 32) % (s->n / WAYS) * WAYS;
}

static bool is_of(uint32_t slot, uint64_t key)
{
	return slot && (slot ^ (uint32_t)key) <= STATE;
}

unsigned keyset_get(const struct keyset *s, uint64_t key)
{
	const uint32_t *b = bucket_of(s, key);

	for (unsigned i = 0; i < WAYS; i++) {
		uint32_t slot = __atomic_load_n(&b[i], __ATOMIC_RELAXED);

		if (is_of(slot, key))
			return slot & STATE;
	}
	return 0;
}

/* Its own slot, else an empty one, else the one whose turn it is. */
static uint32_t *slot_for(uint32_t *b, uint64_t key)
{
	uint32_t *empty = NULL;

	for (unsigned i = 0; i < WAYS; i++) {
		uint32_t slot = __atomic_load_n(&b[i], __ATOMIC_RELAXED);

		if (is_of(slot, key))
			return &b[i];
		if (!slot && !empty)
			empty = &b[i];
	}
	return empty ? empty : &b[key >> 2 & (WAYS - 1)];
}

void keyset_raise(struct keyset *s, uint64_t key, unsigned state)
{
	uint32_t *slot = slot_for(bucket_of(s, key), key);
	uint32_t now, was = __atomic_load_n(slot, __ATOMIC_RELAXED);

	do {
		if (is_of(was, key) && (was & STATE) >= state)
			return;
		now = ((uint32_t)key & ~STATE) | state;
	} while (!__atomic_compare_exchange_n(
		slot, &was, now, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}
