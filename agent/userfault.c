/* userfault.c - who may keep waiting whoever reads its memory. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "io.h"
#include "userfault.h"

#define FEW 1000

/* How many descriptors it may have to be asked for each.  That takes 4.6 us of
 * one, which is what /proc/PID/mem takes longer for 38 KiB of memory (Linux
 * 6.18): with more, it is cheaper to read all as if there were a userfaultfd.
 * Nobody can make a look longer by descriptors alone. */
static size_t worth_asking(const struct proc *p)
{
	unsigned long resident = 0;
	char text[128];

	if (io_read_at(p->dir, "statm", text, sizeof(text)) > 0)
		sscanf(text, "%*u %lu", &resident);
	return FEW + resident / 16; /* pages, of 4 KiB at least */
}

bool userfault_in(const struct proc *p)
{
	int fd = openat(p->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	size_t n = 0, most = FEW;
	bool has = false;
	char to[64];

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!has && (e = readdir(dir))) {
		if (++n == FEW)
			most = worth_asking(p);
		has = n > most ||
		      (io_link_at(fd, e->d_name, to, sizeof(to)) > 0 &&
		       !strcmp(to, "anon_inode:[userfaultfd]"));
	}
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
