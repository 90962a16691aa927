/* exefile.c - statx(2) without a sync, and the mount that the file is on, say
 * whether reading it can hang: whoever mines may serve its own file system.
 * What lies below an overlay, nobody says: a reader that can be left behind
 * reads there. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exefile.h"
#include "fstype.h"
#include "mounts.h"
#include "reader.h"
#include "sha256.h"

#define PIECE (128u << 10)

/* "... master:1 - ext4 /dev/sda1 rw", or a part of that. */
static enum fstype_served part_served(const char *text)
{
	const char *dash = strstr(text, " - ");
	char type[32];

	return dash && strchr(dash + 3, ' ') &&
			       sscanf(dash + 3, "%31s", type) == 1
		       ? fstype_served(type)
		       : FSTYPE_BY_OTHERS;
}

/* "36 35 98:0 /root /mnt rw,noatime master:1 - ext4 /dev/sda1 rw"; paths have
 * no longest.  Whose type is cut in two is not known. */
static enum fstype_served list_served(FILE *f, uint64_t mount)
{
	enum fstype_served by = FSTYPE_BY_OTHERS;
	bool begins = true, ours = false;
	char text[8192];
	uint64_t id;

	for (size_t all = 0, n; by == FSTYPE_BY_OTHERS && all < MOUNTS_BYTES &&
				fgets(text, sizeof(text), f);
	     all += n) {
		n = strlen(text);
		if (begins)
			ours = sscanf(text, "%" SCNu64 " ", &id) == 1 &&
			       id == mount;
		if (ours)
			by = part_served(text);
		begins = n && text[n - 1] == '\n';
	}
	return by;
}

static enum fstype_served mount_served(const struct proc *p, uint64_t mount)
{
	int fd = openat(p->dir, "mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	enum fstype_served by = f ? list_served(f, mount) : FSTYPE_BY_OTHERS;

	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
	return by;
}

/* Through @r, if there is one. */
static ssize_t read_piece(struct reader *r, int fd, char *buf, uint64_t at)
{
	return r ? reader_read(r, buf, PIECE, (off_t)at)
		 : pread(fd, buf, PIECE, (off_t)at);
}

static void hash_file(struct reader *r, int fd, uint64_t hash_max,
		      struct exefile *ret)
{
	struct sha256 s;
	uint8_t digest[32];
	uint64_t done = 0;
	char *buf = malloc(PIECE);
	ssize_t n = 0;

	if (!buf)
		return;
	sha256_begin(&s);
	while (done < hash_max && (n = read_piece(r, fd, buf, done)) > 0) {
		sha256_add(&s, buf, (size_t)n);
		done += (uint64_t)n;
	}
	free(buf);
	if (n < 0)
		return;
	sha256_end(&s, digest);
	sha256_hex(digest, ret->sha256);
	ret->hashed = done;
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

/* Fills the digest, or leaves it away. */
static void hash_of(const struct proc *p, uint64_t mount, int path_fd,
		    uint64_t hash_max, struct exefile *ret)
{
	enum fstype_served by = mount_served(p, mount);
	struct reader *r = NULL;
	int fd;

	if (by == FSTYPE_BY_KERNEL && (fd = open_again(path_fd)) >= 0) {
		hash_file(NULL, fd, hash_max, ret);
		close(fd);
	}
	if (by == FSTYPE_BY_OVERLAY && reader_new(path_fd, &r) == 0) {
		if (reader_open(r) == 0)
			hash_file(r, -1, hash_max, ret);
		reader_free(r);
	}
}

bool exefile_is_nameless(const struct proc *p)
{
	struct statx st;

	return statx(p->dir, "exe", AT_STATX_DONT_SYNC, STATX_NLINK, &st) ==
		       0 &&
	       st.stx_mask & STATX_NLINK && !st.stx_nlink;
}

int exefile_open(const struct proc *p)
{
	int fd = openat(p->dir, "exe", O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

bool exefile_is_kept(const struct proc *p, int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID,
		     &st) == 0 &&
	       st.stx_mask & STATX_MNT_ID &&
	       mount_served(p, st.stx_mnt_id) == FSTYPE_BY_KERNEL;
}

int exefile_read_open(const struct proc *p, int fd, uint64_t hash_max,
		      struct exefile *ret)
{
	struct exefile e = { 0 };
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		  STATX_BASIC_STATS | STATX_MNT_ID, &st))
		return -errno;
	e.size = st.stx_size;
	snprintf(e.id, sizeof(e.id),
		 "%u:%u:%" PRIu64 ":%" PRIu64 ":%" PRId64 ".%09u",
		 st.stx_dev_major, st.stx_dev_minor, (uint64_t)st.stx_ino,
		 (uint64_t)st.stx_size, (int64_t)st.stx_ctime.tv_sec,
		 st.stx_ctime.tv_nsec);
	if (hash_max && S_ISREG(st.stx_mode) && st.stx_mask & STATX_MNT_ID)
		hash_of(p, st.stx_mnt_id, fd, hash_max, &e);
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
