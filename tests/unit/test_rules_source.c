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
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rules_source.h"

static char dir[64];
static struct rules_source source;
static struct why why;

/* What make builds in: each byte's highest bit flipped. */
const char builtin_rules[] = "\xf2\xf5"; /* "ru" */
extern const char builtin_rules_end[];
__asm__(".globl builtin_rules_end\n.set builtin_rules_end, builtin_rules+2");

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *name, const char *text, size_t len)
{
	int fd = open(path_of(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static int make(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_rules.XXXXXX");
	memset(&source, 0, sizeof(source));
	why.text[0] = '\0';
	return mkdtemp(dir) ? 0 : -1;
}

static int drop(void **state)
{
	char command[128];

	(void)state;
	rules_source_free(&source);
	rules_source_free(&source);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static int add(const char *name)
{
	why.text[0] = '\0';
	return rules_source_add(&source, path_of(name), &why);
}

static void refused(const char *name, int err, const char *says)
{
	assert_int_equal(add(name), err);
	assert_non_null(strstr(why.text, path_of(name)));
	assert_non_null(strstr(why.text, says));
	assert_int_equal(source.n, 0);
}

static void a_file_is_read(void **state)
{
	(void)state;
	write_file("any.name", "rule a {}", 9);
	assert_int_equal(add("any.name"), 0);
	assert_int_equal(source.n, 1);
	assert_string_equal(source.files[0].name, path_of("any.name"));
	assert_string_equal(source.files[0].text, "rule a {}");
	assert_int_equal(source.files[0].len, 9);
	assert_int_equal(source.bytes, 9);
}

/* In the order of their names, subfolders too, and nothing else. */
static void a_folder_is_read_in_order(void **state)
{
	static const char *const want[] = { "a.yar", "b.yara", "sub/a.yar",
					    "z.yar" };

	(void)state;
	mkdir(path_of("sub"), 0700);
	mkdir(path_of("dir.yar"), 0700); /* a folder, and empty */
	write_file("z.yar", "4", 1);
	write_file("b.yara", "2", 1);
	write_file("sub/a.yar", "3", 1);
	write_file("a.yar", "1", 1);
	write_file("yar", "-", 1);
	write_file("c.yarx", "-", 1);
	write_file("c.yar~", "-", 1);
	write_file("README", "-", 1);
	assert_int_equal(add(""), 0);
	assert_int_equal(source.n, 4);
	for (size_t i = 0; i < 4; i++) {
		const char *name = source.files[i].name;
		size_t len = strlen(want[i]);

		assert_true(strlen(name) > len);
		assert_string_equal(name + strlen(name) - len, want[i]);
	}
}

static void links_are_followed_where_given(void **state)
{
	(void)state;
	mkdir(path_of("sub"), 0700);
	write_file("sub/a.yar", "1", 1);
	assert_int_equal(symlink("sub", path_of("link")), 0);
	assert_int_equal(add("link"), 0);
	assert_int_equal(source.n, 1);
}

static void what_is_no_source_is_refused(void **state)
{
	(void)state;
	refused("none.yar", -ENOENT, "No such file");
	write_file("compiled.yar", "YARA\1", 5);
	refused("compiled.yar", -EINVAL, "compiled rules are not taken");
	write_file("nul.yar", "rule a {}\0", 10);
	refused("nul.yar", -EINVAL, "NUL");
	mkfifo(path_of("fifo.yar"), 0600);
	refused("fifo.yar", -EINVAL, "not a regular file");
	mkdir(path_of("empty"), 0700);
	refused("empty", -ENOENT, "holds no .yar");
	assert_int_equal(rules_source_add(&source, "", &why), -EINVAL);
	assert_non_null(strstr(why.text, "empty"));
	assert_int_equal(rules_source_add(&source, "", NULL), -EINVAL);
}

static void too_much_is_refused(void **state)
{
	int fd;

	(void)state;
	write_file("large.yar", "x", 1);
	fd = open(path_of("large.yar"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, RULES_SOURCE_MAX + 1), 0);
	close(fd);
	refused("large.yar", -E2BIG, "64 MiB");
	source.bytes = RULES_SOURCE_MAX - 3;
	assert_int_equal(rules_source_add_text(&source, "t", "1234", 4, &why),
			 -E2BIG);
	assert_int_equal(rules_source_add_text(&source, "t", "123", 3, &why),
			 0);
}

static void too_many_are_refused(void **state)
{
	int err = 0;

	(void)state;
	for (int i = 0; i < RULES_SOURCE_FILES && !err; i++)
		err = rules_source_add_text(&source, "t", "", 0, &why);
	assert_int_equal(err, 0);
	assert_int_equal(rules_source_add_text(&source, "t", "", 0, &why),
			 -E2BIG);
	assert_non_null(strstr(why.text, "10000"));
	assert_int_equal(source.n, RULES_SOURCE_FILES);
}

static void unreadable_is_refused(void **state)
{
	(void)state;
	write_file("secret.yar", "x", 1);
	chmod(path_of("secret.yar"), 0);
	chmod(dir, 0755);
	if (geteuid() == 0 && seteuid(65534)) {
		puts("root can not become nobody here");
		skip();
	}
	refused("secret.yar", -EACCES, "Permission denied");
	assert_int_equal(seteuid(getuid()), 0);
}

static void the_built_in_is_flipped_back(void **state)
{
	(void)state;
	assert_int_equal(rules_source_add_builtin(&source, &why), 0);
	assert_int_equal(source.n, 1);
	assert_string_equal(source.files[0].text, "ru");
	assert_string_equal(source.files[0].name, "built-in");
}

/* What is torn is not taken for less. */
static void what_is_saved_is_read_back(void **state)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	struct rules_source read = { .n = 0 };
	const char *text;
	struct stat st;

	(void)state;
	write_file("b.inc", "included", 8);
	assert_int_equal(rules_source_add_text(&source, "a.yar", "", 0, &why),
			 0);
	text = rules_source_include(&source, "b.inc", path_of("a.yar"));
	assert_string_equal(text, "included");
	assert_ptr_equal(
		rules_source_include(&source, "b.inc", path_of("a.yar")), text);
	assert_int_equal(rules_source_save(&source, fd), 0);
	assert_int_equal(rules_source_load(&read, fd), 0);
	assert_int_equal(read.n, 2);
	assert_string_equal(read.files[0].name, "a.yar");
	assert_int_equal(read.files[0].len, 0);
	unlink(path_of("b.inc"));
	assert_string_equal(
		rules_source_include(&read, "b.inc", path_of("a.yar")),
		"included");
	write_file("c.inc", "new", 3);
	assert_null(rules_source_include(&read, "c.inc", path_of("a.yar")));
	rules_source_free(&read);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(ftruncate(fd, st.st_size - 1), 0);
	assert_int_equal(rules_source_load(&read, fd), -EBADMSG);
	rules_source_free(&read);
	close(fd);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_read),
		TEST(a_folder_is_read_in_order),
		TEST(links_are_followed_where_given),
		TEST(what_is_no_source_is_refused),
		TEST(too_much_is_refused),
		TEST(too_many_are_refused),
		TEST(unreadable_is_refused),
		TEST(the_built_in_is_flipped_back),
		TEST(what_is_saved_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
