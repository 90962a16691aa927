/* report_start.c - vfork-like start of the network part. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include "report_start.h"
#include "self.h"

extern char **environ;

int report_start(const char *option, const char *argument, const char *config,
		 struct why *why)
{
	char path[4096], name[] = "davylamp-report", word[] = "--config";
	char *argv[6] = { name };
	int n = 1, status, err;
	pid_t pid;

	err = self_program(name, path, sizeof(path), why);
	if (err)
		return err;
	argv[n++] = (char *)(uintptr_t)option;
	if (argument)
		argv[n++] = (char *)(uintptr_t)argument;
	if (config) {
		argv[n++] = word;
		argv[n++] = (char *)(uintptr_t)config;
	}
	fflush(NULL);
	err = posix_spawn(&pid, path, NULL, NULL, argv, environ);
	if (err)
		return why_set(why, -err, "%s: %s", path, strerror(err));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return why_set(why, -errno, "waitpid: %s",
				       strerror(errno));
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return why_set(why, -EIO, "%s ended by signal %d", path,
		       WTERMSIG(status));
}
