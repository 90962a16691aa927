/* hostile.c - holds given bytes and makes it hard to look at them.
 *
 *	hostile KIND <BYTES
 *
 * Prints "ready" when all is in place, and waits for its end.  In all but
 * `many` and `bytes` the payload is an anonymous mapping that is only read. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arguments.h"

#define PAGE 4096UL
#define MIB  (1UL << 20)
#define TIB  (1UL << 40)
#define MOST (16 * MIB)

static uint8_t *map(size_t bytes, int prot, int more)
{
	void *p =
		mmap(NULL, bytes, prot,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | more, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap of %zu bytes", bytes);
	return p;
}

/* The bytes go straight to their place: no copy stays elsewhere in here. */
static size_t fill(uint8_t *at, size_t most)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, at + len, most - len)) > 0)
		len += (size_t)n;
	if (n < 0 || len == 0)
		err(1, "stdin");
	return len;
}

/* A guard before and behind: the mapping merges with no other. */
static uint8_t *payload(void)
{
	uint8_t *p = map(MOST + 2 * PAGE, PROT_NONE, 0) + PAGE;

	if (mprotect(p, MOST, PROT_READ | PROT_WRITE))
		err(1, "mprotect");
	fill(p, MOST);
	if (mprotect(p, MOST, PROT_READ))
		err(1, "mprotect");
	return p;
}

/* ---- kinds ----------------------------------------------------------- */

/* 100 TiB, the most suspicious kind of memory, a page of it in use here and
 * there. */
static void decoys(void)
{
	size_t left = 100;

	payload();
	for (; left; left--) {
		int prot = left % 2 ? PROT_READ | PROT_WRITE | PROT_EXEC
				    : PROT_READ | PROT_WRITE;
		uint8_t *p = map(TIB, prot, 0);

		p[TIB / 3] = p[TIB - 1] = 1;
	}
}

/* As many mappings as Linux allows, each with a page in use. */
static void many(void)
{
	const size_t n = 65530;
	uint8_t *p = map(n * PAGE, PROT_READ | PROT_WRITE, 0);
	size_t i, at = 0;

	for (i = 0; i < n; i++)
		p[i * PAGE] = 1;
	while (i-- > 0) /* those without an end of their own fail */
		if (i % 2 && mprotect(p + i * PAGE, PAGE, PROT_READ) == 0)
			at = i;
	if (!at)
		errx(1, "no mapping could be split");
	mprotect(p + at * PAGE, PAGE, PROT_READ | PROT_WRITE);
	fill(p + at * PAGE, PAGE);
	mprotect(p + at * PAGE, PAGE, PROT_READ);
}

/* A file of a million pages, one in a thousand of which exists. */
static void sparse(void)
{
	const size_t n = 1000000;
	int fd = memfd_create("sparse", 0);
	uint8_t *p;

	if (fd < 0 || ftruncate(fd, (off_t)(n * PAGE)))
		err(1, "memfd");
	p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		 MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");
	for (size_t i = 0; i < n; i += 1000)
		p[i * PAGE] = 1;
	fill(p + (n - 20) * PAGE, 10 * PAGE);
}

static int userfault(void *at, size_t len)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = { .range = { (uintptr_t)at, len },
				     .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &r))
		err(77, "userfaultfd");
	return fd;
}

static void *touch(void *at)
{
	return (void *)(uintptr_t) * (volatile uint8_t *)at;
}

static void in_thread(void *(*body)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, body, arg))
		errx(1, "pthread_create");
}

/* Pages that never come on both sides of the payload's, and a thread that
 * waits for one of them. */
static void faults(void)
{
	uint8_t *p = map(MOST, PROT_READ | PROT_WRITE, 0);

	madvise(p, MOST, MADV_NOHUGEPAGE);
	fill(p + MIB, MIB);
	mprotect(p, MOST, PROT_READ);
	userfault(p, MOST);
	in_thread(touch, p);
}

static int racing_fd;

/* Pages come and go; who looks at one that has just gone waits for ever, since
 * nobody is woken when it comes back. */
static void *race(void *at)
{
	const struct uffdio_zeropage come = {
		.range = { (uintptr_t)at, 4 * MIB },
		.mode = UFFDIO_ZEROPAGE_MODE_DONTWAKE,
	};

	for (;;) {
		struct uffdio_zeropage z = come;

		ioctl(racing_fd, UFFDIO_ZEROPAGE, &z);
		for (size_t i = 0; i < 4 * MIB; i += PAGE)
			((volatile uint8_t *)at)[i] = 1;
		usleep(200);
		madvise(at, 4 * MIB, MADV_DONTNEED);
		usleep(200);
	}
	return NULL;
}

static void racing(void)
{
	uint8_t *p = map(4 * MIB, PROT_READ | PROT_WRITE | PROT_EXEC, 0);

	payload();
	madvise(p, 4 * MIB, MADV_NOHUGEPAGE);
	racing_fd = userfault(p, 4 * MIB);
	in_thread(race, p);
}

/* Its arguments and environment lie in pages that never come.  The frames of
 * the first thread may lie there too: it never returns. */
static void *lose_arguments(void *unused)
{
	uint8_t *first = (uint8_t *)(arg_start() & ~(PAGE - 1));

	(void)unused;
	if (mmap(first, 2 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		err(1, "mmap");
	userfault(first, 2 * PAGE);
	puts("ready");
	fflush(stdout);
	return NULL;
}

static void arguments(void)
{
	payload();
	in_thread(lose_arguments, NULL);
	for (;;)
		pause();
}

static int cut_fd;

static void *cut(void *at)
{
	(void)at;
	for (;;) {
		if (ftruncate(cut_fd, 0) || ftruncate(cut_fd, MOST))
			_exit(1);
		for (size_t i = 0; i < MOST; i += 16 * PAGE)
			if (pwrite(cut_fd, "x", 1, (off_t)i) != 1)
				_exit(1);
	}
	return NULL;
}

/* Maps a file that is cut and grows again all the time. */
static void truncated(void)
{
	uint8_t *p;

	cut_fd = memfd_create("cut", 0);
	if (cut_fd < 0 || ftruncate(cut_fd, MOST))
		err(1, "memfd");
	p = mmap(NULL, MOST, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_POPULATE,
		 cut_fd, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");
	payload();
	in_thread(cut, NULL);
}

/* Its memory comes, goes and changes its protection all the time. */
static void *churn(void *at)
{
	for (uint8_t *p = at;;) {
		for (size_t i = 0; i < MOST; i += PAGE)
			p[i] = 1;
		mprotect(p, MOST / 2, PROT_NONE);
		madvise(p, MOST, MADV_DONTNEED);
		mprotect(p, MOST / 2, PROT_READ | PROT_WRITE);
	}
	return NULL;
}

static void churning(void)
{
	payload();
	in_thread(churn, map(MOST, PROT_READ | PROT_WRITE, 0));
}

static void *live_on(void *arg)
{
	pthread_t *main_thread = arg;

	pthread_join(*main_thread, NULL);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
	return NULL;
}

/* The first thread ends: ps and /proc/PID say that this is a zombie. */
static void headless(void)
{
	static pthread_t self;

	payload();
	self = pthread_self();
	in_thread(live_on, &self);
	pthread_exit(NULL);
}

/* Each thread lives for 4 ms, and begins the next one first. */
static void *live_briefly(void *arg)
{
	pthread_t next;

	pthread_detach(pthread_self());
	usleep(4000);
	if (pthread_create(&next, NULL, live_briefly, NULL))
		err(1, "pthread_create");
	return arg;
}

/* Likewise, and no other stays. */
static void brief(void)
{
	payload();
	for (int i = 0; i < 4; i++)
		in_thread(live_briefly, NULL);
	puts("ready");
	fflush(stdout);
	pthread_exit(NULL);
}

static void undumpable(void)
{
	payload();
	prctl(PR_SET_DUMPABLE, 0);
}

/* The parent traces it and holds it in a stop. */
static void traced(void)
{
	pid_t child = fork();

	if (child) {
		int status;

		waitpid(child, &status, 0);
		printf("ready %d\n", child);
		fflush(stdout);
		for (;;)
			pause();
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	payload();
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		err(77, "ptrace");
	raise(SIGSTOP);
	_exit(1);
}

/* The bytes over and over, to the brim. */
static void brim(void)
{
	uint8_t *p = map(MOST, PROT_READ | PROT_WRITE, 0);
	size_t len = fill(p, MOST);

	for (size_t at = len; at < MOST; at++)
		p[at] = p[at - len];
	if (mprotect(p, MOST, PROT_READ | PROT_EXEC))
		err(1, "mprotect");
}

/* A tree of processes that fork and end, each generation within a second. */
static void bomb(void)
{
	payload();
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;) {
				for (int k = 0; k < 16; k++)
					if (fork() == 0) {
						usleep((useconds_t)k * 500);
						_exit(0);
					}
				while (wait(NULL) > 0)
					;
			}
		}
}

static const struct {
	const char *name;
	void (*make)(void);
} kinds[] = {
	{ "decoys", decoys },
	{ "many", many },
	{ "sparse", sparse },
	{ "faults", faults },
	{ "racing", racing },
	{ "arguments", arguments },
	{ "truncated", truncated },
	{ "churning", churning },
	{ "headless", headless },
	{ "brief", brief },
	{ "undumpable", undumpable },
	{ "traced", traced },
	{ "brim", brim },
	{ "bomb", bomb },
};

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: hostile KIND <BYTES");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		kinds[i].make();
		puts("ready");
		fflush(stdout);
		for (;;)
			pause();
	}
	errx(2, "'%s' is no kind of trouble", argv[1]);
}
