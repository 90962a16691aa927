#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "sha256.h"

static void digest(const void *bytes, size_t len, size_t step,
		   char ret[static 65])
{
	struct sha256 s;
	uint8_t d[32];

	sha256_begin(&s);
	for (size_t at = 0; at < len; at += step)
		sha256_add(&s, (const char *)bytes + at,
			   len - at < step ? len - at : step);
	sha256_end(&s, d);
	sha256_hex(d, ret);
}

/* FIPS 180-4 examples, and the long one of NIST's CAVS. */
static void vectors(void **state)
{
	static const struct {
		const char *text, *hex;
	} known[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb924"
		      "27ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223"
			 "b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039"
		  "a33ce45964ff2167f6ecedd419db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		  "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		  "cf5b16a778af8380036ce59e7b049237"
		  "0b249b11e8f07a51afac45037afee9d1" },
	};
	char hex[65];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		for (size_t step = 1; step < 70; step++) {
			digest(known[i].text, strlen(known[i].text), step, hex);
			assert_string_equal(hex, known[i].hex);
		}
}

static void a_million_a(void **state)
{
	char *a = malloc(1000000), hex[65];

	(void)state;
	memset(a, 'a', 1000000);
	digest(a, 1000000, 999, hex);
	assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67"
				 "f1809a48a497200e046d39ccc7112cd0");
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(a_million_a),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
