/* match_child.c - the process of davylamp-match. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "match_child.h"
#include "self.h"
#include "wire.h"

/* Between fork and exec: only calls that are safe there. */
static void become_matcher(int socket, int memfd, char *path, char **argv)
{
	static char *const environment[] = { NULL };

	/* Out of the way of the numbers they are about to get. */
	socket = fcntl(socket, F_DUPFD, 16);
	memfd = fcntl(memfd, F_DUPFD, 16);
	if (socket < 0 || memfd < 0 || dup2(socket, WIRE_SOCKET) < 0 ||
	    dup2(memfd, WIRE_MEMORY) < 0)
		_exit(127);
	syscall(SYS_close_range, WIRE_MEMORY + 1, ~0U, 0);
	execve(path, argv, environment);
	_exit(127);
}

static char **make_arguments(const struct match_options *o)
{
	char **argv = calloc(o->n_paths + 11, sizeof(*argv));
	size_t n = 0;

	if (!argv)
		return NULL;
	argv[n++] = (char *)"davylamp-match";
	if (o->no_default_rules)
		argv[n++] = (char *)"--no-default-rules";
	if (o->installed) {
		argv[n++] = (char *)"--installed";
		argv[n++] = (char *)o->installed;
	}
	if (o->only) {
		argv[n++] = (char *)"--only";
		argv[n++] = (char *)o->only;
	}
	if (o->anywhere)
		argv[n++] = (char *)"--anywhere";
	if (o->yield)
		argv[n++] = (char *)"--yield";
	argv[n++] = (char *)"--";
	for (size_t i = 0; i < o->n_paths; i++)
		argv[n++] = (char *)o->paths[i];
	return argv;
}

int match_child_start(struct match_child *c, const struct match_options *o,
		      int memfd, struct why *why)
{
	char path[4096], **argv = make_arguments(o);
	int pair[2], err = self_program("davylamp-match", path, sizeof(path),
					why);

	if (err || !argv) {
		free(argv);
		return err ? err : -ENOMEM;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		free(argv);
		return -errno;
	}
	c->pid = fork();
	if (c->pid == 0)
		become_matcher(pair[1], memfd, path, argv);
	/* Until it is reaped its pid is nobody else's. */
	if (c->pid > 0)
		c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	err = c->pidfd < 0 ? -errno : self_remember(c->pidfd);
	free(argv);
	close(pair[1]);
	c->socket = pair[0];
	return err;
}

void match_child_stop(struct match_child *c)
{
	if (c->socket >= 0)
		close(c->socket);
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	if (c->pidfd >= 0) {
		self_forget(c->pidfd);
		close(c->pidfd);
	}
	c->socket = c->pidfd = -1;
	c->pid = 0;
}

/* Its socket closes a moment before it can be waited for. */
const char *match_child_death(const struct match_child *c, char *ret,
			      size_t cap)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
	siginfo_t info = { 0 };

	if (poll(&p, 1, 1000) != 1 ||
	    waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return "closed its socket";
	if (info.si_code == CLD_EXITED)
		snprintf(ret, cap, "ended with status %d", info.si_status);
	else
		snprintf(ret, cap, "was killed by signal %d (SIG%s)",
			 info.si_status, sigabbrev_np(info.si_status));
	return ret;
}
