/* notify.c - what systemd is told: sd_notify(3). */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "notify.h"

/* The manager's socket, from the environment once. */
static const struct sockaddr_un *manager(socklen_t *ret_len)
{
	static struct sockaddr_un a;
	static socklen_t len;
	static bool asked;
	const char *path = asked ? NULL : getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	asked = true;
	if (n > 1 && n < sizeof(a.sun_path) &&
	    (path[0] == '/' || path[0] == '@')) {
		a.sun_family = AF_UNIX;
		memcpy(a.sun_path, path, n);
		if (path[0] == '@') /* an abstract name */
			a.sun_path[0] = '\0';
		len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	}
	unsetenv("NOTIFY_SOCKET");
	*ret_len = len;
	return len ? &a : NULL;
}

void notify_send(const char *text)
{
	socklen_t len;
	const struct sockaddr_un *to = manager(&len);
	int fd = to ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

	if (fd < 0)
		return;
	/* A manager that does not listen is no reason to wait. */
	sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
	       (const struct sockaddr *)to, len);
	close(fd);
}

void notify_reloading(void)
{
	struct timespec t;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
	notify_send(text);
}

uint64_t notify_watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return strtoull(usec, NULL, 10) * 1000;
}
