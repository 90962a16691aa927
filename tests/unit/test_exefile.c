#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "child.h"
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

/* Memory and disks are the kernel's own; what nobody lists as mounted is not
 * known to be. */
static void who_keeps_a_file(void **state)
{
	struct proc p = { .pid = getpid(),
			  .dir = open("/proc/self", O_RDONLY | O_DIRECTORY) };
	char path[] = "/dev/shm/test_exefile.XXXXXX";
	int tmp = mkstemp(path), fd = memfd_create("test", MFD_CLOEXEC);
	int proc = open("/proc/uptime", O_PATH | O_CLOEXEC);
	struct statfs st;

	(void)state;
	assert_false(exefile_is_kept(&p, -1));
	assert_false(exefile_is_kept(&p, fd));
	if (child_skip_emulated()) /* qemu-user knows no stx_mnt_id */
		skip();
	assert_true(exefile_is_kept(&p, proc));
	if (tmp >= 0 && !fstatfs(tmp, &st) && st.f_type == TMPFS_MAGIC)
		assert_true(exefile_is_kept(&p, tmp));
	unlink(path);
	close(tmp);
	close(proc);
	close(fd);
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

/* ---- whose file system it is -------------------------------------------- */

static char fake_dir[] = "/tmp/test_exefile.XXXXXX";

static struct proc fake_proc(void)
{
	struct proc p = { .pid = 1 };

	strcpy(fake_dir + strlen(fake_dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(fake_dir));
	p.dir = open(fake_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("/proc/self/exe", p.dir, "exe"), 0);
	return p;
}

/* Is its file hashed, given @n times @more, and @line behind that, with the
 * mount's number for the first %llu? */
static bool is_hashed(const struct proc *p, const char *more, size_t n,
		      const char *line)
{
	int fd =
		openat(p->dir, "mountinfo", O_CREAT | O_TRUNC | O_WRONLY, 0600);
	FILE *f = fdopen(fd, "w");
	struct exefile e;
	struct statx st;

	assert_int_equal(
		statx(AT_FDCWD, "/proc/self/exe", 0, STATX_MNT_ID, &st), 0);
	for (size_t i = 0; i < n; i++)
		fputs(more, f);
	fprintf(f, line, (unsigned long long)st.stx_mnt_id);
	fclose(f);
	assert_int_equal(exefile_read(p, EXEFILE_HASH_MAX, &e), 0);
	return e.sha256[0];
}

static void its_own_list_of_mounts_is_not_believed_far(void **state)
{
	static const char good[] = "%llu 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
			  other[] = "1000000 1 8:1 / /some/where rw,relatime "
				    "shared:1 - ext4 /dev/sda1 rw\n";
	struct proc p = fake_proc();

	(void)state;
	assert_true(is_hashed(&p, "", 0, good));
	assert_true(is_hashed(&p, other, 10000, good));
	assert_false(is_hashed(&p, "", 0, "%llu 1 0:9 / / rw - fuse x rw\n"));
	assert_false(is_hashed(&p, "", 0, "%llu 1 0:9 / / rw - exT4 x rw\n"));
	/* In a line of another, wherever that is cut. */
	for (size_t n = 8100; n < 8200; n++)
		assert_false(is_hashed(&p, "x", n, good));
	assert_false(is_hashed(&p, "x", 300000, good));
	/* Behind more than anybody reads. */
	assert_false(
		is_hashed(&p, other, (65UL << 20) / (sizeof(other) - 1), good));
	unlinkat(p.dir, "mountinfo", 0);
	unlinkat(p.dir, "exe", 0);
	rmdir(fake_dir);
	close(p.dir);
}

/* A path that fills more than is read at once. */
static void a_long_line_is_read_to_its_end(void **state)
{
	static char line[300000];
	struct proc p = fake_proc();
	size_t n = (size_t)sprintf(line, "%%llu 1 8:1 / /");

	(void)state;
	memset(line + n, 'a', 100000);
	strcpy(line + n + 100000, " rw - ext4 /dev/sda1 rw\n");
	assert_true(is_hashed(&p, "", 0, line));
	unlinkat(p.dir, "mountinfo", 0);
	unlinkat(p.dir, "exe", 0);
	rmdir(fake_dir);
	close(p.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_file_is_hashed),
		cmocka_unit_test(who_keeps_a_file),
		cmocka_unit_test(a_process_that_ended_has_none),
		cmocka_unit_test(its_own_list_of_mounts_is_not_believed_far),
		cmocka_unit_test(a_long_line_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
