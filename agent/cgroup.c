/* cgroup.c - the path of a control group that is known by its number. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "cgroup.h"
#include "io.h"

#define CGROUP2_SUPER_MAGIC 0x63677270 /* linux/magic.h */
#define FILEID_KERNFS	    0xfe       /* linux/exportfs.h */

int cgroup_open(void)
{
	/* Where systemd and container images have it: alone, or beside the
	 * first version. */
	static const char *const places[] = { "/sys/fs/cgroup",
					      "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs fs;

		if (fd >= 0 && fstatfs(fd, &fs) == 0 &&
		    fs.f_type == CGROUP2_SUPER_MAGIC)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ENOENT;
}

/* The path of directory @fd, as this process sees it. */
static int path_of(int fd, char *ret, size_t cap)
{
	char name[64];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = io_link_at(AT_FDCWD, name, ret, cap);
	return n < 0 ? (int)n : 0;
}

int cgroup_path(int fd, uint64_t id, char *ret, size_t cap)
{
	union {
		struct file_handle head;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} h = { .head = { .handle_bytes = sizeof(id),
			  .handle_type = FILEID_KERNFS } };
	char root[256], path[4096];
	size_t n;
	int group, err;

	memcpy(h.head.f_handle, &id, sizeof(id));
	group = open_by_handle_at(fd, &h.head,
				  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group < 0)
		return -errno;
	err = path_of(fd, root, sizeof(root));
	if (!err)
		err = path_of(group, path, sizeof(path));
	close(group);
	if (err)
		return err;
	n = strlen(root);
	if (strncmp(path, root, n))
		return -EXDEV;
	if ((size_t)snprintf(ret, cap, "%s", path[n] ? path + n : "/") >= cap)
		return -ENAMETOOLONG;
	return 0;
}
