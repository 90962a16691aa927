/* makeset.c - writes a hash set of N digests that no page has.
 *
 *	makeset N FILE
 *
 * The digests are random, from the same seed every time, in binaries of a
 * thousand pages.  With it bench/run shows what the size of a set costs. */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include "flow.h"
#include "hashbuild.h"
#include "hashsave.h"

#define PAGES 1000 /* of one binary */

static uint64_t state = 0x9E3779B97F4A7C15ULL;

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = state += 0x9E3779B97F4A7C15ULL;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return z ^ z >> 31;
}

static void add(struct hashbuild *hb, unsigned long number, size_t n)
{
	struct digestlist list = { .family = "bench",
				   .version = "1",
				   .arch = "x86_64" };
	struct why why = { "" };

	snprintf(list.name, sizeof(list.name), "bench_%lu", number);
	for (size_t i = 0; i < n; i++) {
		struct digestlist_page page = {
			.digest = { next(), next() },
			.offset = i * FLOW_PAGE,
			.flags = REGION_READ | REGION_EXEC,
		};

		if (digestlist_add(&list, page))
			errx(1, "too many pages");
	}
	if (hashbuild_add(hb, &list, &why))
		errx(1, "%s", why.text);
	digestlist_free(&list);
}

int main(int argc, char **argv)
{
	struct hashbuild *hb = hashbuild_new();
	struct hashgood *good = hashgood_new();
	struct hashbuild_sum sum;
	struct why why = { "" };
	unsigned long n, number = 0;
	uint8_t *bytes;
	size_t len;

	if (argc != 3 || (n = strtoul(argv[1], NULL, 10)) == 0)
		errx(2, "usage: makeset N FILE");
	for (unsigned long left = n; left; number++) {
		size_t now = left < PAGES ? left : PAGES;

		add(hb, number, now);
		left -= now;
	}
	if (hashbuild_bytes(hb, good, &bytes, &len, &sum, &why) ||
	    hashsave_file(argv[2], bytes, len, &why))
		errx(1, "%s", why.text);
	printf("{\"digests\": %u, \"bytes\": %zu}\n", sum.n_pages, len);
	free(bytes);
	hashbuild_free(hb);
	hashgood_free(good);
	return 0;
}
