/* verify.c - asking davylamp-verify. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io.h"
#include "owned.h"
#include "self.h"
#include "text.h"
#include "verify.h"

#define ANSWER_MS 120000 /* for a large set on a slow machine */

/* ---- the keys -------------------------------------------------------- */

static int add_key(int dir, const char *name, int texts, size_t *used,
		   struct why *why)
{
	static const char what[] = VERIFY_KEYS "/";
	char shown[300], text[4096];
	int fd = openat(dir, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
				O_NOCTTY);
	int err;
	ssize_t n;

	snprintf(shown, sizeof(shown), "%s", what);
	text_escape_str(name, shown + strlen(what),
			sizeof(shown) - strlen(what));
	err = fd < 0 ? why_set(why, -errno, "%s: %s", shown, strerror(errno))
		     : owned_check(fd, S_IFREG, shown, why);
	n = err ? 0 : read(fd, text, sizeof(text));
	if (!err && (n <= 0 || n == sizeof(text) ||
		     *used + (size_t)n + 1 > VERIFY_TEXT_MAX ||
		     memchr(text, '\0', (size_t)n)))
		err = why_set(why, -EBADMSG, "%s: is no public key", shown);
	if (!err && *used && write(texts, "", 1) != 1)
		err = -errno;
	if (!err && write(texts, text, (size_t)n) != n)
		err = -errno;
	*used += (size_t)n + 1;
	if (fd >= 0)
		close(fd);
	return err;
}

static bool is_key_name(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 4 && !strcmp(name + n - 4, ".pub");
}

/* The texts of all keys, with a NUL between them, in a memfd. */
static int gather_keys(int texts, struct why *why)
{
	int fd = open(VERIFY_KEYS,
		      O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	size_t used = 0;
	int err = 0;

	if (!dir && errno != ENOENT)
		return why_set(why, -errno, VERIFY_KEYS ": %s",
			       strerror(errno));
	if (dir)
		err = owned_check(fd, S_IFDIR, VERIFY_KEYS, why);
	while (dir && !err && (e = readdir(dir)))
		if (is_key_name(e->d_name))
			err = add_key(fd, e->d_name, texts, &used, why);
	if (dir)
		closedir(dir);
	if (!err && !used)
		err = why_set(why, -ENOKEY,
			      "no key is trusted here: put the publisher's "
			      "minisign.pub into " VERIFY_KEYS "/");
	return err;
}

/* ---- the process ----------------------------------------------------- */

static void become_verifier(const int from[4], char *path)
{
	static char *const environment[] = { NULL };
	char name[] = "davylamp-verify", *argv[] = { name, NULL };
	int high[4];

	for (int i = 0; i < 4; i++)
		high[i] = fcntl(from[i], F_DUPFD, 16);
	for (int i = 0; i < 4; i++)
		if (high[i] < 0 || dup2(high[i], VERIFY_SOCKET + i) < 0)
			_exit(127);
	syscall(SYS_close_range, VERIFY_KEY_TEXTS + 1, ~0U, 0);
	execve(path, argv, environment);
	_exit(127);
}

/* As minisign_key_name() writes it: it is shown to people. */
static bool is_key_id(const char *key)
{
	return strlen(key) == 16 && strspn(key, "0123456789ABCDEF") == 16;
}

/* What it said, @len bytes, in the form that it must have; it may have been
 * taken over by what it looked at. */
static int check_answer(struct verify_answer *a, ssize_t len, struct why *why)
{
	char shown[512];

	if (len != sizeof(*a))
		return why_set(why, -EPIPE, "davylamp-verify did not answer");
	a->text[sizeof(a->text) - 1] = '\0';
	a->key[sizeof(a->key) - 1] = '\0';
	a->comment[sizeof(a->comment) - 1] = '\0';
	if (!a->error && is_key_id(a->key))
		return 0;
	if (!a->error)
		return why_set(why, -EBADMSG,
			       "davylamp-verify named no key: nothing is "
			       "believed that it says");
	if (a->error > 0 || a->error <= -4096)
		a->error = -EBADMSG;
	return why_set(why, a->error, "%s",
		       a->text[0]
			       ? text_check_str(a->text, shown, sizeof(shown))
			       : strerror(-a->error));
}

static int take_answer(int socket, struct verify_answer *a, struct why *why)
{
	struct pollfd p = { .fd = socket, .events = POLLIN };
	ssize_t n = poll(&p, 1, ANSWER_MS) == 1
			    ? recv(socket, a, sizeof(*a), MSG_TRUNC)
			    : 0;

	return check_answer(a, n, why);
}

static int ask(int fd, int signature, int keys, struct verify_answer *ret,
	       struct why *why)
{
	char path[4096];
	int pair[2],
		err = self_program("davylamp-verify", path, sizeof(path), why);
	pid_t pid;

	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return why_set(why, -errno, "socketpair: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		const int from[4] = { pair[1], fd, signature, keys };

		become_verifier(from, path);
	}
	close(pair[1]);
	err = pid < 0 ? why_set(why, -errno, "fork: %s", strerror(errno))
		      : take_answer(pair[0], ret, why);
	close(pair[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return err;
}

int verify_file(int fd, int signature, struct verify_answer *ret,
		struct why *why)
{
	int keys = memfd_create("davylamp-keys", MFD_CLOEXEC);
	int err = keys < 0 ? why_set(why, -errno, "memfd_create: %s",
				     strerror(errno))
			   : gather_keys(keys, why);

	if (!err)
		err = ask(fd, signature, keys, ret, why);
	if (keys >= 0)
		close(keys);
	return err;
}
