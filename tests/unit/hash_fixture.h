/* hash_fixture.h - made-up binaries for the tests of the hash modules. */
#ifndef HASH_FIXTURE_H
#define HASH_FIXTURE_H

#include <stdlib.h>
#include <string.h>
#include "flow.h"
#include "hashbuild.h"

/* splitmix64: the same numbers in every run. */
static inline uint64_t fixture_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Digest number @i of series @series; distinct in practice. */
static inline struct digest fixture_digest(uint64_t series, uint64_t i)
{
	uint64_t state = series << 40 ^ i << 1;
	uint64_t high = fixture_random(&state);

	return (struct digest){ .high = high, .low = fixture_random(&state) };
}

/* Binary @name with pages [from, to) of series 1, every third of them data. */
static inline struct digestlist fixture_list(const char *name, uint64_t from,
					     uint64_t to)
{
	struct digestlist list = { .family = "Fixture", .version = "1.2",
				   .arch = "x86_64" };

	strcpy(list.name, name);
	memset(list.sha256, name[0] % 2 ? 'a' : '7', 64);
	for (uint64_t i = from; i < to; i++) {
		struct digestlist_page page = {
			.digest = fixture_digest(1, i),
			.offset = i * FLOW_PAGE,
			.flags = i % 3 ? REGION_READ | REGION_EXEC
				       : REGION_READ,
		};

		if (digestlist_add(&list, page))
			abort();
	}
	return list;
}

static inline void fixture_add(struct hashbuild *build, const char *name,
			       uint64_t from, uint64_t to)
{
	struct digestlist list = fixture_list(name, from, to);

	if (hashbuild_add(build, &list, NULL))
		abort();
	digestlist_free(&list);
}

/* Ends @build; the set's bytes are for free(3). */
static inline uint8_t *fixture_finish(struct hashbuild *build, size_t *ret_len)
{
	struct hashgood *good = hashgood_new();
	struct hashbuild_sum sum;
	uint8_t *bytes;

	if (hashbuild_bytes(build, good, &bytes, ret_len, &sum, NULL))
		abort();
	hashgood_free(good);
	hashbuild_free(build);
	return bytes;
}

/* alpha has pages 0-19, beta 10-29, gamma 29-39. */
static inline uint8_t *fixture_set(size_t *ret_len)
{
	struct hashbuild *build = hashbuild_new();

	fixture_add(build, "alpha", 0, 20);
	fixture_add(build, "beta", 10, 30);
	fixture_add(build, "gamma", 29, 40);
	return fixture_finish(build, ret_len);
}

/* The same, and alpha has fragments 0-19 of series 3, beta 10-29. */
static inline uint8_t *fixture_fragments(size_t *ret_len)
{
	struct hashbuild *build = hashbuild_new();
	struct digestlist list[] = { fixture_list("alpha", 0, 20),
				     fixture_list("beta", 10, 30) };

	for (uint64_t k = 0; k < 2; k++) {
		for (uint64_t i = k * 10; i < k * 10 + 20; i++)
			if (digestlist_add_fragment(
				    &list[k],
				    (struct digestlist_fragment){
					    fixture_digest(3, i), true }))
				abort();
		if (hashbuild_add(build, &list[k], NULL))
			abort();
		digestlist_free(&list[k]);
	}
	fixture_add(build, "gamma", 29, 40);
	return fixture_finish(build, ret_len);
}

#endif
