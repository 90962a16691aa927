/* fstype.c - who answers for a file system of some type.  The kernel's own are
 * listed: of those of others there is no end, and a stranger may be one. */
#include <stddef.h>
#include <string.h>
#include "fstype.h"

static const char *const kernels[] = {
	/* from a disk of one machine's own */
	"bcachefs", "btrfs", "cramfs", "erofs", "exfat", "ext2", "ext3", "ext4",
	"f2fs", "hfs", "hfsplus", "iso9660", "jffs2", "jfs", "minix", "msdos",
	"nilfs2", "ntfs", "ntfs3", "reiserfs", "romfs", "squashfs", "ubifs",
	"udf", "vfat", "xfs", "zfs",
	/* from memory */
	"autofs", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2",
	"configfs", "cpuset", "debugfs", "devpts", "devtmpfs", "efivarfs",
	"fusectl", "hugetlbfs", "mqueue", "nfsd", "nsfs", "proc", "pstore",
	"ramfs", "resctrl", "rootfs", "rpc_pipefs", "securityfs", "selinuxfs",
	"smackfs", "sysfs", "tmpfs", "tracefs", "xenfs"
};

enum fstype_served fstype_served(const char *type)
{
	if (!strcmp(type, "overlay"))
		return FSTYPE_BY_OVERLAY;
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
		if (!strcmp(type, kernels[i]))
			return FSTYPE_BY_KERNEL;
	return FSTYPE_BY_OTHERS;
}
