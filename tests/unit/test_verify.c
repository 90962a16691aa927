/* What davylamp-verify may say, and what is believed of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "verify.c"

static struct verify_answer signed_answer(void)
{
	return (struct verify_answer){ .key = "72B1C42FA9BFE951",
				       .comment = "davylamp rules 7" };
}

static int check(struct verify_answer a, ssize_t len, struct why *ret)
{
	ret->text[0] = '\0';
	return check_answer(&a, len, ret);
}

static void a_signature_is_believed(void **state)
{
	struct verify_answer a = signed_answer();
	struct why why = { "" };

	(void)state;
	assert_int_equal(check_answer(&a, sizeof(a), &why), 0);
	assert_string_equal(a.comment, "davylamp rules 7");
	memset(a.comment, 'x', sizeof(a.comment));
	assert_int_equal(check_answer(&a, sizeof(a), &why), 0);
	assert_int_equal(strlen(a.comment), sizeof(a.comment) - 1);
}

static void half_an_answer_is_none(void **state)
{
	struct why why;

	(void)state;
	for (ssize_t len = -1; len < (ssize_t)sizeof(struct verify_answer);
	     len++)
		assert_int_equal(check(signed_answer(), len, &why), -EPIPE);
	assert_int_equal(
		check(signed_answer(), sizeof(struct verify_answer) + 1, &why),
		-EPIPE);
}

/* It is shown to people. */
static void a_key_is_sixteen_digits(void **state)
{
	static const char *const keys[] = { "",
					    "72B1C42FA9BFE95",
					    "72B1C42FA9BFE951F",
					    "72b1c42fa9bfe951",
					    "\x1b[2JC42FA9BFE9",
					    "72B1C42F A9BFE95" };
	struct verify_answer a = signed_answer();
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		memset(a.key, 0, sizeof(a.key));
		memcpy(a.key, keys[i], strlen(keys[i]));
		assert_int_equal(check(a, sizeof(a), &why),
				 strlen(keys[i]) == 17 ? 0 : -EBADMSG);
	}
	for (size_t i = 0; i < 16; i++)
		for (int bit = 0; bit < 8; bit++) {
			bool hex;

			a = signed_answer();
			a.key[i] ^= (char)(1 << bit);
			hex = a.key[i] && strchr("0123456789ABCDEF", a.key[i]);
			assert_int_equal(check(a, sizeof(a), &why),
					 hex ? 0 : -EBADMSG);
		}
}

static void a_refusal_is_plain_and_says_why(void **state)
{
	static const int said[] = { 1, INT32_MAX, INT32_MIN, -4096 };
	struct verify_answer a = { .error = -EKEYREJECTED,
				   .text = "no\n\x1b[2J" };
	struct why why;

	(void)state;
	assert_int_equal(check(a, sizeof(a), &why), -EKEYREJECTED);
	assert_string_equal(why.text, "no\\x0a\\x1b[2J");
	a.text[0] = '\0';
	assert_int_equal(check(a, sizeof(a), &why), -EKEYREJECTED);
	assert_string_equal(why.text, strerror(EKEYREJECTED));
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		a.error = said[i];
		assert_int_equal(check(a, sizeof(a), &why), -EBADMSG);
		assert_true(why.text[0]);
	}
	memset(&a, 'A', sizeof(a)); /* no string has an end */
	assert_int_equal(check(a, sizeof(a), &why), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_is_believed),
		cmocka_unit_test(half_an_answer_is_none),
		cmocka_unit_test(a_key_is_sixteen_digits),
		cmocka_unit_test(a_refusal_is_plain_and_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
