#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>
#include "hash_fixture.h"
#include "hashelf.h"
#include "kernel.h"
#include "maps.h"
#include "sweep.h"
#include "tally.h"
#include "verdict.h"

/* Real code: the C library's file, which no sanitizer fills with addresses,
 * copied to where its pages begin elsewhere. */
#define ROOM (16UL << 20)

static uint8_t *memory; /* of the process that was looked at */
static uint8_t file[ROOM];
static size_t file_bytes;
static struct hashset *set;
static uint8_t *set_bytes;
static struct tally *tally;
static struct region region;

static const char *path_of_libc(void)
{
	Dl_info info;

	return dladdr(dlsym(RTLD_NEXT, "gnu_get_libc_version"), &info)
		       ? info.dli_fname
		       : "";
}

static int read_libc(struct digestlist *ret)
{
	int fd = open(path_of_libc(), O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, file, sizeof(file));
	struct why why;

	if (n <= 0 || hashelf_read(fd, "libc", ret, &why))
		return -1;
	file_bytes = (size_t)n;
	close(fd);
	strcpy(ret->family, "Libc");
	strcpy(ret->name, "test_moved");
	return 0;
}

static int make(void **state)
{
	struct hashbuild *build = hashbuild_new();
	struct digestlist list = { 0 };
	size_t len;

	(void)state;
	memory = aligned_alloc(FLOW_PAGE, ROOM + FLOW_PAGE);
	if (read_libc(&list) || hashbuild_add(build, &list, NULL))
		return -1;
	digestlist_free(&list);
	set_bytes = fixture_finish(build, &len);
	return hashset_from_memory(set_bytes, len, &set, NULL) ||
	       tally_new(set, &tally);
}

static int drop(void **state)
{
	(void)state;
	tally_free(tally);
	hashset_free(set);
	free(set_bytes);
	free(memory);
	return 0;
}

/* What a look finds of the file, @offset bytes into memory of the kind
 * @flags. */
static struct share look(uint8_t flags, size_t offset)
{
	static uint64_t address[BATCH_PAGES];
	static struct sweep_result result;
	size_t pages = (offset + file_bytes) / FLOW_PAGE + 1;
	struct sweep sweep = { .set = set };
	struct share share[1] = { 0 };

	region.flags = flags;
	region.where = maps_where(flags);
	memset(memory, 0, ROOM);
	memcpy(memory + offset, file, file_bytes);
	tally_reset(tally);
	for (size_t at = 0; at < pages; at += BATCH_PAGES) {
		struct batch batch = { .region = &region,
				       .address = address,
				       .bytes = memory + at * FLOW_PAGE,
				       .n_pages = BATCH_PAGES };

		sweep_batch(&sweep, &batch, &result);
		for (size_t i = 0; i < result.n_known; i++) {
			assert_true(result.found[result.known[i].page]);
			tally_add(tally, result.known[i].number,
				  flags & REGION_EXEC);
		}
	}
	tally_shares(tally, share, 1);
	return share[0];
}

#define MOVED (REGION_READ | REGION_EXEC | REGION_ANON)

static bool is_finding(const struct share *s)
{
	static const struct proc proc = { .pid = 1 };
	struct look l = { .proc = &proc, .shares = { *s }, .n_shares = 1 };
	struct finding f;

	return verdict_judge(&l, &f) == VERDICT_FINDING;
}

static void moved_code_is_known_at_every_offset(void **state)
{
	(void)state;
	for (size_t offset = 0; offset < 64; offset++) {
		struct share s = look(MOVED, offset);

		/* One of a hundred lies across two pages. */
		if (tally_fragments(&s) < 0.95)
			fail_msg("offset %zu: %u of %u", offset,
				 s.seen_fragments, s.n_fragments);
		assert_true(offset % FLOW_PAGE == 0 || s.seen < s.n_pages / 10);
		assert_true(is_finding(&s));
	}
}

static void moved_within_a_page(void **state)
{
	(void)state;
	for (size_t offset = 64; offset < FLOW_PAGE; offset += 61) {
		struct share s = look(MOVED, offset);

		assert_true(tally_fragments(&s) > 0.95);
	}
}

/* In all that is executable, and nowhere else. */
static void where_it_is_looked_for(void **state)
{
	static const uint8_t yes[] = {
		REGION_READ | REGION_EXEC | REGION_MEMFD,
		REGION_READ | REGION_EXEC | REGION_DELETED,
		REGION_READ | REGION_EXEC | REGION_ANON,
		REGION_READ | REGION_WRITE | REGION_EXEC | REGION_ANON,
		REGION_READ | REGION_EXEC,
	};
	static const uint8_t no[] = {
		REGION_READ | REGION_WRITE | REGION_ANON,
		REGION_READ | REGION_ANON,
		REGION_READ,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes); i++)
		assert_true(look(yes[i], 12).seen_fragments > 16);
	for (size_t i = 0; i < sizeof(no); i++)
		assert_int_equal(look(no[i], 12).seen_fragments, 0);
}

static void what_is_benign_is_not_in_it(void **state)
{
	struct hashbuild *build = hashbuild_new();
	struct hashgood *good = hashgood_new();
	struct digestlist list = { 0 };
	struct hashbuild_sum sum;
	uint8_t *bytes;
	size_t len;

	(void)state;
	assert_int_equal(read_libc(&list), 0);
	assert_true(list.n_fragments > 100);
	assert_int_equal(hashbuild_add(build, &list, NULL), 0);
	/* All but the first page. */
	list.pages++;
	list.n_pages--;
	assert_int_equal(hashgood_add(good, &list), 0);
	list.pages--;
	assert_int_equal(hashbuild_bytes(build, good, &bytes, &len, &sum, NULL),
			 0);
	assert_int_equal(sum.n_pages, 1);
	assert_int_equal(sum.n_fragments, 0);
	free(bytes);
	hashgood_free(good);
	hashbuild_free(build);
	digestlist_free(&list);
}

/* Other programs: no fragment of ours but where code is the same. */
static void another_program_is_none(void **state)
{
	static uint8_t other[ROOM];
	int fd = open("/bin/bash", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, other, sizeof(other));
	size_t own = file_bytes;
	struct share s;

	(void)state;
	if (fd < 0) {
		puts("no /bin/bash here");
		skip();
	}
	close(fd);
	assert_true(n > 0);
	memcpy(file, other, (size_t)n);
	file_bytes = (size_t)n;
	s = look(MOVED, 0);
	assert_true(s.seen_fragments < 16);
	assert_false(is_finding(&s));
	file_bytes = own;
	fd = open(path_of_libc(), O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, file, own), own);
	close(fd);
}

/* Halves of bytes as few atoms have them, so that some windows pass. */
static struct kernel_teddy make_teddy(uint64_t *seed)
{
	struct kernel_teddy t;

	for (size_t k = 0; k < 4; k++)
		for (size_t i = 0; i < 16; i++) {
			uint64_t r = fixture_random(seed);

			t.low[k][i] = (uint8_t)(r & r >> 8);
			t.high[k][i] = (uint8_t)(r >> 16 & r >> 24);
		}
	return t;
}

/* Each variant against the definition. */
static void variants_agree(void **state)
{
	const struct kernel *scalar = NULL, *k;
	uint8_t *page = malloc(FLOW_PAGE); /* ASan sees what is behind it */
	uint64_t seed = 7;

	(void)state;
	for (size_t i = 0; kernel_variant(i); i++)
		scalar = kernel_variant(i);
	for (size_t round = 0; round < 3000; round++) {
		struct kernel_teddy teddy = make_teddy(&seed);

		for (size_t i = 0; i < FLOW_PAGE; i++)
			page[i] = (uint8_t)fixture_random(&seed);
		if (round % 2)
			memset(page + round, 0, 8 + round % 64);
		if (round % 5 == 0) { /* halves of words */
			memset(page + round / 96 * 32, 0, 4);
			memset(page + 2048 + round % 64 * 32 + 4, 0, 4);
		}
		page[2] = (uint8_t)(KERNEL_ANCHOR - page[0] - page[1]);
		if (round % 7 == 0) /* now and then anchors all over */
			for (size_t i = round; i < FLOW_PAGE; i++)
				page[i] = page[i % 3];
		for (size_t i = 0; (k = kernel_variant(i)) != NULL; i++) {
			uint16_t at[KERNEL_ANCHORS_ROOM],
				want[KERNEL_ANCHORS_ROOM];
			size_t n;

			if (k->usable && !k->usable())
				continue;
			n = k->anchors(page, at);
			assert_int_equal(n, scalar->anchors(page, want));
			assert_memory_equal(at, want, n * sizeof(*at));
			assert_int_equal(k->has_zeros(page),
					 scalar->has_zeros(page));
			if (k->teddy)
				assert_int_equal(k->teddy(&teddy, page),
						 scalar->teddy(&teddy, page));
		}
	}
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved_code_is_known_at_every_offset),
		cmocka_unit_test(moved_within_a_page),
		cmocka_unit_test(where_it_is_looked_for),
		cmocka_unit_test(what_is_benign_is_not_in_it),
		cmocka_unit_test(another_program_is_none),
		cmocka_unit_test(variants_agree),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
