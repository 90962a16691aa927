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
#include <sys/stat.h>
#include <unistd.h>
#include "io.h"

static char dir_name[] = "/tmp/test_io.XXXXXX";
static int dir;

static int make_dir(void **state)
{
	int fd;

	(void)state;
	if (!mkdtemp(dir_name) ||
	    (dir = open(dir_name, O_PATH | O_DIRECTORY)) < 0 ||
	    (fd = openat(dir, "ten", O_CREAT | O_WRONLY, 0600)) < 0 ||
	    write(fd, "0123456789", 10) != 10)
		return -1;
	close(fd);
	return symlinkat("ten", dir, "link") || mkdirat(dir, "sub", 0700) ||
	       (close(openat(dir, "empty", O_CREAT | O_WRONLY, 0600)));
}

static int remove_dir(void **state)
{
	(void)state;
	unlinkat(dir, "ten", 0);
	unlinkat(dir, "link", 0);
	unlinkat(dir, "empty", 0);
	unlinkat(dir, "sub", AT_REMOVEDIR);
	close(dir);
	return rmdir(dir_name);
}

/* Each room up to more than enough, with a sentinel behind it. */
static void a_file_is_read_as_far_as_there_is_room(void **state)
{
	(void)state;
	for (size_t cap = 1; cap < 16; cap++) {
		char buf[20];
		size_t want = cap - 1 < 10 ? cap - 1 : 10;

		memset(buf, '#', sizeof(buf));
		assert_int_equal(io_read_at(dir, "ten", buf, cap), want);
		assert_memory_equal(buf, "0123456789", want);
		assert_int_equal(buf[want], '\0');
		for (size_t i = want + 1; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '#');
	}
}

static void what_can_not_be_read_is_an_error(void **state)
{
	char buf[16] = "kept";

	(void)state;
	assert_int_equal(io_read_at(dir, "none", buf, 16), -ENOENT);
	assert_int_equal(io_read_at(dir, "sub", buf, 16), -EISDIR);
	assert_int_equal(io_read_at(dir, "link", buf, 16), -ELOOP);
	assert_int_equal(io_read_at(-7, "ten", buf, 16), -EBADF);
	assert_string_equal(buf, "kept");
	assert_int_equal(io_read_at(dir, "empty", buf, 16), 0);
	assert_string_equal(buf, "");
}

/* A file of /proc comes in pieces that it chooses itself. */
static void a_long_proc_file_is_whole(void **state)
{
	static char whole[1 << 20];
	FILE *f = fopen("/proc/kallsyms", "re") ?: fopen("/proc/modules", "re");
	size_t len;
	ssize_t n;

	(void)state;
	assert_non_null(f);
	len = fread(whole, 1, sizeof(whole) - 1, f);
	fclose(f);
	n = io_read_at(AT_FDCWD, "/proc/kallsyms", whole, sizeof(whole));
	if (n < 0) {
		puts("/proc/kallsyms can not be read");
		skip();
	}
	assert_int_equal(n, len);
}

static void links_are_read_not_followed(void **state)
{
	char buf[8] = "#######";

	(void)state;
	assert_int_equal(io_link_at(dir, "link", buf, 8), 3);
	assert_string_equal(buf, "ten");
	assert_int_equal(io_link_at(dir, "link", buf, 3), 2);
	assert_string_equal(buf, "te");
	assert_int_equal(io_link_at(dir, "ten", buf, 8), -EINVAL);
	assert_int_equal(io_link_at(dir, "none", buf, 8), -ENOENT);
}

static void time_goes_on(void **state)
{
	uint64_t before = io_now_ns(), after;
	FILE *f = fopen("/proc/uptime", "re");
	double up = 0;

	(void)state;
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lf", &up), 1);
	fclose(f);
	after = io_now_ns();
	assert_true(before <= after);
	assert_true((double)before / 1e9 < up + 0.02);
	assert_true((double)after / 1e9 > up - 0.02);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_as_far_as_there_is_room),
		cmocka_unit_test(what_can_not_be_read_is_an_error),
		cmocka_unit_test(a_long_proc_file_is_whole),
		cmocka_unit_test(links_are_read_not_followed),
		cmocka_unit_test(time_goes_on),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
