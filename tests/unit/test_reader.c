#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "child.h"
#include "flow.h"
#include "reader.h"
#include "userfault.h"

#define LONG (4 * FLOW_PAGE)

struct place {
	uint8_t *at;
	int faults; /* a userfaultfd, or -1 */
};

static void hold(void *user)
{
	struct place *p = user;

	p->at = child_map(LONG, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < LONG; i++)
		p->at[i] = (uint8_t)(i * 7 >> 3);
}

/* The second page is missing, and its owner sleeps. */
static void hold_back(void *user)
{
	struct place *p = user;
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	p->at = child_map(LONG, PROT_READ | PROT_WRITE);
	p->at[0] = 1;
	r.range.start = (uintptr_t)p->at;
	r.range.len = LONG;
	p->faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (p->faults >= 0 && (ioctl(p->faults, UFFDIO_API, &api) ||
			       ioctl(p->faults, UFFDIO_REGISTER, &r)))
		p->faults = -1;
}

static int open_mem(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void both_ways(void **state)
{
	static uint8_t got[LONG], want[LONG];
	struct iovec there[2];
	struct place *p;
	struct reader *r;
	pid_t pid;
	int mem;

	(void)state;
	if (child_skip_unwatched())
		skip();
	p = child_shared(sizeof(*p));
	pid = child_start(hold, p);
	mem = open_mem(pid);
	there[0] = (struct iovec){ p->at + FLOW_PAGE, FLOW_PAGE };
	there[1] = (struct iovec){ p->at, 100 };
	for (size_t i = 0; i < LONG; i++)
		want[i] = (uint8_t)(i * 7 >> 3);
	assert_int_equal(reader_new(mem, &r), 0);
	assert_int_equal(reader_vm(r, pid, there, 2, got, FLOW_PAGE + 100),
			 FLOW_PAGE + 100);
	assert_memory_equal(got, want + FLOW_PAGE, FLOW_PAGE);
	assert_memory_equal(got + FLOW_PAGE, want, 100);
	assert_int_equal(reader_read(r, got, LONG, (off_t)(uintptr_t)p->at),
			 LONG);
	assert_memory_equal(got, want, LONG);
	there[0].iov_base = NULL;
	assert_int_equal(reader_vm(r, pid, there, 1, got, FLOW_PAGE), -EFAULT);
	assert_int_equal(reader_read(r, got, 1, 0), -EIO);
	assert_int_equal(reader_vm(r, pid, there, 1, got, READER_BYTES + 1),
			 -EINVAL);
	assert_int_equal(reader_read(r, got, READER_BYTES + 1, 0), -EINVAL);
	child_end(pid);
	assert_int_equal(reader_read(r, got, 1, (off_t)(uintptr_t)p->at), 0);
	assert_int_equal(reader_vm(r, pid, there, 1, got, 1), -ESRCH);
	reader_free(r);
	reader_free(NULL);
	close(mem);
	munmap(p, sizeof(*p));
}

/* One after the other waits for the page. */
static void what_never_comes(void **state)
{
	struct place *p = child_shared(sizeof(*p));
	struct reader *r;
	struct proc proc;
	uint8_t byte = 0;
	pid_t pid;
	int mem;

	(void)state;
	if (child_skip_unwatched())
		skip();
	pid = child_start(hold_back, p);
	mem = open_mem(pid);
	proc = child_proc(pid);
	if (p->faults < 0) {
		child_end(pid);
		puts("no userfaultfd for us here");
		skip();
	}
	assert_true(userfault_in(&proc));
	for (int i = 0; i < 2; i++) {
		struct iovec first = { p->at, 1 },
			     second = { p->at + FLOW_PAGE, 1 };

		assert_int_equal(reader_new(mem, &r), 0);
		assert_int_equal(reader_vm(r, pid, &first, 1, &byte, 1), 1);
		assert_int_equal(byte, 1);
		/* This way does not wait. */
		assert_int_equal(reader_read(r, &byte, 1,
					     (off_t)(uintptr_t)second.iov_base),
				 -EIO);
		assert_int_equal(reader_vm(r, pid, &second, 1, &byte, 1),
				 -ETIMEDOUT);
		assert_int_equal(reader_vm(r, pid, &first, 1, &byte, 1),
				 -ETIMEDOUT);
		/* This wait ends with SIGKILL; FUSE's does not. */
		reader_free(r);
	}
	child_end(pid);
	proc_close(&proc);
	close(mem);
	munmap(p, sizeof(*p));
}

static void one_that_is_killed(void **state)
{
	char path[64];
	struct reader *r;
	uint8_t byte;
	pid_t pid;
	FILE *f;
	int mem;

	(void)state;
	if (child_skip_unwatched())
		skip();
	mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	assert_int_equal(reader_new(mem, &r), 0);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	assert_non_null(f);
	/* Those that the last test left behind may still be among them. */
	while (fscanf(f, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	fclose(f);
	assert_int_equal(reader_read(r, &byte, 1, (off_t)(uintptr_t)&byte),
			 -EPIPE);
	reader_free(r);
	close(mem);
}

static void open_many(void *user)
{
	const size_t *n = user;

	for (size_t i = 0; i < *n; i++)
		if (dup(0) < 0)
			_exit(1);
}

/* Who has many descriptors is not asked for each of them: it could be one. */
static void who_has_many(void **state)
{
	struct rlimit limit;
	size_t few = 500, many = 8000;
	struct proc proc;
	pid_t pid;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_max < many + 100) {
		puts("no 8,000 descriptors for us here");
		skip();
	}
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	pid = child_start(open_many, &few);
	proc = child_proc(pid);
	assert_false(userfault_in(&proc));
	proc_close(&proc);
	child_end(pid);
	pid = child_start(open_many, &many);
	proc = child_proc(pid);
	assert_true(userfault_in(&proc));
	proc_close(&proc);
	child_end(pid);
}

static void a_file_behind_a_path(void **state)
{
	uint8_t got[4096], want[4096];
	struct reader *r;
	int path = open("/proc/self/exe", O_PATH | O_CLOEXEC),
	    file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
	    none = open("/proc", O_PATH | O_CLOEXEC);

	(void)state;
	if (child_skip_unwatched())
		skip();
	assert_int_equal(reader_new(path, &r), 0);
	assert_int_equal(reader_read(r, got, sizeof(got), 0), -EBADF);
	assert_int_equal(reader_open(r), 0);
	assert_int_equal(reader_read(r, got, sizeof(got), 4096), sizeof(got));
	assert_int_equal(pread(file, want, sizeof(want), 4096), sizeof(want));
	assert_memory_equal(got, want, sizeof(got));
	reader_free(r);
	assert_int_equal(reader_new(none, &r), 0);
	assert_int_equal(reader_open(r), 0);
	assert_int_equal(reader_read(r, got, sizeof(got), 0), -EISDIR);
	reader_free(r);
	close(path);
	close(file);
	close(none);
}

static void who_has_none(void **state)
{
	struct proc proc = child_proc(getpid()), nobody = { .dir = -1 };

	(void)state;
	assert_false(userfault_in(&proc));
	assert_false(userfault_in(&nobody));
	proc_close(&proc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(what_never_comes),
		cmocka_unit_test(one_that_is_killed),
		cmocka_unit_test(who_has_none),
		cmocka_unit_test(who_has_many),
		cmocka_unit_test(a_file_behind_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
