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

static void lines(void **state)
{
	static const struct {
		const char *line;
		enum localfs_kind kind;
		uint32_t dev;
	} all[] = {
		{ "36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/a rw",
		  LOCALFS_OWN, 98 << 20 },
		{ "36 35 0:57 / /mnt rw - overlay overlay rw", LOCALFS_OVERLAY,
		  57 },
		{ "36 35 0:57 / /mnt rw - overlayfs x rw", LOCALFS_OWN, 57 },
		{ "36 35 0:57 / /mnt rw shared:9 - nfs4 host:/ rw",
		  LOCALFS_SERVED, 0 },
		{ "36 35 0:57 / /mnt rw - 9p host rw", LOCALFS_SERVED, 0 },
		{ "36 35 0:57 / /mnt rw - virtiofs", LOCALFS_SERVED, 0 },
		{ "36 35 0:57 / /mnt rw - nfsd nfsd rw", LOCALFS_OWN, 57 },
		{ "36 35 0:31 / /sys/fs rw - fusectl fusectl rw", LOCALFS_OWN,
		  31 },
		{ "36 35 0:57 / /mnt rw - fuse host:/ rw", LOCALFS_SERVED, 0 },
		{ "36 35 0:57 / /mnt rw - fuse.sshfs host:/ rw", LOCALFS_SERVED,
		  0 },
		{ "36 35 8:1 / /mnt rw - fuseblk /dev/a rw", LOCALFS_SERVED,
		  0 },
		{ "36 35 0:57 / /mnt rw - fusectl.mine a rw", LOCALFS_SERVED,
		  0 },
		/* Spaces are \\040 in there, so that no name says more. */
		{ "36 35 0:57 / /a\\040-\\040ext4 rw - fuse.ext4 a rw",
		  LOCALFS_SERVED, 0 },
		{ "36 35 4096:1 / /mnt rw - ext4 /dev/a rw", LOCALFS_NONE, 0 },
		{ "36 35 1:1048576 / /mnt rw - ext4 /dev/a rw", LOCALFS_NONE,
		  0 },
		{ "36 35 0 / /mnt rw - ext4 /dev/a rw", LOCALFS_NONE, 0 },
		{ "36 35 0:57 / /mnt rw", LOCALFS_NONE, 0 },
		{ "36 35 0:57 / /mnt rw - ", LOCALFS_OWN, 57 },
		{ " - ext4", LOCALFS_NONE, 0 },
		{ "", LOCALFS_NONE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint32_t dev = 0;

		assert_int_equal(localfs_parse(all[i].line, &dev), all[i].kind);
		assert_int_equal(dev, all[i].dev);
	}
}

/* A list of our own in place of mountinfo. */
static struct localfs of_text(const char *text)
{
	struct localfs l = { .fd = memfd_create("mounts", MFD_CLOEXEC) };

	assert_int_equal(write(l.fd, text, strlen(text)), strlen(text));
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
	struct localfs l = { .fd = -1, .shm = 7 };

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
		cmocka_unit_test(this_machine),
		cmocka_unit_test(without_a_list_all_is_strange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
