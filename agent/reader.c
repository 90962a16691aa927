/* reader.c - copies of memory and of files that may never come. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io.h"
#include "reader.h"
#include "self.h"

#define PATIENCE_MS    300
#define PATIENCES      30 /* as many while it waits for a CPU, not for memory */
#define DISK_PATIENCES 4  /* for a disk that has other work */

struct job {
	enum { JOB_VM, JOB_READ, JOB_OPEN } kind;
	pid_t tid;
	off_t at;
	size_t len, n;
	struct iovec there[READER_PIECES];
};

struct reader {
	pid_t pid;
	int pidfd, socket;
	bool lost;
	bool disk;	/* it has opened a file */
	uint8_t *bytes; /* shared with it */
};

/* ---- in the process of its own ------------------------------------------ */

/* In place of the O_PATH descriptor 1, the file. */
static ssize_t open_again(void)
{
	static const char path[] = "/proc/self/fd/1";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME | O_NONBLOCK);

	if (fd < 0 && errno == EPERM)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -1 : dup2(fd, 1);
}

static ssize_t work(const struct job *j, uint8_t *bytes)
{
	struct iovec here = { bytes, j->len };

	if (j->kind == JOB_OPEN)
		return open_again();
	return j->kind == JOB_VM
		       ? process_vm_readv(j->tid, &here, 1, j->there, j->n, 0)
		       : pread(1, bytes, j->len, j->at);
}

/* A copy of a program with threads: only calls that are safe after fork(2).
 * It ends when the other end of the socket does. */
_Noreturn static void serve(int socket, int file, uint8_t *bytes)
{
	struct job j;

	socket = fcntl(socket, F_DUPFD, 16);
	file = fcntl(file, F_DUPFD, 16);
	if (socket < 0 || file < 0 || dup2(socket, 0) < 0 || dup2(file, 1) < 0)
		_exit(1);
	syscall(SYS_close_range, 2, ~0U, 0);
	while (recv(0, &j, sizeof(j), 0) == sizeof(j)) {
		ssize_t got = work(&j, bytes);

		if (got < 0)
			got = -errno;
		if (send(0, &got, sizeof(got), MSG_NOSIGNAL) != sizeof(got))
			break;
	}
	_exit(0);
}

/* ---- those left behind --------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	pid_t pid;
	int pidfd;
} lost[READERS_LOST];

/* Takes note of those whose wait is over; how many are left. */
static size_t reap(void)
{
	size_t n = 0;

	for (size_t i = 0; i < READERS_LOST; i++) {
		if (lost[i].pid && waitpid(lost[i].pid, NULL, WNOHANG)) {
			self_forget(lost[i].pidfd);
			close(lost[i].pidfd);
			lost[i].pid = 0;
		}
		n += lost[i].pid != 0;
	}
	return n;
}

/* More than READERS_LOST only if several threads lose one at once: then one
 * stays a zombie. */
static void leave_behind(struct reader *r)
{
	pthread_mutex_lock(&lock);
	reap();
	for (size_t i = 0; i < READERS_LOST; i++)
		if (!lost[i].pid) {
			lost[i].pid = r->pid;
			lost[i].pidfd = r->pidfd;
			break;
		}
	pthread_mutex_unlock(&lock);
}

static bool too_many(void)
{
	bool full;

	pthread_mutex_lock(&lock);
	full = reap() == READERS_LOST;
	pthread_mutex_unlock(&lock);
	return full;
}

/* ---- its life --------------------------------------------------------- */

static int start(struct reader *r, int file)
{
	int pair[2], err;

	r->bytes = mmap(NULL, READER_BYTES, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->bytes == MAP_FAILED) {
		r->bytes = NULL;
		return -errno;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	r->pid = fork();
	err = -errno;
	if (r->pid == 0)
		serve(pair[1], file, r->bytes);
	close(pair[1]);
	r->socket = pair[0];
	if (r->pid < 0)
		return err;
	r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	return r->pidfd < 0 ? -errno : self_remember(r->pidfd);
}

int reader_new(int file, struct reader **ret)
{
	struct reader *r;
	int err;

	if (too_many())
		return -EBUSY;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->pidfd = r->socket = -1;
	err = start(r, file);
	if (err)
		reader_free(r);
	else
		*ret = r;
	return err;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	if (r->socket >= 0)
		close(r->socket);
	if (r->pid > 0)
		kill(r->pid, SIGKILL);
	if (r->pid > 0 && r->lost) {
		leave_behind(r);
	} else if (r->pid > 0) {
		waitpid(r->pid, NULL, 0);
		if (r->pidfd >= 0) {
			self_forget(r->pidfd);
			close(r->pidfd);
		}
	}
	if (r->bytes)
		munmap(r->bytes, READER_BYTES);
	free(r);
}

/* ---- a copy ----------------------------------------------------------- */

static bool waits_for_cpu(const struct reader *r)
{
	char name[32], text[512];
	const char *end;

	snprintf(name, sizeof(name), "/proc/%d/stat", r->pid);
	if (io_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0)
		return false;
	end = strrchr(text, ')');
	return end && end[1] == ' ' && end[2] == 'R';
}

static ssize_t ask(struct reader *r, const struct job *j, void *buf)
{
	struct pollfd p = { .fd = r->socket, .events = POLLIN };
	int there, disk = r->disk || j->kind == JOB_OPEN ? DISK_PATIENCES : 1;
	ssize_t got = -EPIPE;

	if (r->lost)
		return -ETIMEDOUT;
	if (send(r->socket, j, sizeof(*j), MSG_NOSIGNAL) != sizeof(*j))
		return -EPIPE;
	for (int i = 0; i < PATIENCES; i++) {
		there = poll(&p, 1, PATIENCE_MS);
		if (there || (--disk <= 0 && !waits_for_cpu(r)))
			break;
	}
	if (there != 1) {
		r->lost = true;
		return -ETIMEDOUT;
	}
	if (recv(r->socket, &got, sizeof(got), 0) != sizeof(got))
		return -EPIPE;
	if (j->kind != JOB_OPEN && got > (ssize_t)j->len)
		return -EBADMSG;
	if (got > 0 && j->kind != JOB_OPEN)
		memcpy(buf, r->bytes, (size_t)got);
	return got;
}

ssize_t reader_vm(struct reader *r, pid_t tid, const struct iovec *there,
		  size_t n, void *buf, size_t len)
{
	struct job j = { .kind = JOB_VM, .tid = tid, .len = len, .n = n };

	if (n > READER_PIECES || len > READER_BYTES)
		return -EINVAL;
	memcpy(j.there, there, n * sizeof(*there));
	return ask(r, &j, buf);
}

ssize_t reader_read(struct reader *r, void *buf, size_t len, off_t at)
{
	struct job j = { .kind = JOB_READ, .len = len, .at = at };

	if (len > READER_BYTES)
		return -EINVAL;
	return ask(r, &j, buf);
}

int reader_open(struct reader *r)
{
	struct job j = { .kind = JOB_OPEN };
	ssize_t got = ask(r, &j, NULL);

	r->disk = got >= 0;
	return got < 0 ? (int)got : 0;
}
