#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "mounts.h"

static const char LINE[] = "36 35 98:7 /r\\040o /mnt/a\\040b rw,noatime "
			   "master:1 - ext4 /dev/sda1 rw,lowerdir=- - a\n";

static void test_fields(void **state)
{
	char line[sizeof(LINE)];
	struct mount m;

	(void)state;
	strcpy(line, LINE);
	assert_true(mounts_parse(line, &m));
	assert_int_equal(m.dev, 98 << 20 | 7);
	assert_string_equal(m.point, "/mnt/a\\040b");
	assert_string_equal(m.type, "ext4");
}

/* Each byte is another, or the last: a mount, then, or none. */
static void test_mutations(void **state)
{
	char *line = malloc(sizeof(LINE));
	struct mount m;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(LINE) - 1; i++)
		for (int c = 0; c < 256; c++) {
			strcpy(line, LINE);
			line[i] = (char)c;
			if (!mounts_parse(line, &m))
				continue;
			n++;
			assert_true(m.point > line && m.type > m.point);
			assert_true(m.type + strlen(m.type) <
				    line + sizeof(LINE));
			assert_true(m.type[0] && m.dev >> 20 < 4096);
		}
	assert_true(n > 256);
	free(line);
}

static void test_covered_processes(void **state)
{
	static const struct {
		const char *point;
		uint32_t pid;
	} all[] = {
		{ "/proc/4242", 4242 },
		{ "/proc/4242/exe", 4242 },
		{ "/proc/2147483647", 2147483647 },
		{ "/proc/2147483648", 0 },
		{ "/proc/99999999999999999999", 0 },
		{ "/proc/sys/fs", 0 },
		{ "/proc", 0 },
		{ "/proc/", 0 },
		{ "/proc/-7", 0 },
		{ "/proc/42x", 0 },
		{ "/proc/42\\040", 0 },
		{ "/mnt/proc/42", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct mount m = { .point = all[i].point, .type = "tmpfs" };

		assert_int_equal(mounts_covered_pid(&m), all[i].pid);
	}
}

/* A list is read to its end, whatever its lines are. */
static void test_list(void **state)
{
	struct mounts m;
	char path[64];
	FILE *f;

	(void)state;
	f = fdopen(memfd_create("mountinfo", 0), "w");
	fprintf(f, "36 35 0:45 / /proc/4242 rw - tmpfs none rw\n");
	fprintf(f, "no line\n\n");
	fprintf(f, "36 35 0:45 /%08192d /proc/7/maps rw - tmpfs none rw\n", 7);
	fprintf(f, "36 35 0:45 / /proc/9 rw - tmpfs %08192d rw", 7);
	fflush(f);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(f));
	mounts_open(&m, 0, path, mounts_covered_pid);
	assert_false(mounts_has(&m, 7));
	for (int i = 0; i < 2; i++) {
		mounts_refresh(&m);
		assert_int_equal(m.n, 3);
		assert_true(mounts_has(&m, 7));
		assert_true(mounts_has(&m, 9));
		assert_true(mounts_has(&m, 4242));
		assert_false(mounts_has(&m, 0));
		assert_false(mounts_has(&m, 8));
		m.read = false; /* a mount */
	}
	mounts_close(&m);
	assert_false(mounts_has(&m, 7));
	mounts_open(&m, 0, "/nowhere", mounts_covered_pid);
	mounts_refresh(&m);
	assert_int_equal(m.n, 0);
	mounts_close(&m);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_covered_processes),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
