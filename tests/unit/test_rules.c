#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "rules.h"

/* What make builds in, each byte's highest bit flipped; start() does that. */
char builtin_rules[64] = "rule built_in { condition: false }";
extern const char builtin_rules_end[];
__asm__(".globl builtin_rules_end\n.set builtin_rules_end, builtin_rules+64");

static char path[2][64];
static struct rules *rules;
static struct why why;

static void write_rules(int i, const char *text)
{
	int fd = open(path[i], O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)),
			 (ssize_t)strlen(text));
	close(fd);
}

static int load(const char *first, const char *second)
{
	const char *const paths[] = { path[0], path[1] };

	rules = NULL;
	why.text[0] = '\0';
	write_rules(0, first);
	if (second)
		write_rules(1, second);
	return rules_load(paths, second ? 2 : 1,
			  &(struct rules_choice){ .no_default = true }, &rules, &why);
}

static int drop(void **state)
{
	(void)state;
	rules_free(rules);
	rules = NULL;
	return 0;
}

#define RULE(name, meta) \
	"rule " name " { meta: " meta " strings: $a = \"" name " is here\" " \
	"condition: $a } "

static void meta_is_understood(void **state)
{
	const struct rule *r;

	(void)state;
	assert_int_equal(load(RULE("one", "family = \"F\" algorithm = \"A\" "
				   "reference = \"R\" description = \"D\" "
				   "where = \"JIT\" severity = \"low\"")
			      RULE("two", "author = \"x\" severity = 7"), NULL),
			 0);
	assert_int_equal(rules_count(rules), 2);
	r = rules_rule(rules, 0);
	assert_string_equal(r->name, "one");
	assert_string_equal(r->family, "F");
	assert_string_equal(r->algorithm, "A");
	assert_string_equal(r->reference, "R");
	assert_string_equal(r->description, "D");
	assert_int_equal(r->where, WHERE_JIT);
	assert_int_equal(r->severity, SEVERITY_LOW);
	r = rules_rule(rules, 1); /* what holds where nothing is said */
	assert_string_equal(r->name, "two");
	assert_string_equal(r->family, "");
	assert_int_equal(r->where, WHERE_IMAGE);
	assert_int_equal(r->severity, SEVERITY_HIGH);
}

static void every_where_and_severity(void **state)
{
	static const char *const where[] = { "code", "image", "jit", "any" };
	static const char *const severity[] = { "LOW", "MEDIUM", "HIGH" };
	char text[256];

	(void)state;
	for (int i = 0; i < 12; i++) {
		snprintf(text, sizeof(text),
			 "rule r { meta: where = \"%s\" severity = \"%s\" "
			 "strings: $a = \"abcdef\" condition: $a }",
			 where[i % 4], severity[i / 4]);
		assert_int_equal(load(text, NULL), 0);
		assert_int_equal(rules_rule(rules, 0)->where, i % 4);
		assert_int_equal(rules_rule(rules, 0)->severity, i / 4);
		for (unsigned s = 0; s < WHERE_COUNT; s++)
			assert_int_equal(rules_set(rules, s) != NULL,
					 s == (unsigned)i % 4);
		drop(state);
	}
}

static void a_wrong_where_is_refused(void **state)
{
	(void)state;
	assert_int_equal(load(RULE("r", "where = \"heap\\x1b\""), NULL),
			 -EINVAL);
	assert_non_null(strstr(why.text, "rule r: meta where = \"heap\\x1b\""));
	assert_non_null(strstr(why.text, "code, image, jit, any"));
	assert_null(rules);
}

static void long_meta_is_cut(void **state)
{
	char text[2000], family[600];

	(void)state;
	memset(family, 'f', sizeof(family) - 1);
	family[599] = '\0';
	snprintf(text, sizeof(text),
		 "rule r { meta: family = \"%s\" description = \"%s\" "
		 "condition: false }", family, family);
	assert_int_equal(load(text, NULL), 0);
	assert_int_equal(strlen(rules_rule(rules, 0)->family), 47);
	assert_int_equal(strlen(rules_rule(rules, 0)->description), 199);
}

/* Each file is a namespace of its own; in one, a name stands once. */
static void names_are_per_file(void **state)
{
	(void)state;
	assert_int_equal(load(RULE("same", ""
				   "x = 1"), RULE("same", "x = 1")), 0);
	assert_int_equal(rules_count(rules), 2);
	drop(state);
	assert_int_equal(load(RULE("same", "x = 1") "\n" RULE("same", "x = 1"),
			      NULL), -EINVAL);
	assert_non_null(strstr(why.text, path[0]));
	assert_non_null(strstr(why.text, "line 2"));
}

static void errors_name_file_and_line(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "rule", "syntax error" }, /* at the end: no line */
		{ "\n\nrule r { condition: }", "line 3: " },
		{ "rule r { condition: $a }", "line 1: undefined string" },
		{ "rule r { condition: nobody }", "undefined identifier" },
		{ "import \"nothing\"", "line 1: " },
		{ "include \"/nowhere.yar\"", "line 1: " },
		{ "rule r {\nstrings: $a = /(/ condition: $a }", "line 2: " },
		{ "rule r { strings: $a = \"x\" condition: true }",
		  "line 1: unreferenced string" },
		{ "\xff\xfe", "line 1: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(load("rule good { condition: false }",
				      bad[i].text), -EINVAL);
		if (!strstr(why.text, path[1]) ||
		    !strstr(why.text, bad[i].says))
			fail_msg("%s: %s", bad[i].text, why.text);
		assert_null(rules);
	}
}

/* Private rules serve others and are not reported. */
static void private_rules_are_not_counted(void **state)
{
	uint32_t number;

	(void)state;
	assert_int_equal(load("private rule p { strings: $a = \"private\" "
			      "condition: $a } rule r { condition: p } "
			      "rule s { strings: $a = \"public\" "
			      "condition: $a and not p }", NULL), 0);
	assert_int_equal(rules_count(rules), 2);
	assert_string_equal(rules_rule(rules, 0)->name, "r");
	assert_string_equal(rules_rule(rules, 1)->name, "s");
	for (unsigned s = 0; s < WHERE_COUNT; s++) {
		YR_RULES *set = rules_set(rules, s);

		if (!set)
			continue;
		assert_false(rules_number(rules, s, &set->rules_table[0],
					  &number));
		if (rules_number(rules, s, &set->rules_table[2], &number))
			assert_int_equal(number, 1);
	}
}

/* With a slow one, all rules for the same memory see every page; others do
 * not. */
static void a_slow_one_is_not_alone(void **state)
{
	size_t n;

	(void)state;
	assert_int_equal(
		load(RULE("fast",
			  "where = \"code\"") "rule slow { meta: where = "
					      "\"code\" "
					      "condition: true } " RULE(
						      "jit", "where = \"jit\""),
		     NULL),
		0);
	assert_int_equal(rules_every_page(rules), 1 << WHERE_CODE);
	assert_string_equal(rules_rule(rules, 0)->slow, "");
	assert_non_null(
		strstr(rules_rule(rules, 1)->slow, "without any string"));
	rules_atoms(rules, &n);
	assert_int_equal(n, 1); /* of jit */
	for (unsigned w = 0; w < WHERE_COUNT; w++) {
		YR_RULES *set = rules_set(rules, w);
		uint32_t number;

		assert_int_equal(set != NULL,
				 w == WHERE_CODE || w == WHERE_JIT);
		for (uint32_t i = 0; set && i < 3; i++)
			assert_int_equal(rules_number(rules, w,
						      &set->rules_table[i],
						      &number),
					 (i == 2) == (w == WHERE_JIT));
	}
}

static void what_is_undefined_is_said(void **state)
{
	(void)state;
	assert_int_equal(load("import \"elf\" "
			      "rule r { strings: $a = \"abcdef\" "
			      "condition: $a and uint32(0) == 0x464c457f } "
			      "rule m { strings: $a = \"abcdef\" "
			      "condition: $a and elf.type == elf.ET_EXEC } "
			      "rule f { strings: $a = \"abcdef\" "
			      "condition: $a and filesize < 1MB } "
			      "rule g { strings: $a = \"abcdef\" "
			      "condition: $a }",
			      NULL),
			 0);
	assert_int_equal(rules_every_page(rules), 0);
	assert_string_equal(rules_rule(rules, 0)->undefined,
			    "uintN() or intN()");
	assert_string_equal(rules_rule(rules, 1)->undefined,
			    "a module's value");
	assert_string_equal(rules_rule(rules, 2)->undefined, "filesize");
	assert_string_equal(rules_rule(rules, 3)->undefined, "");
}

static void the_version_is_of_the_text(void **state)
{
	char first[17];

	(void)state;
	assert_int_equal(load(RULE("r", "x = 1"), NULL), 0);
	assert_int_equal(strlen(rules_version(rules)), 16);
	strcpy(first, rules_version(rules));
	drop(state);
	assert_int_equal(load(RULE("r", "x = 1"), NULL), 0);
	assert_string_equal(rules_version(rules), first);
	drop(state);
	assert_int_equal(load(RULE("r", "x = 2"), NULL), 0);
	assert_string_not_equal(rules_version(rules), first);
}

static void atoms_are_for_the_rules_memory(void **state)
{
	const struct atom *a;
	size_t n;

	(void)state;
	assert_int_equal(load(RULE("one", "where = \"code\"")
			      RULE("two", "where = \"any\""), NULL), 0);
	a = rules_atoms(rules, &n);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(a[i].where, !memcmp(a[i].bytes, "one", 3)
						     ? 1 << WHERE_CODE
						     : 1 << WHERE_ANY);
}

static void empty_files_and_the_built_in(void **state)
{
	(void)state;
	assert_int_equal(load("", "/* nothing */"), 0);
	assert_int_equal(rules_count(rules), 0);
	drop(state);
	assert_int_equal(rules_load(NULL, 0, &(struct rules_choice){ 0 }, &rules, &why), 0);
	assert_int_equal(rules_count(rules), 1);
	assert_string_equal(rules_rule(rules, 0)->name, "built_in");
	drop(state);
	assert_int_equal(rules_load(NULL, 0, &(struct rules_choice){ .no_default = true }, &rules, &why), 0);
	assert_int_equal(rules_count(rules), 0);
}

static int start(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(builtin_rules); i++) {
		if (!builtin_rules[i])
			builtin_rules[i] = ' ';
		builtin_rules[i] = (char)(builtin_rules[i] ^ 0x80);
	}
	for (int i = 0; i < 2; i++) {
		strcpy(path[i], "/tmp/test_rules.XXXXXX");
		close(mkstemp(path[i]));
	}
	return yr_initialize() != ERROR_SUCCESS;
}

static int stop(void **state)
{
	(void)state;
	unlink(path[0]);
	unlink(path[1]);
	return yr_finalize() != ERROR_SUCCESS;
}

int main(void)
{
#define TEST(t) cmocka_unit_test_teardown(t, drop)
	const struct CMUnitTest tests[] = {
		TEST(meta_is_understood),
		TEST(every_where_and_severity),
		TEST(a_wrong_where_is_refused),
		TEST(long_meta_is_cut),
		TEST(names_are_per_file),
		TEST(errors_name_file_and_line),
		TEST(private_rules_are_not_counted),
		TEST(a_slow_one_is_not_alone),
		cmocka_unit_test_teardown(what_is_undefined_is_said, drop),
		TEST(the_version_is_of_the_text),
		TEST(atoms_are_for_the_rules_memory),
		TEST(empty_files_and_the_built_in),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
