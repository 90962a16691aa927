/* exefile.c - statx(2) without a sync, and the mount that the file is on, say
 * whether reading it can hang: whoever mines may serve its own file system. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exefile.h"
#include "sha256.h"

#define PIECE (128u << 10)

/* Served by this kernel from a disk or from memory. */
static bool is_local(const char *type)
{
	static const char *const types[] = { "ext2",  "ext3",	  "ext4",
					     "xfs",   "btrfs",	  "f2fs",
					     "tmpfs", "squashfs", "erofs",
					     "vfat",  "overlay",  "iso9660",
					     "zfs",   "ramfs",	  "bcachefs" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/* "36 35 98:0 /root /mnt rw,noatime master:1 - ext4 /dev/sda1 rw" */
static bool line_is_local(const char *line, uint64_t mount)
{
	const char *dash = strstr(line, " - ");
	uint64_t id;
	char type[32];

	return sscanf(line, "%" SCNu64 " ", &id) == 1 && id == mount && dash &&
	       sscanf(dash + 3, "%31s", type) == 1 && is_local(type);
}

static bool mount_is_local(const struct proc *p, uint64_t mount)
{
	int fd = openat(p->dir, "mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	bool local = false;
	char *line = NULL;
	size_t cap = 0;

	if (!f) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!local && getline(&line, &cap, f) > 0)
		local = line_is_local(line, mount);
	free(line);
	fclose(f);
	return local;
}

static int hash_file(int fd, uint64_t hash_max, struct exefile *ret)
{
	struct sha256 s;
	uint8_t digest[32];
	uint64_t done = 0;
	char *buf = malloc(PIECE);
	ssize_t n = 0;

	if (!buf)
		return -ENOMEM;
	sha256_begin(&s);
	while (done < hash_max && (n = read(fd, buf, PIECE)) > 0) {
		sha256_add(&s, buf, (size_t)n);
		done += (uint64_t)n;
	}
	free(buf);
	if (n < 0)
		return -errno;
	sha256_end(&s, digest);
	sha256_hex(digest, ret->sha256);
	ret->hashed = done;
	return 0;
}

/* The very file that was looked at, even if the process runs another now. */
static int open_again(int path_fd)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME | O_NONBLOCK);
	if (fd < 0 && errno == EPERM)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int exefile_open(const struct proc *p)
{
	int fd = openat(p->dir, "exe", O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int exefile_read_open(const struct proc *p, int fd, uint64_t hash_max,
		      struct exefile *ret)
{
	struct exefile e = { 0 };
	struct statx st;
	int data;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		  STATX_BASIC_STATS | STATX_MNT_ID, &st))
		return -errno;
	e.size = st.stx_size;
	snprintf(e.id, sizeof(e.id),
		 "%u:%u:%" PRIu64 ":%" PRIu64 ":%" PRId64 ".%09u",
		 st.stx_dev_major, st.stx_dev_minor, (uint64_t)st.stx_ino,
		 (uint64_t)st.stx_size, (int64_t)st.stx_ctime.tv_sec,
		 st.stx_ctime.tv_nsec);
	if (hash_max && S_ISREG(st.stx_mode) && st.stx_mask & STATX_MNT_ID &&
	    mount_is_local(p, st.stx_mnt_id)) {
		data = open_again(fd);
		if (data >= 0) {
			/* else it stays without */
			(void)hash_file(data, hash_max, &e);
			close(data);
		}
	}
	*ret = e;
	return 0;
}

int exefile_read(const struct proc *p, uint64_t hash_max, struct exefile *ret)
{
	int fd = exefile_open(p), err;

	if (fd < 0)
		return fd;
	err = exefile_read_open(p, fd, hash_max, ret);
	close(fd);
	return err;
}
