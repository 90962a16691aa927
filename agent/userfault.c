/* userfault.c - who may keep waiting whoever reads its memory. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "io.h"
#include "userfault.h"

#define FDS_MAX 100000

bool userfault_in(const struct proc *p)
{
	int fd = openat(p->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	bool has = false;
	size_t n = 0;
	char to[64];

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!has && (e = readdir(dir)))
		has = ++n > FDS_MAX ||
		      (io_link_at(fd, e->d_name, to, sizeof(to)) > 0 &&
		       !strcmp(to, "anon_inode:[userfaultfd]"));
	closedir(dir);
	return has;
}

bool userfault_by_all(void)
{
	char text[16];

	return io_read_at(AT_FDCWD, "/proc/sys/vm/unprivileged_userfaultfd",
			  text, sizeof(text)) > 0 &&
	       text[0] != '0';
}
