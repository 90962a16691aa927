/* hashsave.c - write beside, fsync, rename, fsync the directory. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hashsave.h"
#include "text.h"

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return fchmod(fd, 0644) || fsync(fd) ? -errno : 0;
}

/* The rename lasts once its directory is on disk. */
static int sync_directory(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) + 1 : 0;
	int fd, error = 0;

	if (len >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, slash ? path : ".", len ? len : 1);
	dir[len ? len : 1] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Some file systems have no fsync of directories, and need none. */
	if (fsync(fd) && errno != EINVAL)
		error = -errno;
	close(fd);
	return error;
}

static int replace(const char *path, const void *bytes, size_t len)
{
	char beside[PATH_MAX];
	int n = snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
	int fd, error;

	if (n < 0 || (size_t)n >= sizeof(beside))
		return -ENAMETOOLONG;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = write_all(fd, bytes, len);
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(beside, path))
		error = -errno;
	if (error)
		unlink(beside);
	return error ? error : sync_directory(path);
}

int hashsave_file(const char *path, const void *bytes, size_t len,
		  struct why *why)
{
	char shown[256];
	struct stat st;
	int error;

	text_escape_str(path, shown, sizeof(shown));
	/* A rename would put a file where /dev/null or a link was. */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return why_set(why, -EINVAL,
			       "%s: is there and is no regular "
			       "file; give another path",
			       shown);
	error = replace(path, bytes, len);
	return error ? why_set(why, error, "%s: %s", shown, strerror(-error))
		     : 0;
}
