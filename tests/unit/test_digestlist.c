#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "digestlist.h"
#include "hash_fixture.h"

#define KEYS                                                  \
	"# family\tXMRig\n# binary\tbin\n# version\t6.26.0\n" \
	"# arch\tx86_64\n"                                    \
	"# digest\tXXH3-128 of 4096 bytes, high 64 bits first\n"
#define FRAGMENTS                                                          \
	"# fragment\tXXH3-128 of 32 bytes of code without addresses, but " \
	"the high 32 bits by bytes 3-10\n"
#define PAGE "r-x\t0x1000\tf7886c6855c96c18531b862e30d0124e\n"
#define GOOD                                                  \
	KEYS "# columns\tsegment\tfile offset\tdigest\n" PAGE \
	     "r--\t0x7fffffffffff000\t00000000000000000000000000000001\n"

static struct why why;

static int read_text(const char *text, size_t len, struct digestlist *ret)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r");
	int error;

	assert_non_null(in);
	why.text[0] = '\0';
	error = digestlist_read(in, "list.tsv", ret, &why);
	fclose(in);
	return error;
}

static char *write_text(const struct digestlist *list, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	digestlist_write(out, list);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void a_good_list_is_read(void **state)
{
	struct digestlist list = { 0 };

	(void)state;
	assert_int_equal(read_text(GOOD, strlen(GOOD), &list), 0);
	assert_string_equal(list.family, "XMRig");
	assert_string_equal(list.name, "bin");
	assert_string_equal(list.version, "6.26.0");
	assert_string_equal(list.arch, "x86_64");
	assert_string_equal(list.sha256, "");
	assert_int_equal(list.n_pages, 2);
	assert_int_equal(list.pages[0].flags, REGION_READ | REGION_EXEC);
	assert_int_equal(list.pages[0].offset, 0x1000);
	assert_true(list.pages[0].digest.high == 0xf7886c6855c96c18);
	assert_true(list.pages[0].digest.low == 0x531b862e30d0124e);
	assert_int_equal(list.pages[1].flags, REGION_READ);
	assert_true(list.pages[1].offset == 0x7fffffffffff000);
	assert_true(list.pages[1].digest.low == 1);
	digestlist_free(&list);
	assert_null(list.pages);
	digestlist_free(&list);
}

static void what_is_written_is_read(void **state)
{
	struct digestlist list = fixture_list("alpha", 0, 300), again = { 0 };
	struct digestlist_fragment fragment = { fixture_digest(3, 1), true };
	char *text, *text_again;
	size_t len, len_again;

	(void)state;
	digestlist_add_fragment(&list, fragment);
	fragment.fixed = false; /* stays out */
	digestlist_add_fragment(&list, fragment);
	strcpy(list.source, "a test");
	strcpy(list.subtracted, "7 pages of /usr");
	text = write_text(&list, &len);
	assert_int_equal(read_text(text, len, &again), 0);
	assert_string_equal(again.source, list.source);
	assert_string_equal(again.subtracted, list.subtracted);
	assert_string_equal(again.sha256, list.sha256);
	assert_int_equal(again.n_pages, 300);
	assert_int_equal(again.n_fragments, 1);
	assert_true(again.fragments[0].fixed);
	assert_memory_equal(&again.fragments[0].digest, &fragment.digest,
			    sizeof(fragment.digest));
	text_again = write_text(&again, &len_again);
	assert_string_equal(text_again, text);
	free(text);
	free(text_again);
	digestlist_free(&list);
	digestlist_free(&again);
}

static void bad_lines_are_named(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "'family' is missing" },
		{ KEYS "fragment\tf7886c6855c96c18531b862e30d0124e\n",
		  "'fragment' is missing" },
		{ KEYS FRAGMENTS "fragment\tf7886c6855c96c18531b862e30d01\n",
		  ":7: 'f7886c6855c96c18531b862e30d01' is no digest" },
		{ KEYS "# fragment\tMD5\n", "another kind" },
		{ KEYS FRAGMENTS "fragment\tf7886c6855c96c18531b862e30d0124e\n"
				 "# version\t1\n",
		  "'version' is given twice" },
		{ KEYS FRAGMENTS "fragment\tf7886c6855c96c18531b862e30d0124e\n"
				 "# source\t1\n",
		  "keys come first" },
		{ KEYS FRAGMENTS "fragment\n", ":7: " },
		{ KEYS "r-x\t0x1000\n", "list.tsv:6: " },
		{ KEYS "r-x 0x1000 f7886c6855c96c18531b862e30d0124e\n",
		  ":6: " },
		{ KEYS "rw-\t0x1000\tf7886c6855c96c18531b862e30d0124e\n",
		  "'rw-' is no segment" },
		{ KEYS "r-xp\t0x1000\tf7886c6855c96c18531b862e30d0124e\n",
		  "'r-xp' is no segment" },
		{ KEYS "\t0x1000\tf7886c6855c96c18531b862e30d0124e\n",
		  "is no segment" },
		{ KEYS "r-x\t0x1001\tf7886c6855c96c18531b862e30d0124e\n",
		  "'0x1001' is no file offset" },
		{ KEYS "r-x\t4096\tf7886c6855c96c18531b862e30d0124e\n",
		  "'4096' is no file offset" },
		{ KEYS "r-x\t0x\tf7886c6855c96c18531b862e30d0124e\n",
		  "is no file offset" },
		{ KEYS "r-x\t0x10000000000000000\t"
		       "f7886c6855c96c18531b862e30d0124e\n",
		  "is no file offset" },
		{ KEYS "r-x\t0x1000\tf7886c6855c96c18531b862e30d0124\n",
		  "is no digest" },
		{ KEYS "r-x\t0x1000\tf7886c6855c96c18531b862e30d0124e \n",
		  "is no digest" },
		{ KEYS "r-x\t0x1000\tg7886c6855c96c18531b862e30d0124e\n",
		  "is no digest" },
		{ KEYS "r-x\t0x1000\tF7886C6855C96C18531B862E30D0124E\n",
		  "is no digest" },
		{ KEYS "r-x\t0x1000\tf7886c6855c96c18531b862e30d0124e\r\n",
		  "e\\x0d' is no digest" },
		{ KEYS "r-x\t0x1000\tf7886c6855c96c18531b862e30d0124e",
		  "is no line" },
		{ KEYS "\n", ":6: " },
		{ KEYS "# \n", "is no '# key" },
		{ KEYS "#family\tX\n", "is no '# key" },
		{ KEYS "# colour\tred\n", "'colour' is no key" },
		{ KEYS "# family\tX\n", "'family' is given twice" },
		{ KEYS PAGE "# source\tX\n", "stands behind a page" },
		{ KEYS "# source\t\n", "is no value" },
		{ KEYS "# source\ta\tb\n", "is no value" },
		{ KEYS "# source\t\033[2J\n", "'\\x1b[2J' is no value" },
		{ KEYS "# file_sha256\tabc\n", "is no SHA-256" },
		{ "# digest\tSHA-256\n", "another kind" },
		{ "# family\tX\n# binary\tY\n# arch\tx86_64\n" PAGE,
		  "'digest' is missing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct digestlist list = { 0 };
		size_t len = strlen(bad[i].text);
		/* fmemopen() refuses no bytes: read an empty line's worth */
		FILE *in =
			len ? fmemopen((void *)(uintptr_t)bad[i].text, len, "r")
			    : fopen("/dev/null", "r");

		why.text[0] = '\0';
		assert_int_equal(digestlist_read(in, "list.tsv", &list, &why),
				 -EBADMSG);
		if (!strstr(why.text, bad[i].says))
			fail_msg("'%s' lacks '%s'", why.text, bad[i].says);
		assert_null(list.pages);
		fclose(in);
	}
}

static void long_lines_and_nuls_are_refused(void **state)
{
	struct digestlist list = { 0 };
	char text[4096];
	size_t at;

	(void)state;
	strcpy(text, KEYS "# source\t");
	at = strlen(text);
	memset(text + at, 'x', 255);
	strcpy(text + at + 255, "\n");
	assert_int_equal(read_text(text, strlen(text), &list), 0);
	assert_int_equal(strlen(list.source), 255);
	digestlist_free(&list);
	for (size_t n = 256; n < 3000; n += 61) {
		memset(text + at, 'x', n);
		strcpy(text + at + n, "\n");
		assert_int_equal(read_text(text, strlen(text), &list),
				 -EBADMSG);
		assert_non_null(strstr(why.text, "list.tsv:6:"));
	}
	memcpy(text, GOOD, sizeof(GOOD));
	text[strlen(KEYS) + 5] = '\0';
	assert_int_equal(read_text(text, sizeof(GOOD) - 1, &list), -EBADMSG);
}

/* Whatever is accepted must come out as it went in, line by line. */
static void assert_stable(const char *text, size_t len)
{
	struct digestlist list = { 0 }, again = { 0 };
	char *written, *written_again;
	size_t written_len;

	if (read_text(text, len, &list)) {
		assert_non_null(strstr(why.text, "list.tsv:"));
		return;
	}
	written = write_text(&list, &written_len);
	assert_int_equal(read_text(written, written_len, &again), 0);
	written_again = write_text(&again, &written_len);
	assert_string_equal(written_again, written);
	free(written_again);
	free(written);
	digestlist_free(&list);
	digestlist_free(&again);
}

static void mutations_are_refused_or_stable(void **state)
{
	static const char odd[] = { 0,	 '\t',	 '\n',	 '\r',	' ',
				    '#', '0',	 'f',	 'g',	'x',
				    '-', '\177', '\200', '\377' };
	size_t len = strlen(GOOD), n_accepted = 0;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	for (size_t at = 0; at < len; at++) {
		for (size_t k = 0; k < 8 + sizeof(odd); k++) {
			memcpy(text, GOOD, len);
			if (k < 8)
				text[at] ^= (char)(1 << k);
			else
				text[at] = odd[k - 8];
			assert_stable(text, len);
			n_accepted += why.text[0] == '\0';
		}
	}
	assert_true(n_accepted > 100 && n_accepted < len * 11);
	free(text);
}

/* A list that was cut is refused unless it was cut between pages. */
static void truncations_are_refused(void **state)
{
	const char *good = GOOD;
	size_t len = strlen(good), n_accepted = 0;

	(void)state;
	for (size_t cut = 1; cut < len; cut++) {
		struct digestlist list = { 0 };
		int error = read_text(good, cut, &list);

		assert_int_equal(error == 0,
				 cut >= strlen(KEYS) && good[cut - 1] == '\n');
		n_accepted += !error;
		digestlist_free(&list);
	}
	assert_int_equal(n_accepted, 3); /* keys, columns, first page */
}

static void a_list_has_a_maximum(void **state)
{
	struct digestlist list = { 0 };
	struct digestlist_page page = { .offset = 0 };

	(void)state;
	for (size_t i = 0; i < DIGESTLIST_PAGES_MAX; i++)
		assert_int_equal(digestlist_add(&list, page), 0);
	assert_int_equal(digestlist_add(&list, page), -E2BIG);
	assert_int_equal(list.n_pages, DIGESTLIST_PAGES_MAX);
	digestlist_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_list_is_read),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(long_lines_and_nuls_are_refused),
		cmocka_unit_test(mutations_are_refused_or_stable),
		cmocka_unit_test(truncations_are_refused),
		cmocka_unit_test(a_list_has_a_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
