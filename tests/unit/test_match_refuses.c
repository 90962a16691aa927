#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "match_fixture.h"

/* Each test of bad rules starts the real matcher and is refused. */
static struct why why;

static const char *refused(const char *path, int want)
{
	int err;
	struct match *m = start_match(path, &err, &why);

	assert_null(m);
	assert_int_equal(err, want);
	assert_true(why.text[0]);
	return why.text;
}

static int use_real(void **state)
{
	(void)state;
	use_real_matcher();
	write_rules("good.yar", "rule good { condition: false }");
	return 0;
}

static void a_syntax_error_has_file_and_line(void **state)
{
	(void)state;
	write_rules("syntax.yar", "rule a { condition: false }\n"
				  "rule b {\n"
				  "  strings:\n"
				  "    $a = { 01 02 zz }\n"
				  "  condition: $a\n"
				  "}\n");
	refused(rules_path, -EINVAL);
	assert_non_null(strstr(why.text, rules_path));
	assert_non_null(strstr(why.text, "line 4: syntax error"));
	/* In a folder, the file is named all the same. */
	refused(rules_dir, -EINVAL);
	assert_non_null(strstr(why.text, "/syntax.yar'"));
	unlink(rules_path);
}

static void the_same_rule_twice(void **state)
{
	(void)state;
	write_rules("twice.yar", "rule a { condition: false }\n"
				 "rule a { condition: false }\n");
	refused(rules_path, -EINVAL);
	assert_non_null(strstr(why.text, "line 2"));
	unlink(rules_path);
}

/* The message is shown on a terminal; the rules' text stands in it. */
static void hostile_text_is_escaped(void **state)
{
	(void)state;
	write_rules("\x1b[31m\n.yar", "rule a { condition: \x1b]0;x\x07 }\n");
	refused(rules_path, -EINVAL);
	for (const char *s = why.text; *s; s++)
		assert_true((unsigned char)*s >= 0x20 && *s != 0x7f);
	assert_non_null(strstr(why.text, "\\x1b[31m"));
	assert_non_null(strstr(why.text, "\\x0a.yar', line 1"));
	unlink(rules_path);
}

static void a_wrong_where_is_refused(void **state)
{
	(void)state;
	write_rules("where.yar", "rule a { meta: where = \"everywhere\" "
				 "condition: false }\n");
	refused(rules_path, -EINVAL);
	assert_non_null(strstr(why.text, "where = \"everywhere\""));
	assert_non_null(strstr(why.text, "code, image, jit, any"));
	unlink(rules_path);
}

static void what_is_no_rule_file(void **state)
{
	char path[128];

	(void)state;
	write_rules("compiled.yar", "YARA\x12\x34 and then binary");
	refused(rules_path, -EINVAL);
	assert_non_null(strstr(why.text, "compiled"));
	unlink(rules_path);

	snprintf(path, sizeof(path), "%s/fifo.yar", rules_dir);
	assert_int_equal(mkfifo(path, 0644), 0);
	refused(path, -EINVAL);
	assert_non_null(strstr(why.text, "not a regular file"));
	refused(rules_dir, -EINVAL); /* nor below a folder */
	assert_non_null(strstr(why.text, "fifo.yar"));
	unlink(path);

	refused("/dev/null", -EINVAL);
	refused("", -EINVAL);
	refused("/nowhere/at/all.yar", -EINVAL);
	assert_non_null(strstr(why.text, "/nowhere/at/all.yar"));
}

static void an_empty_folder_is_refused(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/empty", rules_dir);
	assert_int_equal(mkdir(path, 0755), 0);
	refused(path, -EINVAL);
	assert_non_null(strstr(why.text, "holds no .yar"));
	rmdir(path);
}

static void unreadable_rules_are_refused(void **state)
{
	int err;
	struct match *m;

	(void)state;
	if (geteuid() == 0 && seteuid(65534)) {
		puts("the tests' user can not be changed");
		skip();
	}
	if (access(program, X_OK) || eaccess(program, X_OK)) {
		assert_int_equal(seteuid(0), 0);
		puts("nobody may not start davylamp-match here");
		skip();
	}
	assert_int_equal(seteuid(getuid()), 0);
	write_rules("secret.yar", "rule a { condition: false }");
	chmod(rules_path, 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	m = start_match(rules_path, &err, &why);
	assert_int_equal(seteuid(getuid()), 0);
	unlink(rules_path);
	assert_null(m);
	assert_int_equal(err, -EINVAL);
	assert_non_null(strstr(why.text, "secret.yar"));
	assert_non_null(strstr(why.text, "Permission denied"));
}

static void no_matcher_is_told(void **state)
{
	int err;

	(void)state;
	strcpy(program, "/nowhere/davylamp-match");
	assert_null(start_match(rules_path, &err, &why));
	assert_int_equal(err, -ENOENT);
	assert_non_null(strstr(why.text, "'/nowhere/davylamp-match'"));
	strcpy(program, "/bin/true");
	assert_null(start_match(rules_path, &err, &why));
	assert_int_equal(err, -EPIPE);
	assert_non_null(strstr(why.text, "status 0"));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup(t, use_real)
	const struct CMUnitTest tests[] = {
		TEST(a_syntax_error_has_file_and_line),
		TEST(the_same_rule_twice),
		TEST(hostile_text_is_escaped),
		TEST(a_wrong_where_is_refused),
		TEST(what_is_no_rule_file),
		TEST(an_empty_folder_is_refused),
		TEST(unreadable_rules_are_refused),
		TEST(no_matcher_is_told),
	};

	if (child_emulated() || child_unwatched())
		return child_skip_group();
	return cmocka_run_group_tests(tests, NULL, remove_rules);
}
