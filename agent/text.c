/* text.c - attacker's bytes made safe.  What passes is decided by a list of
 * what is harmless, never by a list of what is not: well-formed UTF-8
 * (RFC 3629) outside the control, format and surrogate ranges. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

/* Length of the well-formed UTF-8 sequence at @s, 0 if there is none. */
static size_t utf8_length(const uint8_t *s, size_t len, uint32_t *ret_rune)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t rune = s[0];
	size_t n = rune < 0x80	     ? 1
		   : rune >> 5 == 6  ? 2
		   : rune >> 4 == 14 ? 3
		   : rune >> 3 == 30 ? 4
				     : 0;

	if (n == 0 || n > len)
		return 0;
	if (n > 1)
		rune &= 0xffU >> (n + 1);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		rune = rune << 6 | (s[i] & 0x3f);
	}
	if (rune < least[n] || rune > 0x10ffff)
		return 0;
	*ret_rune = rune;
	return n;
}

/* Shown as it is: no control, no zero width, no direction change. */
static bool is_plain(uint32_t rune)
{
	static const uint32_t odd[][2] = {
		{ 0x7f, 0xa0 },	    { 0xad, 0xad },	{ 0x300, 0x36f },
		{ 0x61c, 0x61c },   { 0x180b, 0x180f }, { 0x1ab0, 0x1aff },
		{ 0x1dc0, 0x1dff }, { 0x2000, 0x200f }, { 0x2028, 0x202f },
		{ 0x205f, 0x206f }, { 0x20d0, 0x20ff }, { 0x3164, 0x3164 },
		{ 0xd800, 0xf8ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
		{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xffff },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0x10ffff },
	};

	if (rune < 0x20)
		return false;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (rune >= odd[i][0] && rune <= odd[i][1])
			return false;
	return true;
}

static char *escape(const void *bytes, size_t len, bool double_backslash,
		    char *ret, size_t cap)
{
	const uint8_t *s = bytes;
	size_t out = 0, cut = 0;

	for (size_t i = 0; i < len;) {
		uint32_t rune;
		size_t n = utf8_length(s + i, len - i, &rune);
		char one[8];
		size_t width;

		if (n && is_plain(rune) &&
		    (s[i] != '\\' || !double_backslash)) {
			memcpy(one, s + i, n);
			width = n;
		} else if (s[i] == '\\') {
			memcpy(one, "\\\\", width = 2);
			n = 1;
		} else {
			snprintf(one, sizeof(one), "\\x%02x", s[i]);
			width = 4;
			n = 1;
		}
		if (out + 4 <= cap)
			cut = out; /* the last place where "..." has room */
		if (out + width + 1 > cap) {
			memcpy(ret + cut, "...", 4);
			return ret;
		}
		memcpy(ret + out, one, width);
		out += width;
		i += n;
	}
	ret[out] = '\0';
	return ret;
}

char *text_escape(const void *bytes, size_t len, char *ret, size_t cap)
{
	return escape(bytes, len, true, ret, cap);
}

char *text_check_str(const char *s, char *ret, size_t cap)
{
	return escape(s, strlen(s), false, ret, cap);
}

char *text_escape_str(const char *s, char *ret, size_t cap)
{
	return text_escape(s, strlen(s), ret, cap);
}

/* East Asian wide ranges count two; good enough to keep a table straight. */
size_t text_columns(const char *s)
{
	size_t len = strlen(s), columns = 0;

	for (size_t i = 0; i < len;) {
		uint32_t rune = 0;
		size_t n = utf8_length((const uint8_t *)s + i, len - i, &rune);

		columns += (rune >= 0x1100 && rune <= 0x115f) ||
				   (rune >= 0x2e80 && rune <= 0xa4cf) ||
				   (rune >= 0xac00 && rune <= 0xd7a3) ||
				   (rune >= 0xf900 && rune <= 0xfaff) ||
				   (rune >= 0xff00 && rune <= 0xff60) ||
				   rune >= 0x1f300
			   ? 2
			   : 1;
		i += n ? n : 1;
	}
	return columns;
}

char *text_bytes(uint64_t bytes, char ret[static 16])
{
	static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double n = (double)bytes;
	size_t u = 0;

	while (n >= 1000 && u < 4) {
		n /= 1024;
		u++;
	}
	snprintf(ret, 16, n < 10 && u ? "%.1f %s" : "%.0f %s", n, unit[u]);
	return ret;
}

long text_number(const char *s, long least, long most)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(s, &end, 10);
	return errno || end == s || *end || n < least || n > most ? -1 : n;
}
