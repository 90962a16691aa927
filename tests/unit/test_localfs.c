#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>
#include "localfs.h"

#define OVERLAY (1ULL << 32)
#define SERVED	(2ULL << 32)

/* What is kept of a line; it may be no line at all. */
static uint64_t number(const char *text)
{
	char line[128];
	struct mount m;

	snprintf(line, sizeof(line), "%s", text);
	return mounts_parse(line, &m) ? localfs_number(&m) : 0;
}

static void lines(void **state)
{
	static const struct {
		const char *line;
		uint64_t dev;
	} all[] = {
		{ "36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/a rw",
		  98 << 20 },
		{ "36 35 0:57 / /mnt rw - overlay overlay rw", OVERLAY | 57 },
		{ "36 35 0:57 / /mnt rw - overlayfs x rw", SERVED | 57 },
		{ "36 35 0:57 / /mnt rw - nfsd nfsd rw", 57 },
		{ "36 35 0:57 / /mnt rw - 9p host rw", SERVED | 57 },
		{ "36 35 0:57 / /mnt rw - virtiofs", SERVED | 57 },
		{ "36 35 0:57 / /mnt rw shared:9 - nfs4 host:/ rw",
		  SERVED | 57 },
		{ "36 35 0:31 / /sys/fs rw - fusectl fusectl rw", 31 },
		{ "36 35 0:57 / /mnt rw - fuse host:/ rw", SERVED | 57 },
		{ "36 35 0:57 / /mnt rw - fuse.sshfs host:/ rw", SERVED | 57 },
		{ "36 35 0:57 / /mnt rw - fuseblk /dev/a rw", SERVED | 57 },
		{ "36 35 8:1 / /mnt rw - fuseblk /dev/a rw",
		  SERVED | 8 << 20 | 1 },
		{ "36 35 0:57 / /mnt rw - pvfs2 tcp://a rw", SERVED | 57 },
		{ "36 35 0:57 / /mnt rw - vboxsf a rw", SERVED | 57 },
		{ "36 35 8:1 / /mnt rw - ocfs2 /dev/a rw",
		  SERVED | 8 << 20 | 1 },
		{ "36 35 0:57 / /mnt rw - tomorrowfs a rw", SERVED | 57 },
		{ "36 35 0:57 / /mnt rw - btrfs /dev/a rw", 57 },
		{ "36 35 0:57 / /mnt rw - fusectl.mine a rw", SERVED | 57 },
		/* Spaces are \040 in there, so that no name says more. */
		{ "36 35 0:57 / /a\\040-\\040ext4 rw - fuse.ext4 a rw",
		  SERVED | 57 },
		{ "36 35 4096:1 / /mnt rw - ext4 /dev/a rw", 0 },
		{ "36 35 1:1048576 / /mnt rw - ext4 /dev/a rw", 0 },
		{ "36 35 0 / /mnt rw - ext4 /dev/a rw", 0 },
		{ "36 35 0:57 / /mnt rw", 0 },
		{ "36 35 0:57 / /mnt rw - ", 0 },
		{ " - ext4", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(number(all[i].line), all[i].dev);
}

/* A list of our own in place of mountinfo. */
static struct localfs of_text(const char *text)
{
	struct localfs l = { .mounts = { .number = localfs_number } };

	l.mounts.fd = memfd_create("mounts", MFD_CLOEXEC);
	assert_int_equal(write(l.mounts.fd, text, strlen(text)), strlen(text));
	localfs_refresh(&l);
	return l;
}

static void what_lies_below_an_overlay_may_be_served(void **state)
{
	static const char two[] = "36 35 0:57 / /a rw - overlay overlay rw\n"
				  "37 35 0:58 / /b rw - tmpfs tmpfs rw\n";
	char three[200];
	struct localfs l = of_text(two);

	(void)state;
	assert_true(localfs_has(&l, 57) && localfs_has(&l, 58));
	localfs_close(&l);
	snprintf(three, sizeof(three), "%s%s", two,
		 "38 35 0:59 / /c rw - fuse.stargz stargz rw\n");
	l = of_text(three);
	assert_true(localfs_has(&l, 58));
	assert_false(localfs_has(&l, 57) || localfs_has(&l, 59));
	localfs_close(&l);
}

/* ntfs-3g's files have their disk's number. */
static void a_block_device_may_be_served(void **state)
{
	struct localfs l = of_text("36 35 8:1 / /a rw - fuseblk /dev/sda1 rw\n"
				   "37 35 8:2 / /b rw - ext4 /dev/sda2 rw\n"
				   "38 35 0:57 / /c rw - overlay overlay rw\n");

	(void)state;
	assert_false(localfs_has(&l, 8 << 20 | 1));
	assert_true(localfs_has(&l, 8 << 20 | 2));
	assert_true(localfs_has(&l, 8 << 20 | 3)); /* mounted elsewhere */
	assert_false(localfs_has(&l, 57));
	localfs_close(&l);
}

static void this_machine(void **state)
{
	struct localfs l;
	struct stat st;

	(void)state;
	localfs_open(&l);
	assert_false(localfs_has(&l, 0xfffff));
	localfs_refresh(&l);
	localfs_refresh(&l);
	assert_int_equal(stat("/proc/self", &st), 0);
	assert_true(localfs_has(&l, minor(st.st_dev)));
	assert_true(localfs_has(&l, l.shm));
	assert_true(localfs_has(&l, 1 << 20)); /* a block device */
	assert_false(localfs_has(&l, 0xfffff));
	localfs_close(&l);
	assert_false(localfs_has(&l, minor(st.st_dev)));
}

static void without_a_list_all_is_strange(void **state)
{
	struct localfs l = { .mounts = { .fd = -1 }, .shm = 7 };

	(void)state;
	localfs_refresh(&l);
	assert_false(localfs_has(&l, 22));
	assert_true(localfs_has(&l, 7));
	assert_true(localfs_has(&l, 8 << 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(what_lies_below_an_overlay_may_be_served),
		cmocka_unit_test(a_block_device_may_be_served),
		cmocka_unit_test(this_machine),
		cmocka_unit_test(without_a_list_all_is_strange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
