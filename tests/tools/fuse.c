/* fuse.c - holds given bytes in a file of a file system that is its own, and
 * that does not answer.
 *
 *	fuse silent|lock|racing|leaving|arguments <BYTES
 *
 * silent: the payload's pages are served, a read of any other is never
 *	answered; a thread waits for one.
 * lock: that thread waits with the lock of its whole memory in hand: its page
 *	is served once and taken back before it looks, so that it waits in the
 *	second try of the fault, which keeps the lock; another thread asks for
 *	the lock in order to write, and from then on nobody else gets it.
 * racing: its pages are served to itself, taken back at once, and again and
 *	again; nobody else is ever answered.
 * leaving: its pages are served to itself, and all of them taken back at
 *	SIGUSR1, for ever.
 * arguments: its arguments lie in the file, on a page that is never served.
 *
 *	fuse below|mute PROGRAM ARGUMENT
 *
 * below: it runs PROGRAM from an overlay, below which that file system is; what
 *	is beyond the program's end in its file is never served.
 * mute: it runs PROGRAM from there; its child serves the file, and after
 *	SIGUSR1 says nothing of it any more (stat, statfs).
 *
 * Prints "ready" and waits for its end.  Needs root and /dev/fuse: ends with
 * status 77 without. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arguments.h"

#define PAGE  4096UL
#define PAGES 4096UL
#define AHEAD 131072UL /* read at once */
#define TRAP  1000UL   /* the page that is served and taken back */

static uint8_t *bytes; /* the payload: pages 0 to @n_pages */
static size_t n_pages;
static int device;
static bool lock, racing, leaving;
static pid_t owner; /* who alone is answered if they come and go */
static char dir[200];

/* ---- the file system ------------------------------------------------- */

static void answer(uint64_t unique, int error, const void *body, size_t len)
{
	struct fuse_out_header h = {
		.len = (uint32_t)(sizeof(h) + len),
		.error = error,
		.unique = unique,
	};
	const struct iovec v[] = { { &h, sizeof(h) },
				   { (void *)(uintptr_t)body, len } };

	if (writev(device, v, len ? 2 : 1) < 0 && errno != ENOENT)
		err(1, "/dev/fuse");
}

static struct fuse_attr attributes(uint64_t node)
{
	struct fuse_attr a = { .ino = node, .nlink = 1, .blksize = PAGE };

	a.mode = node == 1 ? S_IFDIR | 0755 : S_IFREG | 0755;
	a.size = node == 1 ? 0 : PAGES * PAGE;
	return a;
}

/* So that the one who waits for the page finds it gone. */
static void take_back(uint64_t node)
{
	struct {
		struct fuse_out_header h;
		struct fuse_notify_inval_inode_out body;
	} m = { { sizeof(m), FUSE_NOTIFY_INVAL_INODE, 0 },
		{ node, TRAP * PAGE, PAGE } };

	if (write(device, &m, sizeof(m)) < 0 && errno != ENOENT)
		warn("taking a page back");
}

static void on_read(const struct fuse_in_header *h, const void *body)
{
	const struct fuse_read_in *in = body;
	static const uint8_t nothing[AHEAD];
	size_t page = in->offset / PAGE;
	static int served;

	if (racing || leaving) {
		if ((pid_t)h->pid == owner && in->size <= AHEAD)
			answer(h->unique, 0, nothing, in->size);
	} else if (page < n_pages && in->size == PAGE) {
		answer(h->unique, 0, bytes + page * PAGE, PAGE);
	} else if (lock && page == TRAP && served < 3) {
		served++;
		answer(h->unique, 0, nothing, PAGE);
		take_back(h->nodeid);
	}
}

static volatile sig_atomic_t told;

static void be_told(int signal)
{
	told = signal;
}

static void serve_one(void)
{
	static _Alignas(8) uint8_t in[65536 + 4096];
	const struct fuse_in_header *h = (const void *)in;
	struct fuse_init_out init = { .major = 7,
				      .minor = 31,
				      .max_readahead =
					      racing || leaving ? AHEAD : 0,
				      .max_write = PAGE };
	struct fuse_entry_out entry = { .nodeid = 2, .attr = attributes(2) };
	struct fuse_attr_out attr = { 0 };
	const struct fuse_statfs_out size = { .st.namelen = 255 };
	struct fuse_open_out opened = { .fh = 1 };

	if (read(device, in, sizeof(in)) < 0) {
		if (errno == EINTR || errno == ENOENT)
			return;
		_exit(0); /* unmounted */
	}
	if (told && (h->opcode == FUSE_GETATTR || h->opcode == FUSE_STATFS))
		return;
	switch (h->opcode) {
	case FUSE_INIT:
		answer(h->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		answer(h->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		attr.attr = attributes(h->nodeid);
		answer(h->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_STATFS:
		answer(h->unique, 0, &size, sizeof(size));
		break;
	case FUSE_OPEN:
		answer(h->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		on_read(h, in + sizeof(*h));
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(h->unique, -ENOSYS, NULL, 0);
	}
}

/* On the same CPU as who waits, and before it. */
static void mount_and_serve(void)
{
	const struct sched_param first = { .sched_priority = 50 };
	cpu_set_t one;
	char options[128];

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	snprintf(dir, sizeof(dir), "%s/fuse.XXXXXX",
		 getenv("TMPDIR") ?: "/tmp");
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (device < 0 || !mkdtemp(dir) || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("fuse", dir, "fuse.hostile", 0, options))
		err(77, "/dev/fuse");
	sched_setaffinity(0, sizeof(one), &one);
	if (fork()) {
		close(device); /* who is left waiting must be able to die */
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (lock && sched_setscheduler(0, SCHED_FIFO, &first))
		warn("SCHED_FIFO");
	signal(SIGUSR1, be_told);
	for (;;)
		serve_one();
}

/* ---- the process ----------------------------------------------------- */

static void *touch(void *at)
{
	const struct sched_param none = { 0 };

	if (lock)
		sched_setscheduler(0, SCHED_IDLE, &none);
	return (void *)(uintptr_t) * (volatile uint8_t *)at;
}

static void *want_lock(void *unused)
{
	mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return unused;
}

static void in_thread(void *(*body)(void *), void *arg)
{
	static char stacks[2][65536] __attribute__((aligned(4096)));
	static int n;
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	pthread_attr_setstack(&a, stacks[n], sizeof(stacks[n]));
	n++;
	if (pthread_create(&t, &a, body, arg))
		errx(1, "pthread_create");
}

static void take_payload(int from)
{
	ssize_t n;
	size_t len = 0;

	/* Shared: what the file system serves is not a copy in the heap. */
	bytes = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		err(1, "mmap");
	while ((n = read(from, bytes + len, 16 * PAGE - len)) > 0)
		len += (size_t)n;
	if (n < 0 || len == 0)
		errx(1, "nothing to read");
	n_pages = (len + PAGE - 1) / PAGE;
}

/* A sixteenth of them goes.  Not by FUSE_NOTIFY_INVAL_INODE: that waits for a
 * page that another reads, with the device in hand, so that nothing ever ends
 * it. */
static void come_and_go(uint8_t *p, int fd)
{
	size_t at = (size_t)random() % 16 * PAGES / 16 * PAGE,
	       len = PAGES / 16 * PAGE;

	for (size_t i = 0; i < PAGES; i++)
		touch(p + i * PAGE);
	usleep(200);
	madvise(p + at, len, MADV_DONTNEED);
	posix_fadvise(fd, (off_t)at, (off_t)len, POSIX_FADV_DONTNEED);
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* Busy until then: somebody to look at. */
static void leave(uint8_t *p, int fd)
{
	signal(SIGUSR1, be_told);
	for (size_t i = 0; i < PAGES; i++)
		touch(p + i * PAGE);
	ready();
	while (!told)
		;
	madvise(p, PAGES * PAGE, MADV_DONTNEED);
	posix_fadvise(fd, 0, (off_t)(PAGES * PAGE), POSIX_FADV_DONTNEED);
}

static uint8_t *map_program(int *ret_fd)
{
	char path[256];
	uint8_t *p;
	int fd;

	snprintf(path, sizeof(path), "%s/program", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	p = fd < 0 ? MAP_FAILED
		   : mmap(NULL, PAGES * PAGE, PROT_READ | PROT_EXEC,
			  MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		err(1, "%s", path);
	if (!racing && !leaving)
		madvise(p, PAGES * PAGE, MADV_RANDOM);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	*ret_fd = fd;
	return p;
}

/* The mount point may become the overlay; nobody else sees it. */
_Noreturn static void run(bool below, char *argument)
{
	char options[256], program[256];
	char *const words[] = { program, argument, NULL };

	snprintf(options, sizeof(options), "lowerdir=%s:/usr", dir);
	snprintf(program, sizeof(program), "%s/program", dir);
	if (below && mount("none", dir, "overlay", 0, options))
		err(77, "an overlay over FUSE");
	execv(program, words);
	err(1, "%s", program);
}

/* Where the kernel says that its arguments are; on the stack of the first
 * thread, which had better not return. */
static void *lose_arguments(void *file)
{
	int fd = *(int *)file;

	if (mmap((void *)(arg_start() & ~(PAGE - 1)), PAGE, PROT_READ,
		 MAP_PRIVATE | MAP_FIXED, fd,
		 (off_t)(TRAP * PAGE)) == MAP_FAILED)
		err(1, "mmap");
	ready();
	return NULL;
}

int main(int argc, char **argv)
{
	bool arguments = argc == 2 && !strcmp(argv[1], "arguments");
	static int fd;
	uint8_t *p;

	if (argc == 4) {
		bool below = !strcmp(argv[1], "below");

		take_payload(open(argv[2], O_RDONLY | O_CLOEXEC));
		mount_and_serve();
		run(below, argv[3]);
	}
	if (argc != 2)
		errx(2, "usage: fuse silent|lock|racing|leaving|arguments "
			"<BYTES, or: fuse below|mute PROGRAM ARGUMENT");
	lock = !strcmp(argv[1], "lock");
	racing = !strcmp(argv[1], "racing");
	leaving = !strcmp(argv[1], "leaving");
	owner = getpid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	take_payload(STDIN_FILENO);
	mount_and_serve();
	munmap(bytes, 16 * PAGE);
	p = map_program(&fd);
	if (racing)
		ready();
	while (racing)
		come_and_go(p, fd);
	if (leaving)
		leave(p, fd);
	while (leaving)
		pause();
	for (size_t i = 0; i < n_pages; i++)
		touch(p + i * PAGE);
	in_thread(arguments ? lose_arguments : touch,
		  arguments ? (void *)&fd : p + TRAP * PAGE);
	usleep(200000);
	if (lock)
		in_thread(want_lock, NULL);
	usleep(200000);
	if (!arguments)
		ready();
	for (;;)
		pause();
}
