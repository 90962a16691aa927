#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hash_fixture.h"
#include "hashsave.h"
#include "hashtree.h"

static struct why why;

static const struct {
	const char *name;
	uint64_t from, to;
} binaries[] = { { "delta", 5, 50 },
		 { "alpha", 0, 20 },
		 { "beta", 10, 30 },
		 { "gamma", 29, 40 },
		 { "beta", 25, 35 } };
#define N_BINARIES 5

static uint8_t *build_in_order(const int *order, size_t *ret_len)
{
	struct hashbuild *build = hashbuild_new();

	for (int i = 0; i < N_BINARIES; i++)
		fixture_add(build, binaries[order[i]].name,
			    binaries[order[i]].from, binaries[order[i]].to);
	return fixture_finish(build, ret_len);
}

static int permute(int *order, int n, const uint8_t *want, size_t want_len)
{
	int n_tried = 0;

	if (n == 1) {
		size_t len;
		uint8_t *bytes = build_in_order(order, &len);

		assert_int_equal(len, want_len);
		assert_memory_equal(bytes, want, len);
		free(bytes);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		int last = order[n - 1];

		order[n - 1] = order[i];
		order[i] = last;
		n_tried += permute(order, n - 1, want, want_len);
		last = order[n - 1];
		order[n - 1] = order[i];
		order[i] = last;
	}
	return n_tried;
}

static void order_does_not_matter(void **state)
{
	int order[N_BINARIES] = { 0, 1, 2, 3, 4 };
	size_t len;
	uint8_t *want = build_in_order(order, &len);

	(void)state;
	assert_int_equal(permute(order, N_BINARIES, want, len), 120);
	free(want);
}

static void other_content_gives_other_bytes(void **state)
{
	struct hashbuild *build = hashbuild_new();
	size_t len, other_len;
	uint8_t *bytes = fixture_set(&len), *other;

	(void)state;
	fixture_add(build, "alpha", 0, 20);
	fixture_add(build, "beta", 10, 30);
	fixture_add(build, "gamma", 29, 41);
	other = fixture_finish(build, &other_len);
	assert_true(len != other_len || memcmp(bytes, other, len) != 0);
	free(bytes);
	free(other);
}

/* The set of @build without the pages of @good. */
static struct hashset *finish(struct hashbuild *build, struct hashgood *good,
			      uint8_t **ret, struct hashbuild_sum *ret_sum)
{
	struct hashset *set = NULL;
	size_t len;

	assert_int_equal(hashbuild_bytes(build, good, ret, &len, ret_sum, &why),
			 0);
	assert_int_equal(hashset_from_memory(*ret, len, &set, &why), 0);
	hashbuild_free(build);
	hashgood_free(good);
	return set;
}

static bool has(const struct hashset *set, struct digest d)
{
	uint32_t page;

	hashset_lookup(set, &d, 1, &page);
	return page != HASHSET_NONE;
}

static void equal_binaries_are_one(void **state)
{
	struct hashbuild *build = hashbuild_new();
	struct hashbuild_sum sum;
	struct hashset *set;
	uint8_t *bytes;

	(void)state;
	fixture_add(build, "alpha", 0, 20);
	fixture_add(build, "alpha", 10, 30);
	fixture_add(build, "beta", 0, 1);
	set = finish(build, hashgood_new(), &bytes, &sum);
	assert_int_equal(sum.n_binaries, 2);
	assert_int_equal(hashset_binary(set, 0).n_pages, 30);
	assert_int_equal(hashset_binary(set, 1).n_pages, 1);
	hashset_free(set);
	free(bytes);
}

static void a_page_counts_once_and_as_code_if_it_ever_is(void **state)
{
	struct digestlist list = fixture_list("alpha", 0, 0);
	struct digestlist_page page = { .digest = fixture_digest(1, 7) };
	struct hashbuild *build = hashbuild_new();
	struct hashbuild_sum sum;
	struct hashset *set;
	uint8_t *bytes;

	(void)state;
	for (uint64_t i = 0; i < 6; i++) {
		page.offset = i * FLOW_PAGE;
		page.flags = i == 3 ? REGION_EXEC : REGION_READ;
		assert_int_equal(digestlist_add(&list, page), 0);
	}
	assert_int_equal(hashbuild_add(build, &list, &why), 0);
	set = finish(build, hashgood_new(), &bytes, &sum);
	assert_int_equal(hashset_n_pages(set), 1);
	assert_int_equal(hashset_binary(set, 0).n_pages, 1);
	assert_int_equal(hashset_binary(set, 0).n_code_pages, 1);
	hashset_free(set);
	digestlist_free(&list);
	free(bytes);
}

static void benign_pages_are_left_out(void **state)
{
	struct digestlist good_list = fixture_list("libc", 15, 35);
	struct hashgood *good = hashgood_new();
	struct hashbuild *build = hashbuild_new();
	struct hashbuild_sum sum;
	struct hashset *set;
	uint8_t *bytes;

	(void)state;
	fixture_add(build, "alpha", 0, 20);
	fixture_add(build, "beta", 10, 30);
	fixture_add(build, "aleph", 20, 30); /* nothing remains of it */
	assert_int_equal(hashgood_add(good, &good_list), 0);
	set = finish(build, good, &bytes, &sum);
	assert_int_equal(sum.n_binaries, 2);
	assert_int_equal(sum.n_empty, 1);
	assert_int_equal(sum.n_pages, 15);
	assert_int_equal(sum.n_subtracted, 15);
	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(has(set, fixture_digest(1, i)), i < 15);
	assert_string_equal(hashset_binary(set, 1).name, "beta");
	assert_int_equal(hashset_binary(set, 0).n_pages, 15);
	assert_int_equal(hashset_binary(set, 1).n_pages, 5);
	hashset_free(set);
	digestlist_free(&good_list);
	free(bytes);
}

/* The pages of a library that is linked into everything. */
static void common_pages_are_left_out(void **state)
{
	static const char *const families[] = { "A", "B", "C", "D", "A" };
	struct hashbuild *build = hashbuild_new();
	struct hashbuild_sum sum;
	struct hashset *set;
	uint8_t *bytes;

	(void)state;
	/* Of A, and of A again: 0 to 9; of three families: 10 to 19; of four:
	 * 20 to 29. */
	for (size_t i = 0; i < 5; i++) {
		char name[2] = { (char)('p' + i), 0 };
		struct digestlist list = fixture_list(
			name, i % 4 == 0 ? 0 : i == 3 ? 20 : 10, 30);

		snprintf(list.family, sizeof(list.family), "%s", families[i]);
		assert_int_equal(hashbuild_add(build, &list, &why), 0);
		digestlist_free(&list);
	}
	set = finish(build, hashgood_new(), &bytes, &sum);
	assert_int_equal(sum.n_common, 10);
	assert_int_equal(sum.n_subtracted, 0);
	assert_int_equal(sum.n_pages, 20);
	assert_int_equal(sum.n_empty, 1); /* D had nothing else */
	for (uint64_t i = 0; i < 30; i++)
		assert_int_equal(has(set, fixture_digest(1, i)), i < 20);
	hashset_free(set);
	free(bytes);
}

static struct digestlist with_fragments(const char *name, uint64_t series,
					uint64_t n, bool fixed)
{
	struct digestlist list = fixture_list(name, 0, 2);

	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(
			digestlist_add_fragment(
				&list,
				(struct digestlist_fragment){
					fixture_digest(series, i), fixed }),
			0);
	return list;
}

/* Those that benign programs have, wherever their addresses lie, and those with
 * addresses; and not more than so many. */
static void fragments_are_left_out(void **state)
{
	struct digestlist list = with_fragments("alpha", 3, 100, true),
			  moving = with_fragments("alpha", 4, 100, false),
			  many = with_fragments(
				  "beta", 5, HASHBUILD_FRAGMENTS + 500, true),
			  benign = with_fragments("libc", 3, 30, false);
	struct hashgood *good = hashgood_new();
	struct hashbuild *build = hashbuild_new();
	struct hashbuild_sum sum;
	struct hashset *set;
	uint8_t *bytes;
	size_t n = 0;

	(void)state;
	benign.n_pages = 0;
	assert_int_equal(hashgood_add(good, &benign), 0);
	assert_int_equal(hashbuild_add(build, &list, &why), 0);
	assert_int_equal(hashbuild_add(build, &moving, &why), 0);
	assert_int_equal(hashbuild_add(build, &many, &why), 0);
	set = finish(build, good, &bytes, &sum);
	assert_int_equal(sum.n_fragments, 70 + HASHBUILD_FRAGMENTS);
	assert_int_equal(hashset_binary(set, 0).n_fragments, 70);
	assert_int_equal(hashset_binary(set, 1).n_fragments,
			 HASHBUILD_FRAGMENTS);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(has(set, fixture_digest(3, i)), i >= 30);
		assert_false(has(set, fixture_digest(4, i)));
	}
	for (uint64_t i = 0; i < many.n_fragments; i++)
		n += has(set, many.fragments[i].digest);
	assert_int_equal(n, HASHBUILD_FRAGMENTS);
	hashset_free(set);
	free(bytes);
	digestlist_free(&list);
	digestlist_free(&moving);
	digestlist_free(&many);
	digestlist_free(&benign);
}

static void constant_pages_never_enter(void **state)
{
	struct digestlist list = fixture_list("alpha", 0, 1);
	struct hashbuild *build = hashbuild_new();
	struct hashbuild_sum sum;
	struct hashset *set;
	uint8_t page[FLOW_PAGE], *bytes;

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		struct digestlist_page p = { .flags = REGION_EXEC };

		memset(page, byte, sizeof(page));
		p.digest = hashset_digest(page);
		assert_int_equal(digestlist_add(&list, p), 0);
	}
	assert_int_equal(hashbuild_add(build, &list, &why), 0);
	set = finish(build, hashgood_new(), &bytes, &sum);
	assert_int_equal(hashset_n_pages(set), 1);
	assert_int_equal(sum.n_subtracted, 256);
	hashset_free(set);
	digestlist_free(&list);
	free(bytes);
}

static void a_list_is_cleaned_in_place(void **state)
{
	struct digestlist good_list = fixture_list("libc", 5, 15);
	struct digestlist list = fixture_list("alpha", 0, 20);
	struct hashgood *good = hashgood_new();

	(void)state;
	assert_int_equal(hashgood_count(good), 0);
	assert_int_equal(hashgood_add(good, &good_list), 0);
	assert_int_equal(hashgood_subtract(good, &list), 10);
	assert_int_equal(list.n_pages, 10);
	assert_true(list.pages[5].digest.high == fixture_digest(1, 15).high);
	assert_int_equal(hashgood_count(good), 10);
	hashgood_free(good);
	digestlist_free(&good_list);
	digestlist_free(&list);
}

/* More than one growth, with half of it double. */
static void many_benign_pages_fit(void **state)
{
	struct hashgood *good = hashgood_new();

	(void)state;
	for (uint64_t i = 0; i < 40; i++) {
		struct digestlist list =
			fixture_list("x", i * 1000, i * 1000 + 2000);

		assert_int_equal(hashgood_add(good, &list), 0);
		digestlist_free(&list);
	}
	assert_int_equal(hashgood_count(good), 41000);
	for (uint64_t i = 0; i < 42000; i += 7)
		assert_int_equal(hashgood_has(good, fixture_digest(1, i)),
				 i < 41000);
	hashgood_free(good);
}

static void thousands_of_binaries_fit(void **state)
{
	struct hashbuild *build = hashbuild_new();
	struct hashbuild_sum sum;
	struct hashset *set;
	uint8_t *bytes;
	char name[32];

	(void)state;
	for (uint64_t i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "binary-%04d", (int)i);
		fixture_add(build, name, i * 10, i * 10 + 20);
	}
	set = finish(build, hashgood_new(), &bytes, &sum);
	assert_int_equal(sum.n_binaries, 5000);
	assert_int_equal(sum.n_pages, 50010);
	assert_string_equal(hashset_binary(set, 4321).name, "binary-4321");
	for (uint64_t i = 0; i < 50010; i += 11) {
		struct digest d = fixture_digest(1, i);
		const uint32_t *ref = NULL;
		uint32_t page;
		size_t n;

		hashset_lookup(set, &d, 1, &page);
		n = hashset_refs(set, page, &ref);
		assert_int_equal(n, i < 10 || i >= 50000 ? 1 : 2);
		assert_int_equal(ref[n - 1], i < 50000 ? i / 10 : 4999);
	}
	hashset_free(set);
	free(bytes);
}

static void too_many_binaries_are_refused(void **state)
{
	struct hashbuild *build = hashbuild_new();
	struct digestlist list = fixture_list("alpha", 0, 0);

	(void)state;
	for (int i = 0; i < 65536; i++)
		assert_int_equal(hashbuild_add(build, &list, &why), 0);
	assert_int_equal(hashbuild_add(build, &list, &why), -E2BIG);
	assert_non_null(strstr(why.text, "several sets"));
	hashbuild_free(build);
}

static void a_binary_without_a_name_is_refused(void **state)
{
	struct hashbuild *build = hashbuild_new();
	struct digestlist list = fixture_list("alpha", 0, 1);

	(void)state;
	list.version[0] = '\0';
	assert_int_equal(hashbuild_add(build, &list, &why), 0);
	list.family[0] = '\0';
	assert_int_equal(hashbuild_add(build, &list, &why), -EINVAL);
	assert_non_null(strstr(why.text, "family"));
	strcpy(list.family, "X\n");
	assert_int_equal(hashbuild_add(build, &list, &why), -EINVAL);
	digestlist_free(&list);
	hashbuild_free(build);
}

/* ---- files ----------------------------------------------------------- */

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_hashbuild.XXXXXX");
	return !mkdtemp(dir);
}

static int remove_dir(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[2][128];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static size_t entries_in_dir(void)
{
	char command[96];
	FILE *out;
	size_t n = 0;

	snprintf(command, sizeof(command), "ls -A %s", dir);
	out = popen(command, "r");
	for (int c; (c = getc(out)) != EOF;)
		n += c == '\n';
	pclose(out);
	return n;
}

static void saving_replaces_the_file(void **state)
{
	char got[16] = "";
	struct stat before, after;
	FILE *in;

	(void)state;
	assert_int_equal(hashsave_file(in_dir("set"), "old", 3, &why), 0);
	assert_int_equal(stat(in_dir("set"), &before), 0);
	assert_int_equal(hashsave_file(in_dir("set"), "newer", 5, &why), 0);
	assert_int_equal(stat(in_dir("set"), &after), 0);
	assert_int_equal(after.st_mode & 07777, 0644);
	assert_true(before.st_ino != after.st_ino);
	in = fopen(in_dir("set"), "r");
	assert_non_null(fgets(got, sizeof(got), in));
	fclose(in);
	assert_string_equal(got, "newer");
	assert_int_equal(entries_in_dir(), 1);
}

static void saving_replaces_nothing_but_files(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(mkdir(in_dir("dir"), 0755), 0);
	assert_int_equal(hashsave_file(in_dir("dir"), "x", 1, &why), -EINVAL);
	assert_int_equal(symlink("set", in_dir("link")), 0);
	assert_int_equal(hashsave_file(in_dir("link"), "x", 1, &why), -EINVAL);
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(hashsave_file(in_dir("fifo"), "x", 1, &why), -EINVAL);
	assert_non_null(strstr(why.text, in_dir("fifo")));
	assert_int_equal(hashsave_file(in_dir("none/set"), "x", 1, &why),
			 -ENOENT);
	assert_int_equal(lstat(in_dir("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(entries_in_dir(), 3);
}

/* The disk is full, or as good as. */
static void a_failed_save_leaves_no_trace(void **state)
{
	const struct rlimit tight = { 10, RLIM_INFINITY };
	char big[100] = "new", got[16] = "";
	struct rlimit was;
	FILE *in;

	(void)state;
	assert_int_equal(hashsave_file(in_dir("set"), "old", 3, &why), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	assert_int_equal(hashsave_file(in_dir("set"), big, sizeof(big), &why),
			 -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	in = fopen(in_dir("set"), "r");
	assert_non_null(fgets(got, sizeof(got), in));
	fclose(in);
	assert_string_equal(got, "old");
	assert_int_equal(entries_in_dir(), 1);
}

static void copy_self(const char *to)
{
	char command[256];

	snprintf(command, sizeof(command), "cp /proc/%d/exe %s", (int)getpid(),
		 to);
	assert_int_equal(system(command), 0);
}

static int walk(const char *except, struct hashgood *good,
		struct hashtree_sum *sum)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = hashtree_add(fd, dir, except, good, sum,
				 (struct hashtree_tick){ 0 }, &why);

	close(fd);
	return error;
}

/* One ELF file in a directory, one at the top; links, a pipe, text and a
 * damaged ELF file around them. */
static void trees_are_walked_without_traps(void **state)
{
	struct hashgood *good = hashgood_new();
	struct hashtree_sum sum = { 0 };
	size_t n_pages;

	(void)state;
	assert_int_equal(mkdir(in_dir("sub"), 0755), 0);
	copy_self(in_dir("sub/self"));
	copy_self(in_dir("self-randomx"));
	assert_int_equal(symlink("..", in_dir("sub/up")), 0);
	assert_int_equal(symlink("/proc/self/exe", in_dir("link")), 0);
	assert_int_equal(mkfifo(in_dir("sub/fifo"), 0600), 0);
	assert_int_equal(hashsave_file(in_dir("text"), "text\n", 5, &why), 0);
	assert_int_equal(hashsave_file(in_dir("cut"), "\177ELF\2\1", 6, &why),
			 0);
	assert_int_equal(walk(NULL, good, &sum), 0);
	assert_int_equal(sum.n_files, 2);
	assert_int_equal(sum.n_skipped, 1);
	n_pages = hashgood_count(good);
	assert_true(n_pages > 2);
	hashgood_free(good);

	good = hashgood_new();
	sum = (struct hashtree_sum){ 0 };
	assert_int_equal(walk("*randomx*", good, &sum), 0);
	assert_int_equal(sum.n_files, 1);
	assert_int_equal(hashgood_count(good), n_pages);
	hashgood_free(good);

	good = hashgood_new();
	sum = (struct hashtree_sum){ 0 };
	assert_int_equal(walk("*s*", good, &sum), 0);
	assert_int_equal(sum.n_files, 0);
	assert_int_equal(hashgood_count(good), 0);
	hashgood_free(good);
}

static void deep_trees_are_refused(void **state)
{
	struct hashgood *good = hashgood_new();
	struct hashtree_sum sum = { 0 };
	char path[512];

	(void)state;
	strcpy(path, dir);
	for (int i = 0; i <= HASHTREE_DEPTH; i++) {
		strcat(path, "/d");
		assert_int_equal(mkdir(path, 0755), 0);
	}
	assert_int_equal(walk(NULL, good, &sum), -ELOOP);
	assert_non_null(strstr(why.text, "/d/d"));
	hashgood_free(good);
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(other_content_gives_other_bytes),
		cmocka_unit_test(equal_binaries_are_one),
		cmocka_unit_test(a_page_counts_once_and_as_code_if_it_ever_is),
		cmocka_unit_test(benign_pages_are_left_out),
		cmocka_unit_test(common_pages_are_left_out),
		cmocka_unit_test(fragments_are_left_out),
		cmocka_unit_test(constant_pages_never_enter),
		cmocka_unit_test(a_list_is_cleaned_in_place),
		cmocka_unit_test(many_benign_pages_fit),
		cmocka_unit_test(thousands_of_binaries_fit),
		cmocka_unit_test(too_many_binaries_are_refused),
		cmocka_unit_test(a_binary_without_a_name_is_refused),
		IN_DIR(saving_replaces_the_file),
		IN_DIR(saving_replaces_nothing_but_files),
		IN_DIR(a_failed_save_leaves_no_trace),
		IN_DIR(trees_are_walked_without_traps),
		IN_DIR(deep_trees_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
