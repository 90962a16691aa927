#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <cmocka.h>
#include "mem_fixture.h"

/* ---- which pages, and what is in them -------------------------------- */

static void look_at_some(bool scan)
{
	uint8_t **at = child_shared(sizeof(*at)), count[PAGES] = { 0 };
	pid_t pid = child_start(write_some, at);
	long rss = smaps(pid, *at, "Rss"), n = 0;
	struct target t;

	aim(&t, pid, *at, NULL);
	if (!scan)
		t.mem->can_scan = false;
	assert_int_equal(read_all(&t, count), 0);
	for (size_t i = 0; i < PAGES; i++) {
		assert_int_equal(count[i], is_touched(i));
		n += count[i];
	}
	assert_int_equal(mem_counts(t.mem)->read_bytes, n * FLOW_PAGE);
	assert_int_equal(mem_counts(t.mem)->unreadable_bytes, 0);
	assert_int_equal(smaps(pid, *at, "Rss"), rss);
	miss(&t);
	child_end(pid);
	munmap(at, sizeof(*at));
}

static void resident_pages_come_once(void **state)
{
	(void)state;
	look_at_some(false);
}

static void the_same_by_pagemap_scan(void **state)
{
	uint8_t *at = child_map(FLOW_PAGE, PROT_READ);
	struct target t;
	bool can;

	(void)state;
	aim(&t, getpid(), at, NULL);
	can = t.mem->can_scan;
	miss(&t);
	munmap(at, FLOW_PAGE);
	if (!can) {
		puts("no PAGEMAP_SCAN before Linux 6.7");
		skip();
	}
	look_at_some(true);
}

/* Pages that were only read are zero: they come as such or not at all. */
static void read_only(void *user)
{
	uint8_t **at = user, sum = 0;

	*at = guarded(PAGES * FLOW_PAGE);
	for (size_t i = 0; i < PAGES; i++)
		sum += ((volatile uint8_t *)*at)[i * FLOW_PAGE];
	(*at)[7 * FLOW_PAGE] = (uint8_t)(sum + 1);
}

static void zero_pages_are_zero(void **state)
{
	uint8_t **at = child_shared(sizeof(*at));
	pid_t pid = child_start(read_only, at);
	struct target t;
	size_t n_other = 0;
	struct batch b = { 0 };
	int more;

	(void)state;
	aim(&t, pid, *at, NULL);
	while ((more = mem_next(t.mem, &b)) == 1)
		for (size_t i = 0; i < b.n_pages * FLOW_PAGE; i++)
			n_other += b.bytes[i] != 0;
	assert_int_equal(more, 0);
	assert_int_equal(n_other, 1);
	assert_int_equal(smaps(pid, *at, "Anonymous"), 4);
	miss(&t);
	child_end(pid);
	munmap(at, sizeof(*at));
}

static int protection;

static void write_and_hide(void *user)
{
	uint8_t **at = user;

	write_some(at);
	if (mprotect(*at, PAGES * FLOW_PAGE, protection))
		_exit(1);
}

/* What the process itself may not read, the scan reads all the same. */
static void hidden_pages_are_read(void **state)
{
	static const int hidden[] = { PROT_NONE, PROT_EXEC, PROT_READ };

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		uint8_t **at = child_shared(sizeof(*at)), n[PAGES] = { 0 };
		struct target t;
		pid_t pid;

		protection = hidden[k];
		pid = child_start(write_and_hide, at);
		aim(&t, pid, *at, NULL);
		assert_int_equal(read_all(&t, n), 0);
		for (size_t i = 0; i < PAGES; i++)
			assert_int_equal(n[i], is_touched(i));
		assert_int_equal(mem_counts(t.mem)->unreadable_bytes, 0);
		miss(&t);
		child_end(pid);
		munmap(at, sizeof(*at));
	}
}

static void write_huge(void *user)
{
	uint8_t **at = user;

	*at = child_map(6 * MIB, PROT_READ | PROT_WRITE);
	madvise(*at, 6 * MIB, MADV_HUGEPAGE);
	for (size_t i = 0; i < 6 * MIB / FLOW_PAGE; i++)
		fill_page(*at + i * FLOW_PAGE, i);
}

static void huge_pages_come_whole(void **state)
{
	uint8_t **at = child_shared(sizeof(*at));
	pid_t pid = child_start(write_huge, at);
	struct target t;
	struct batch b = { 0 };
	size_t from, n = 0;

	(void)state;
	aim(&t, pid, *at, NULL);
	from = ((uintptr_t)*at - t.region->start) / FLOW_PAGE;
	while (mem_next(t.mem, &b) == 1)
		for (size_t i = 0; i < b.n_pages; i++) {
			uint64_t page =
				(b.address[i] - t.region->start) / FLOW_PAGE -
				from;

			if (page < 6 * MIB / FLOW_PAGE) {
				assert_true(
					is_page(b.bytes + i * FLOW_PAGE, page));
				n++;
			}
		}
	assert_int_equal(n, 6 * MIB / FLOW_PAGE);
	miss(&t);
	child_end(pid);
	munmap(at, sizeof(*at));
}

/* ---- what goes away -------------------------------------------------- */

static void one_that_ends_is_gone(void **state)
{
	uint8_t **at = child_shared(sizeof(*at));
	pid_t pid = child_start(write_some, at);
	struct target t, u;
	uint8_t buf[64];
	struct batch b = { 0 };
	uint64_t where;

	(void)state;
	aim(&t, pid, *at, NULL);
	aim(&u, pid, *at, NULL);
	assert_int_equal(mem_next(t.mem, &b), 1);
	child_end(pid);
	assert_int_equal(mem_next(t.mem, &b), -ESRCH);
	assert_int_equal(mem_next(u.mem, &b), -ESRCH);
	assert_int_equal(mem_stretch(u.mem, (uintptr_t)*at, (uintptr_t)*at + 64,
				     buf, 64, &where),
			 -ESRCH);
	assert_int_equal(mem_attach(u.mem, &u.proc), -ESRCH);
	miss(&t);
	miss(&u);
	munmap(at, sizeof(*at));
}

static void begin_another(int signal)
{
	(void)signal;
	execl("/proc/self/exe", "test_mem", "sleep", NULL);
	_exit(1);
}

static void write_and_wait(void *user)
{
	write_some(user);
	signal(SIGUSR1, begin_another);
}

static void one_that_begins_another_program_is_gone(void **state)
{
	uint8_t **at = child_shared(sizeof(*at));
	pid_t pid;
	struct target t;
	struct batch b = { 0 };
	int got = 1;

	(void)state;
	if (child_skip_emulated())
		skip();
	if (child_in_valgrind()) {
		puts("valgrind: /proc/self/exe is valgrind");
		skip();
	}
	pid = child_start(write_and_wait, at);
	aim(&t, pid, *at, NULL);
	assert_int_equal(mem_next(t.mem, &b), 1);
	kill(pid, SIGUSR1);
	for (int tries = 0; tries < 2000 && got >= 0; tries++) {
		usleep(1000);
		mem_start(t.mem, t.region);
		got = mem_next(t.mem, &b);
	}
	assert_int_equal(got, -ESRCH);
	assert_false(proc_gone(&t.proc));
	miss(&t);
	child_end(pid);
	munmap(at, sizeof(*at));
}

/* What the kernel can not say for another reason is not the end. */
static void an_error_is_not_the_end(void **state)
{
	uint8_t **at = child_shared(sizeof(*at));
	pid_t pid = child_start(write_some, at);
	struct target t;
	struct batch b = { 0 };

	(void)state;
	if (child_skip_emulated()) {
		child_end(pid);
		skip();
	}
	aim(&t, pid, *at, NULL);
	close(t.mem->pagemap_fd);
	t.mem->pagemap_fd = open("/", O_RDONLY | O_CLOEXEC);
	t.mem->can_scan = true;
	assert_int_equal(mem_next(t.mem, &b), -ENOTTY);
	t.mem->can_scan = false;
	mem_start(t.mem, t.region);
	assert_int_equal(mem_next(t.mem, &b), -EISDIR);
	miss(&t);
	child_end(pid);
	munmap(at, sizeof(*at));
}

static int file;

static void map_file(void *user)
{
	uint8_t **at = user;

	*at = mmap(NULL, PAGES * FLOW_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   file, 0);
	for (size_t i = 0; i < PAGES; i++)
		fill_page(*at + i * FLOW_PAGE, i);
}

/* Cut short between pagemap and copy: what is left arrives, the rest is
 * counted. */
static void a_truncated_file_costs_its_pages_only(void **state)
{
	uint8_t **at = child_shared(sizeof(*at));
	struct target t;
	pid_t pid;

	(void)state;
	file = memfd_create("davylamp test", MFD_CLOEXEC);
	assert_int_equal(ftruncate(file, PAGES * FLOW_PAGE), 0);
	pid = child_start(map_file, at);
	aim(&t, pid, *at, NULL);
	assert_int_equal(collect(t.mem), 0);
	assert_int_equal(t.mem->n_pages, BATCH_PAGES);
	assert_int_equal(ftruncate(file, 100 * FLOW_PAGE), 0);
	assert_int_equal(mem_copy(t.mem), 0);
	for (size_t i = 0; i < BATCH_PAGES; i++) {
		const uint8_t *page = t.mem->bytes + i * FLOW_PAGE;

		assert_int_equal(is_page(page, i), i < 100);
		assert_true(i < 100 || is_page(page, i) ||
			    (page[0] == 0 && !memcmp(page, page + 1, 4095)));
	}
	assert_int_equal(mem_counts(t.mem)->unreadable_bytes,
			 (BATCH_PAGES - 100) * FLOW_PAGE);
	miss(&t);
	child_end(pid);
	close(file);
	munmap(at, sizeof(*at));
}

struct held {
	uint8_t *at;
	volatile int let_go; /* 1: the pages, please; 2: they are gone */
};

static void *let_go(void *user)
{
	struct held *h = user;

	while (h->let_go != 1)
		usleep(1000);
	if (madvise(h->at, PAGES * FLOW_PAGE, MADV_DONTNEED))
		_exit(1);
	h->let_go = 2;
	return NULL;
}

/* To be gone between two batches. */
static void write_and_let_go(void *user)
{
	struct held *h = user;
	pthread_t thread;

	h->at = guarded(PAGES * FLOW_PAGE);
	for (size_t i = 0; i < PAGES; i++)
		fill_page(h->at + i * FLOW_PAGE, i);
	if (pthread_create(&thread, NULL, let_go, h))
		_exit(1);
}

static void pause_between_batches(bool scan)
{
	struct held *h = child_shared(sizeof(*h));
	pid_t pid = child_start(write_and_let_go, h);
	struct batch b = { 0 };
	struct target t;

	aim(&t, pid, h->at, NULL);
	t.mem->can_scan &= scan;
	assert_int_equal(mem_next(t.mem, &b), 1);
	assert_int_equal(b.n_pages, BATCH_PAGES);
	usleep(2000);
	assert_int_equal(mem_next(t.mem, &b), 1);
	assert_int_equal(b.address[0],
			 (uintptr_t)h->at + BATCH_PAGES * FLOW_PAGE);
	assert_true(is_page(b.bytes, BATCH_PAGES));
	h->let_go = 1;
	while (h->let_go != 2)
		usleep(1000);
	usleep(2000);
	assert_int_equal(mem_next(t.mem, &b), 0);
	assert_int_equal(smaps(pid, h->at, "Rss"), 0);
	assert_int_equal(mem_counts(t.mem)->unreadable_bytes, 0);
	miss(&t);
	child_end(pid);
	munmap(h, sizeof(*h));
}

/* What was resident before a pause is not fetched after it. */
static void pages_that_go_in_a_pause(void **state)
{
	(void)state;
	pause_between_batches(false);
	pause_between_batches(true);
}

/* Under a userfaultfd whose owner, this process, does nothing. */
static void hold_pages(void *user)
{
	struct held *h = user;
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	pthread_t thread;

	h->at = guarded(PAGES * FLOW_PAGE);
	for (size_t i = 0; i < PAGES; i++)
		fill_page(h->at + i * FLOW_PAGE, i);
	r.range.start = (uintptr_t)h->at;
	r.range.len = PAGES * FLOW_PAGE;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &r))
		h->at = NULL;
	else if (pthread_create(&thread, NULL, let_go, h))
		_exit(1);
}

/* They do not come back, and nobody waits for them. */
static void pages_that_are_held_back(void **state)
{
	struct held *h = child_shared(sizeof(*h));
	pid_t pid = child_start(hold_pages, h);
	uint8_t buf[FLOW_PAGE];
	struct target t;
	uint64_t at;

	(void)state;
	if (!h->at) {
		child_end(pid);
		puts("no userfaultfd for us here");
		skip();
	}
	aim(&t, pid, h->at, NULL);
	assert_int_equal(collect(t.mem), 0);
	assert_int_equal(t.mem->n_pages, BATCH_PAGES);
	h->let_go = 1;
	while (h->let_go != 2)
		usleep(1000);
	alarm(20);
	assert_int_equal(mem_copy(t.mem), 0);
	assert_int_equal(mem_stretch(t.mem, (uintptr_t)h->at,
				     (uintptr_t)h->at + FLOW_PAGE, buf,
				     FLOW_PAGE, &at),
			 0);
	alarm(0);
	assert_int_equal(mem_counts(t.mem)->unreadable_bytes,
			 BATCH_PAGES * FLOW_PAGE);
	assert_false(mem_stalled(t.mem));
	miss(&t);
	child_end(pid);
	munmap(h, sizeof(*h));
}

/* What might stall is copied by another process, and is the same. */
static void another_reads_what_may_stall(void **state)
{
	uint8_t **at = child_shared(sizeof(*at)), count[PAGES] = { 0 };
	struct target t;
	struct region strange;
	pid_t pid;

	(void)state;
	if (child_skip_unwatched())
		skip();
	pid = child_start(write_some, at);
	aim(&t, pid, *at, NULL);
	strange = *t.region;
	strange.dev = 0xfffff;
	assert_false(mem_may_stall(t.mem, t.region));
	assert_true(mem_may_stall(t.mem, &strange));
	assert_null(t.mem->reader);
	t.region = &strange;
	mem_start(t.mem, &strange);
	assert_int_equal(read_all(&t, count), 0);
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(count[i], is_touched(i));
	assert_non_null(t.mem->reader);
	assert_false(mem_stalled(t.mem));
	assert_int_equal(mem_counts(t.mem)->unreadable_bytes, 0);
	miss(&t);
	child_end(pid);
	munmap(at, sizeof(*at));
}

/* ---- mem_stretch ----------------------------------------------------- */

static void write_islands(void *user) /* pages 2, 3, 5 and 8 to 99 of 100 */
{
	uint8_t **at = user;

	*at = guarded(100 * FLOW_PAGE);
	for (size_t i = 0; i < 100; i++)
		if (i == 2 || i == 3 || i == 5 || i >= 8)
			fill_page(*at + i * FLOW_PAGE, i);
}

static void a_stretch_ends_at_a_hole(void **state)
{
	enum { P = FLOW_PAGE };
	static const struct {
		uint64_t from, to, cap, at;
		ssize_t len;
	} table[] = {
		{ 0, 8 * P, 9 * P, 2 * P, 2 * P },
		{ 100, 8 * P, 9 * P, 2 * P, 2 * P },
		{ 2 * P, 8 * P, 9 * P, 2 * P, 2 * P },
		{ 2 * P + 1, 8 * P, 9 * P, 2 * P + 1, 2 * P - 1 },
		{ 4 * P - 1, 8 * P, 9 * P, 4 * P - 1, 1 },
		{ 4 * P, 8 * P, 9 * P, 5 * P, P },
		{ 4 * P + 7, 8 * P, 9 * P, 5 * P, P },
		{ 6 * P, 8 * P, 9 * P, 0, 0 },
		{ 6 * P + 9, 8 * P - 9, 9 * P, 0, 0 },
		{ 0, P, 9 * P, 0, 0 },
		{ 0, 2 * P + 10, 9 * P, 2 * P, 10 },
		{ 2 * P + 10, 2 * P + 20, 9 * P, 2 * P + 10, 10 },
		{ 3 * P - 5, 3 * P + 5, 9 * P, 3 * P - 5, 10 },
		{ 0, 8 * P, 1, 2 * P, 1 },
		{ 0, 8 * P, P + 7, 2 * P, P + 7 },
		{ 8 * P, 20 * P, 99 * P, 8 * P, 12 * P },
		{ 9 * P + 1, 90 * P, 99 * P, 9 * P + 1, 63 * P },
		{ 0, 100 * P, 3 * P, 2 * P, 2 * P },
	};
	uint8_t **at = child_shared(sizeof(*at));
	pid_t pid = child_start(write_islands, at);
	struct target t;
	uint8_t *buf = malloc(99 * P), *want = malloc(100 * P);
	uint64_t base = (uintptr_t)*at;

	(void)state;
	aim(&t, pid, *at, NULL);
	for (size_t i = 0; i < 100; i++)
		fill_page(want + i * P, i);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t where = 0;

		memset(buf, 0xee, 99 * P);
		assert_int_equal(mem_stretch(t.mem, base + table[i].from,
					     base + table[i].to, buf,
					     table[i].cap, &where),
				 table[i].len);
		if (!table[i].len)
			continue;
		assert_int_equal(where - base, table[i].at);
		assert_memory_equal(buf, want + table[i].at,
				    (size_t)table[i].len);
		assert_int_equal(buf[table[i].len], 0xee);
	}
	assert_int_equal(smaps(pid, *at, "Rss"), 95 * 4);
	free(buf);
	free(want);
	miss(&t);
	child_end(pid);
	munmap(at, sizeof(*at));
}

static void nobody_is_refused(void **state)
{
	struct proc p = { .dir = -1, .own = -1, .pid = 4194305 };
	struct mem *m;

	(void)state;
	assert_int_equal(mem_new(NULL, &m), 0);
	assert_int_equal(mem_attach(m, &p), -EBADF);
	mem_free(m);
	mem_free(NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resident_pages_come_once),
		cmocka_unit_test(the_same_by_pagemap_scan),
		cmocka_unit_test(zero_pages_are_zero),
		cmocka_unit_test(hidden_pages_are_read),
		cmocka_unit_test(huge_pages_come_whole),
		cmocka_unit_test(one_that_ends_is_gone),
		cmocka_unit_test(one_that_begins_another_program_is_gone),
		cmocka_unit_test(an_error_is_not_the_end),
		cmocka_unit_test(a_truncated_file_costs_its_pages_only),
		cmocka_unit_test(pages_that_go_in_a_pause),
		cmocka_unit_test(pages_that_are_held_back),
		cmocka_unit_test(another_reads_what_may_stall),
		cmocka_unit_test(a_stretch_ends_at_a_hole),
		cmocka_unit_test(nobody_is_refused),
	};

	if (argc == 2 && !strcmp(argv[1], "sleep"))
		return (int)sleep(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
