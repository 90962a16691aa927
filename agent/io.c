/* io.c - small files and directories of /proc, and the time. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "io.h"

ssize_t io_read_at(int dir, const char *name, char *ret, size_t cap)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (len < cap - 1 && (n = read(fd, ret + len, cap - 1 - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			break;
		}
		len += (size_t)n;
	}
	close(fd);
	if (n < 0)
		return n;
	ret[len] = '\0';
	return (ssize_t)len;
}

ssize_t io_link_at(int dir, const char *name, char *ret, size_t cap)
{
	ssize_t n = readlinkat(dir, name, ret, cap - 1);

	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return n;
}

struct dirent64 {
	uint64_t ino;
	int64_t next;
	uint16_t len;
	uint8_t type;
	char name[];
};

int io_each(int dir, int (*take)(void *user, const char *name), void *user)
{
	_Alignas(8) char buf[32768];
	int stop = 0;
	long got;

	while ((got = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0)
		for (long at = 0; at < got;) {
			const struct dirent64 *d = (const void *)(buf + at);

			stop = take(user, d->name);
			if (stop)
				return stop;
			at += d->len;
		}
	return got < 0 ? -errno : 0;
}

uint64_t io_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}
