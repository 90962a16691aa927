/* status.c - the socket on which the service says how it does. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "status.h"

#define PATIENCE_MS 5000 /* for an answer: the service attends between batches */

struct status {
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static int address(const char *path, struct sockaddr_un *ret, struct why *why)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret->sun_path))
		return why_set(why, -ENAMETOOLONG,
			       "%s: a socket's path has at most %zu bytes",
			       path, sizeof(ret->sun_path) - 1);
	memcpy(ret->sun_path, path, strlen(path) + 1);
	return 0;
}

static int connect_to(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err = fd < 0 ? -errno : 0;

	if (!err && connect(fd, (const struct sockaddr *)a, sizeof(*a)))
		err = -errno;
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

/* A socket whose owner was killed stays behind. */
static int clear_the_way(const struct sockaddr_un *a)
{
	int fd = connect_to(a);

	if (fd >= 0) {
		close(fd);
		return -EADDRINUSE;
	}
	return fd == -ECONNREFUSED && unlink(a->sun_path) ? -errno : 0;
}

static int listen_at(const struct sockaddr_un *a)
{
	int fd, err = clear_the_way(a);
	mode_t mask;

	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0117);
	if (bind(fd, (const struct sockaddr *)a, sizeof(*a)) || listen(fd, 16))
		err = -errno;
	umask(mask);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int status_open(const char *path, struct status **ret, struct why *why)
{
	struct sockaddr_un a;
	struct status *s;
	char directory[sizeof(a.sun_path)];
	int fd = address(path, &a, why);

	if (fd)
		return fd;
	memcpy(directory, a.sun_path, sizeof(directory));
	mkdir(dirname(directory), 0755);
	fd = listen_at(&a);
	if (fd < 0)
		return why_set(why, fd, "%s: %s", path,
			       fd == -EADDRINUSE
				       ? "another davylamp listens there"
				       : strerror(-fd));
	s = calloc(1, sizeof(*s));
	if (!s) {
		close(fd);
		return -ENOMEM;
	}
	s->fd = fd;
	memcpy(s->path, a.sun_path, sizeof(s->path));
	*ret = s;
	return 0;
}

void status_close(struct status *s)
{
	if (!s)
		return;
	unlink(s->path);
	close(s->fd);
	free(s);
}

int status_fd(const struct status *s)
{
	return s ? s->fd : -1;
}

void status_answer(struct status *s, const char *text, size_t len)
{
	int fd;

	while ((fd = accept4(s->fd, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		(void)n; /* who does not take it goes without */
		close(fd);
	}
}

static ssize_t receive(int fd, char ret[static STATUS_MAX + 1])
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	for (;;) {
		int ready = poll(&p, 1, PATIENCE_MS);
		ssize_t n;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return ready ? -errno : -ETIMEDOUT;
		n = recv(fd, ret + len, STATUS_MAX - len, 0);
		if (n < 0)
			return -errno;
		len += (size_t)n;
		ret[len] = '\0';
		if (n == 0 || len == STATUS_MAX)
			return (ssize_t)len;
	}
}

ssize_t status_ask(const char *path, char ret[static STATUS_MAX + 1],
		   struct why *why)
{
	struct sockaddr_un a;
	ssize_t n;
	int fd = address(path, &a, why);

	if (!fd)
		fd = connect_to(&a);
	if (fd == -ENOENT || fd == -ECONNREFUSED)
		return why_set(why, fd, "no service listens at %s: "
			       "systemctl start davylamp", path);
	if (fd < 0)
		return why_set(why, fd, "%s: %s%s", path, strerror(-fd),
			       fd == -EACCES ? ": sudo davylamp status" : "");
	n = receive(fd, ret);
	close(fd);
	if (n < 0)
		why_set(why, (int)n, "%s: the service does not answer: %s",
			path, strerror((int)-n));
	return n;
}
