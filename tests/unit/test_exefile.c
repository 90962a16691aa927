#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exefile.h"

static void our_own_file_is_hashed(void **state)
{
	struct proc p = { .pid = getpid(),
			  .dir = open("/proc/self", O_RDONLY | O_DIRECTORY) };
	struct exefile e, again;
	char command[64], want[65] = "";
	struct stat st;
	FILE *f;

	(void)state;
	snprintf(command, sizeof(command), "sha256sum /proc/%d/exe", getpid());
	f = popen(command, "r");
	assert_non_null(f);
	if (fscanf(f, "%64s", want) != 1 || strlen(want) != 64) {
		pclose(f);
		puts("no sha256sum");
		skip();
	}
	pclose(f);
	assert_int_equal(exefile_read(&p, EXEFILE_HASH_MAX, &e), 0);
	assert_int_equal(stat("/proc/self/exe", &st), 0);
	assert_int_equal(e.size, st.st_size);
	if (!e.sha256[0]) {
		puts("this file system is not one that is read");
		skip();
	}
	if (e.hashed == e.size)
		assert_string_equal(e.sha256, want);
	assert_int_equal(exefile_read(&p, 0, &again), 0);
	assert_string_equal(again.sha256, "");
	assert_string_equal(again.id, e.id);
	close(p.dir);
}

static void a_process_that_ended_has_none(void **state)
{
	struct proc p = { .dir = open("/", O_RDONLY | O_DIRECTORY) };
	struct exefile e;

	(void)state;
	assert_true(exefile_read(&p, EXEFILE_HASH_MAX, &e) < 0);
	close(p.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_file_is_hashed),
		cmocka_unit_test(a_process_that_ended_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
