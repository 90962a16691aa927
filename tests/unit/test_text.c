#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

#define LEN(s) (sizeof(s) - 1)

static void what_is_harmless_stays(void **state)
{
	static const char *const same[] = {
		"", "a", "/usr/bin/xmrig --donate-level=1", "~!@#$%^&*()",
		"\xc3\xa9t\xc3\xa9",		     /* été */
		"\xe6\x8e\x98\xe5\xb1\xb1",	     /* 掘山 */
		"\xf0\x9f\x9b\xa0",		     /* U+1F6E0 */
		"\xc2\xa1", "\xcb\xbf", "\xcd\xb0",  /* beside the odd */
		"\xed\x9f\xbf", "\xef\xa4\x80",	     /* beside surrogates */
	};
	char out[128];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_string_equal(text_escape_str(same[i], out, sizeof(out)),
				    same[i]);
}

static void what_is_not_is_escaped(void **state)
{
	static const struct {
		const char *in, *out;
	} table[] = {
		{ "a\nb", "a\\x0ab" },
		{ "\x1b[31m", "\\x1b[31m" },
		{ "\x7f", "\\x7f" },
		{ "\\", "\\\\" },
		{ "\\x41", "\\\\x41" },
		{ "\xc2\x9b", "\\xc2\\x9b" },		  /* C1 CSI */
		{ "\xc2\xa0", "\\xc2\\xa0" },		  /* NBSP */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" },	  /* RLO */
		{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b" },	  /* zero width */
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },	  /* line separator */
		{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },	  /* LRI */
		{ "\xcc\x81", "\\xcc\\x81" },		  /* combining */
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" },	  /* BOM */
		{ "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81" }, /* tag */
		/* Not UTF-8: lone, cut, overlong, surrogate, too large. */
		{ "\x80", "\\x80" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc3", "\\xc3" },
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xc3(", "\\xc3(" },
		{ "\xc0\x80", "\\xc0\\x80" },
		{ "\xc1\xbf", "\\xc1\\xbf" },
		{ "\xe0\x80\x80", "\\xe0\\x80\\x80" },
		{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(
			text_escape_str(table[i].in, out, sizeof(out)),
			table[i].out);
	assert_string_equal(text_escape("a\0b", 3, out, sizeof(out)),
			    "a\\x00b");
}

/* Every byte alone: as it is only from space to tilde. */
static void every_byte(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		char in = (char)c, out[16], want[16];

		if (c == '\\')
			strcpy(want, "\\\\");
		else if (c >= 0x20 && c < 0x7f)
			snprintf(want, sizeof(want), "%c", in);
		else
			snprintf(want, sizeof(want), "\\x%02x", c);
		assert_string_equal(text_escape(&in, 1, out, sizeof(out)),
				    want);
	}
}

/* RFC 3629's table, byte by byte: another way than text.c's. */
static size_t twin_length(const uint8_t *s, size_t len)
{
	static const uint8_t row[][9] = { /* length, then a range a byte */
		{ 1, 0x00, 0x7f },
		{ 2, 0xc2, 0xdf, 0x80, 0xbf },
		{ 3, 0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf },
		{ 3, 0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf },
		{ 3, 0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf },
		{ 3, 0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf },
		{ 4, 0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf },
		{ 4, 0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf },
		{ 4, 0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf },
	};

	for (size_t r = 0; r < sizeof(row) / sizeof(row[0]); r++) {
		size_t n = row[r][0], i = 0;

		while (i < n && i < len && s[i] >= row[r][1 + 2 * i] &&
		       s[i] <= row[r][2 + 2 * i])
			i++;
		if (i == n)
			return n;
	}
	return 0;
}

static bool is_utf8(const char *text)
{
	const uint8_t *s = (const uint8_t *)text;
	size_t len = strlen(text), n;

	for (size_t i = 0; i < len; i += n)
		if (!(n = twin_length(s + i, len - i)))
			return false;
	return true;
}

/* Takes the escapes off again; what was not cut must come back. */
static size_t unescape(const char *s, uint8_t *ret)
{
	size_t n = 0;

	while (*s) {
		unsigned c;

		if (*s != '\\') {
			ret[n++] = (uint8_t)*s++;
		} else if (s[1] == '\\') {
			ret[n++] = '\\';
			s += 2;
		} else {
			assert_int_equal(sscanf(s, "\\x%2x", &c), 1);
			ret[n++] = (uint8_t)c;
			s += 4;
		}
	}
	return n;
}

static uint8_t hostile_byte(void)
{
	static const uint8_t lead[] = { 0xc2, 0xe2, 0x80, 0x81, 0xed, 0xa0,
					0xf0, 0x9f, 0xf4, 0x8f, 0xbf, '\\' };
	uint32_t r = (uint32_t)random();

	return r % 3 ? lead[r / 4 % sizeof(lead)] : (uint8_t)(r / 256);
}

/* Random bytes, and every room from the least up: UTF-8, ended, in bounds
 * (ASan sees), no byte lost that is not announced by "...". */
static void any_bytes_into_any_room(void **state)
{
	(void)state;
	srandom(7);
	for (int round = 0; round < 4000; round++) {
		uint8_t in[24], back[24 * 4];
		size_t len = (size_t)random() % sizeof(in);
		size_t cap = 8 + (size_t)random() % 100;
		char *out = malloc(cap);

		for (size_t i = 0; i < len; i++)
			in[i] = hostile_byte();
		assert_ptr_equal(text_escape(in, len, out, cap), out);
		assert_true(strlen(out) < cap);
		assert_true(is_utf8(out));
		for (const char *s = out; *s; s++)
			assert_true((uint8_t)*s >= 0x20 && *s != 0x7f);
		if (strlen(out) < 3 || strcmp(out + strlen(out) - 3, "...")) {
			assert_int_equal(unescape(out, back), len);
			assert_memory_equal(back, in, len);
		} else {
			char all[sizeof(in) * 4 + 4];

			/* Cut: it did not fit, and not one sign too many. */
			text_escape(in, len, all, sizeof(all));
			assert_true(strlen(all) >= cap);
			assert_memory_equal(all, out, strlen(out) - 3);
			assert_true(strlen(out) + 5 > cap);
		}
		free(out);
	}
}

static void the_cut_is_shown(void **state)
{
	char out[8];

	(void)state;
	assert_string_equal(text_escape_str("1234567", out, 8), "1234567");
	assert_string_equal(text_escape_str("12345678", out, 8), "1234...");
	assert_string_equal(text_escape_str("\n\n", out, 8), "\\x0a...");
	assert_string_equal(text_escape_str("12\\\\zz", out, 8),
			    "12\\\\...");
	assert_string_equal(text_escape_str("123\n", out, 8), "123\\x0a");
	assert_string_equal(text_escape_str("1234\xc3\xa9zz", out, 8),
			    "1234...");
	assert_string_equal(text_escape_str("12345\xc3\xa9", out, 8),
			    "12345\xc3\xa9");
	assert_string_equal(text_escape_str("12345\xc3\xa9z", out, 8),
			    "1234...");
}

static void columns_are_counted(void **state)
{
	(void)state;
	assert_int_equal(text_columns(""), 0);
	assert_int_equal(text_columns("abc"), 3);
	assert_int_equal(text_columns("\xc3\xa9"), 1);
	assert_int_equal(text_columns("\xe6\x8e\x98z"), 3);
	assert_int_equal(text_columns("\xef\xbc\xa1"), 2); /* fullwidth A */
	assert_int_equal(text_columns("\xf0\x9f\x9b\xa0"), 2);
}

static void sizes_are_short(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} table[] = {
		{ 0, "0 B" },		    { 999, "999 B" },
		{ 1000, "1.0 KiB" },	    { 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },	    { 10240, "10 KiB" },
		{ 1023 << 10, "1.0 MiB" },  { 5ULL << 30, "5.0 GiB" },
		{ 100ULL << 40, "100 TiB" }, { UINT64_MAX, "16777216 TiB" },
	};
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(text_bytes(table[i].bytes, out),
				    table[i].text);
}

static void numbers_are_whole(void **state)
{
	static const char *const none[] = { "", "x", "7x", "7 ", "0x7", "-7",
					    "1", "10", "1e1",
					    "99999999999999999999" };

	(void)state;
	assert_int_equal(text_number("2", 2, 9), 2);
	assert_int_equal(text_number("09", 2, 9), 9);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(text_number(none[i], 2, 9), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_harmless_stays),
		cmocka_unit_test(what_is_not_is_escaped),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(any_bytes_into_any_room),
		cmocka_unit_test(the_cut_is_shown),
		cmocka_unit_test(columns_are_counted),
		cmocka_unit_test(sizes_are_short),
		cmocka_unit_test(numbers_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
