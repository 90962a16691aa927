/* owned.c - files that only root may have written. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "owned.h"

int owned_check(int fd, mode_t type, const char *what, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st))
		return why_set(why, -errno, "%s: %s", what, strerror(errno));
	if ((st.st_mode & S_IFMT) != type)
		return why_set(why, -EPERM, "%s: is no %s", what,
			       type == S_IFDIR ? "directory" : "regular file");
	if (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
		return why_set(why, -EPERM,
			       "%s: others than root may write it, so it is "
			       "not trusted; run: chown root %s; chmod go-w %s",
			       what, what, what);
	return 0;
}
