/* match_child.c - the process of davylamp-match. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "match_child.h"
#include "self.h"
#include "text.h"
#include "wire.h"

/* @from as @to in the child.  It is out of the way of the numbers that the
 * others are about to get. */
static int hand_over(posix_spawn_file_actions_t *actions, int *from, int to)
{
	*from = fcntl(*from, F_DUPFD_CLOEXEC, 16);
	return *from < 0 ? errno
			 : posix_spawn_file_actions_adddup2(actions, *from, to);
}

/* With @fd, in the order of wire.h, and nothing else that is open here. */
static int spawn(pid_t *ret, const int fd[3], const char *path, char **argv)
{
	static char *const environment[] = { NULL };
	int own[3] = { fd[0], fd[1], fd[2] }, n = 0, err;
	posix_spawn_file_actions_t actions;

	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return -err;
	for (; n < 3 && !err; n++)
		err = hand_over(&actions, &own[n], WIRE_SOCKET + n);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(&actions,
							       WIRE_KEPT + 1);
	if (!err)
		err = posix_spawn(ret, path, &actions, NULL, argv, environment);
	while (n-- > 0)
		if (own[n] >= 0)
			close(own[n]);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
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
		      int memfd, int kept, struct why *why)
{
	char path[4096], shown[256], **argv = make_arguments(o);
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
	err = spawn(&c->pid, (int[]){ pair[1], memfd, kept }, path, argv);
	free(argv);
	close(pair[1]);
	c->socket = pair[0];
	if (err)
		return why_set(why, err, "'%s' can not be run: %s",
			       text_escape_str(path, shown, sizeof(shown)),
			       strerror(-err));
	/* Until it is reaped its pid is nobody else's. */
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	return c->pidfd < 0 ? -errno : self_remember(c->pidfd);
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
