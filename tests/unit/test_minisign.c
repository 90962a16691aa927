/* Signatures that minisign 0.11 made, and everything that is not one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "installed.h"
#include "minisign.h"

static const char file[] = "davylamp test vector\n";
static const char key_text[] =
	"untrusted comment: minisign public key 72B1C42FA9BFE951\n"
	"RWRR6b+pL8SxcgP5VGwzv96S6HTsti77Wa6RAisG6p+965m+/BqiwvcJ\n";
static const char hashed[] =
	"untrusted comment: signature from minisign secret key\n"
	"RURR6b+pL8SxctYiGr1DrgFuW2olxEN1XHVc0M4NCQ/WS6KD0OGSx8BDX7LkwgHt9mlqjQzG5JX6tKRl749/lkExv78SCq7tSQg=\n"
	"trusted comment: davylamp rules 7\n"
	"gfd8pzY7nmki+R4kY81/lHLdkMCKOtr0ujyNpA6MdjRJG7DUKK9mfKgKnh+M5+OaNWUKdlTZxm3tTo1xOuCHCg==\n";
static const char legacy[] =
	"untrusted comment: signature from minisign secret key\n"
	"RWRR6b+pL8SxcheaZb08+614JUUH3X0alI0F405jQ/vjt8hA705Mtu8rDjyFqKt2x9RKkDJX/JThCWemnavob3Z76aGCk2uENgI=\n"
	"trusted comment: davylamp rules 7\n"
	"A75xJBg5nvniVBYRRr7yoB7yiwRuL7JKlNkKwhqIu7u7UJGQYDf32Cq6j36DxdSBtdCMnez8H7sPYbhj5ezcCQ==\n";

static struct minisign_key key;

static int verify_bytes(const char *signature, size_t len, const char *of)
{
	struct minisign_signature s;
	struct why why = { "" };
	int err = minisign_read_signature(signature, len, &s, &why);

	if (!err)
		err = minisign_verify(&s, (const uint8_t *)of, strlen(of),
				      &key, 1, &why);
	assert_true(!err == !why.text[0]);
	return err;
}

static int verify(const char *signature, const char *of)
{
	return verify_bytes(signature, strlen(signature), of);
}

static int setup(void **state)
{
	struct why why;

	(void)state;
	return minisign_begin() ?: minisign_read_key(key_text,
						     strlen(key_text), &key,
						     &why);
}

static void test_takes_what_minisign_signed(void **state)
{
	struct minisign_signature s;
	struct why why = { "" };
	char name[17];

	(void)state;
	assert_int_equal(verify(hashed, file), 0);
	assert_int_equal(verify(legacy, file), 0);
	assert_int_equal(minisign_read_signature(hashed, strlen(hashed), &s,
						 &why),
			 0);
	assert_true(s.hashed);
	assert_string_equal(s.comment, "davylamp rules 7");
	minisign_key_name(s.id, name);
	assert_non_null(strstr(key_text, name));
}

static void test_refuses_another_file(void **state)
{
	char other[] = "davylamp test vector\n";

	(void)state;
	for (size_t i = 0; i < strlen(other); i++)
		for (int bit = 0; bit < 8; bit++) {
			other[i] ^= (char)(1 << bit);
			if (other[i]) {
				assert_int_equal(verify(hashed, other),
						 -EKEYREJECTED);
				assert_int_equal(verify(legacy, other),
						 -EKEYREJECTED);
			}
			other[i] ^= (char)(1 << bit);
		}
	assert_int_equal(verify(hashed, ""), -EKEYREJECTED);
}

static void test_refuses_another_key(void **state)
{
	struct minisign_key was = key;

	(void)state;
	key.bytes[5] ^= 1;
	assert_int_equal(verify(hashed, file), -EKEYREJECTED);
	key = was;
	key.id[5] ^= 1;
	assert_int_equal(verify(hashed, file), -EKEYREJECTED);
	key = was;
	assert_int_equal(verify(hashed, file), 0);
}

/* Of each bit, but for those of the untrusted comment and of line ends. */
static void refuse_flips(const char *signature)
{
	size_t len = strlen(signature);
	size_t skip = (size_t)(strchr(signature, '\n') - signature) + 1;
	char *bytes = malloc(len);

	memcpy(bytes, signature, len);
	for (size_t i = skip; i < len; i++)
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (char)(1 << bit);
			if (signature[i] != '\n')
				assert_true(verify_bytes(bytes, len, file));
			else
				verify_bytes(bytes, len, file);
			bytes[i] ^= (char)(1 << bit);
		}
	assert_int_equal(verify_bytes(bytes, len, file), 0);
	free(bytes);
}

static void test_refuses_every_flipped_bit(void **state)
{
	(void)state;
	refuse_flips(hashed);
	refuse_flips(legacy);
}

static void test_refuses_what_is_cut_off(void **state)
{
	(void)state;
	for (size_t n = 0; n < strlen(hashed) - 1; n++)
		assert_true(verify_bytes(hashed, n, file));
	/* without its last line end it is whole */
	assert_int_equal(verify_bytes(hashed, strlen(hashed) - 1, file), 0);
}

static void test_refuses_more_than_four_lines(void **state)
{
	char longer[1024];

	(void)state;
	snprintf(longer, sizeof(longer), "%s\n", hashed);
	assert_int_equal(verify(longer, file), -EBADMSG);
}

/* The hash of a file as if it were the file: "Ed" over 64 bytes. */
static void test_legacy_is_not_hashed(void **state)
{
	struct minisign_signature s;
	struct why why = { "" };

	(void)state;
	assert_int_equal(minisign_read_signature(hashed, strlen(hashed), &s,
						 &why),
			 0);
	s.hashed = false;
	assert_int_equal(minisign_verify(&s, (const uint8_t *)file,
					 strlen(file), &key, 1, &why),
			 -EKEYREJECTED);
}

static void test_reads_keys_strictly(void **state)
{
	struct minisign_key k;
	struct why why;
	size_t len = strlen(key_text);
	char bytes[256];

	(void)state;
	for (size_t n = 0; n < len - 1; n++)
		assert_int_equal(minisign_read_key(key_text, n, &k, &why),
				 -EBADMSG);
	memcpy(bytes, key_text, len);
	bytes[len - 20] = '*';
	assert_int_equal(minisign_read_key(bytes, len, &k, &why), -EBADMSG);
}

static void test_reads_versions_strictly(void **state)
{
	static const char *const bad[] = {
		"", "davylamp rules", "davylamp rules ", "davylamp rules 0",
		"davylamp rules 07", "davylamp rules -1", "davylamp rules 1x",
		"davylamp rules 9007199254740993", "davylamp rules 1\t",
		"davylamp rules 99999999999999999999999", "davylamp hashes 7",
		"Davylamp rules 7", " davylamp rules 7", "davylamp  rules 7",
	};
	uint64_t version = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(installed_parse(INSTALLED_RULES, bad[i],
					     &version));
	assert_true(installed_parse(INSTALLED_RULES, "davylamp rules 7",
				    &version));
	assert_int_equal(version, 7);
	assert_true(installed_parse(INSTALLED_HASHES,
				    "davylamp hashes 9007199254740992 of May",
				    &version));
	assert_true(version == INSTALLED_VERSION_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_what_minisign_signed),
		cmocka_unit_test(test_refuses_another_file),
		cmocka_unit_test(test_refuses_another_key),
		cmocka_unit_test(test_refuses_every_flipped_bit),
		cmocka_unit_test(test_refuses_what_is_cut_off),
		cmocka_unit_test(test_refuses_more_than_four_lines),
		cmocka_unit_test(test_legacy_is_not_hashed),
		cmocka_unit_test(test_reads_keys_strictly),
		cmocka_unit_test(test_reads_versions_strictly),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
