/* Any bytes, escaped into any room: ended, plain, and unless they were cut
 * they can be told again. */
#include <assert.h>
#include <stdlib.h>
#include "text.c"

static size_t unescape(const char *s, uint8_t *ret)
{
	size_t n = 0;

	while (*s) {
		unsigned c = (uint8_t)*s;
		int len = 1;

		if (c == '\\' && s[1] == '\\') {
			len = 2;
		} else if (c == '\\') {
			assert(sscanf(s, "\\x%2x", &c) == 1);
			len = 4;
		}
		ret[n++] = (uint8_t)c;
		s += len;
	}
	return n;
}

static void check(const uint8_t *bytes, size_t len, const char *out)
{
	size_t n = strlen(out);
	uint32_t rune;

	for (size_t i = 0; i < n;) {
		size_t one = utf8_length((const uint8_t *)out + i, n - i,
					 &rune);

		assert(one && rune >= 0x20 && (rune < 0x7f || rune > 0xa0));
		i += one;
	}
	assert(text_columns(out) <= 2 * n);
	if (n < 3 || strcmp(out + n - 3, "...")) {
		uint8_t *back = malloc(n + 1);

		assert(unescape(out, back) == len);
		assert(!len || !memcmp(back, bytes, len));
		free(back);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t cap = len ? 8 + data[0] * (size_t)4 : 8;
	char *out = malloc(cap);

	check(data, len, text_escape(data, len, out, cap));
	free(out);
	return 0;
}
