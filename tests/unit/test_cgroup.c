#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "cgroup.h"

static int root = -1;
static char made[256];

static int make(void **state)
{
	char link[64];
	ssize_t n;

	(void)state;
	root = cgroup_open();
	if (root < 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", root);
	n = readlink(link, made, sizeof(made) - 64);
	snprintf(made + n, 64, "/davylamp-test-%d", getpid());
	if (mkdir(made, 0755))
		made[0] = '\0';
	return 0;
}

static int drop(void **state)
{
	(void)state;
	if (made[0])
		rmdir(made);
	return 0;
}

static void need_a_group(void)
{
	if (root >= 0 && made[0])
		return;
	printf("no cgroup2 is mounted here, or no group can be made\n");
	skip();
}

static void a_number_leads_to_its_path(void **state)
{
	char path[256], want[64];
	struct stat st;
	int err;

	(void)state;
	need_a_group();
	/* A group's number is its directory's inode. */
	assert_int_equal(stat(made, &st), 0);
	err = cgroup_path(root, st.st_ino, path, sizeof(path));
	if (err == -EPERM) {
		printf("needs CAP_DAC_READ_SEARCH\n");
		skip();
	}
	assert_int_equal(err, 0);
	snprintf(want, sizeof(want), "/davylamp-test-%d", getpid());
	assert_string_equal(path, want);
	assert_int_equal(fstat(root, &st), 0);
	assert_int_equal(cgroup_path(root, st.st_ino, path, sizeof(path)), 0);
	assert_string_equal(path, "/");
	assert_int_equal(cgroup_path(root, st.st_ino, path, 1), -ENAMETOOLONG);
}

static void one_that_is_gone_has_none(void **state)
{
	char path[256];
	struct stat st;

	(void)state;
	need_a_group();
	if (geteuid()) {
		printf("not root\n");
		skip();
	}
	assert_int_equal(stat(made, &st), 0);
	assert_int_equal(rmdir(made), 0);
	assert_int_equal(cgroup_path(root, st.st_ino, path, sizeof(path)),
			 -ESTALE);
	made[0] = '\0';
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_leads_to_its_path),
		cmocka_unit_test(one_that_is_gone_has_none),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
