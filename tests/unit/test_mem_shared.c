#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mem_fixture.h"

/* ---- the target stays as it was -------------------------------------- */

struct family {
	uint8_t *at;
	size_t bytes;
	pid_t twin;
};

/* Writes @bytes and forks: they are the same frames in both. */
static void write_and_fork(void *user)
{
	struct family *f = user;

	f->at = guarded(f->bytes);
	for (size_t i = 0; i < f->bytes / FLOW_PAGE; i++)
		fill_page(f->at + i * FLOW_PAGE, i);
	f->twin = child_start(NULL, NULL);
}

static void end_family(pid_t pid, struct family *f)
{
	kill(f->twin, SIGKILL);
	child_end(pid);
	munmap(f, sizeof(*f));
}

/* Reading with process_vm_readv would give each its own copy (perf.md, 1). */
static void forked_memory_stays_shared(void **state)
{
	struct family *f = child_shared(sizeof(*f));
	uint8_t *count = calloc(64 * MIB / FLOW_PAGE, 1);
	long pss, rss;
	pid_t pid;

	(void)state;
	f->bytes = 64 * MIB;
	pid = child_start(write_and_fork, f);
	pss = smaps(pid, f->at, "Pss");
	rss = smaps(pid, f->at, "Rss");
	assert_int_equal(rss, 64 << 10);
	assert_int_equal(pss, 32 << 10);
	for (int pass = 0; pass < 4; pass++) {
		struct target t;

		aim(&t, pass & 1 ? f->twin : pid, f->at, NULL);
		assert_int_equal(read_all(&t, count), 0);
		miss(&t);
	}
	for (size_t i = 0; i < 64 * MIB / FLOW_PAGE; i++)
		assert_int_equal(count[i], 4);
	assert_int_equal(smaps(pid, f->at, "Pss"), pss);
	assert_int_equal(smaps(pid, f->at, "Rss"), rss);
	assert_int_equal(smaps(f->twin, f->at, "Pss"), pss);
	free(count);
	end_family(pid, f);
}

static void swap_out(void *user)
{
	uint8_t **at = user;

	write_some(at);
	madvise(*at, PAGES * FLOW_PAGE, MADV_PAGEOUT);
}

static void swapped_pages_stay_out(void **state)
{
	uint8_t **at = child_shared(sizeof(*at)), count[PAGES] = { 0 };
	pid_t pid = child_start(swap_out, at);
	long swap = smaps(pid, *at, "Swap");
	struct target t;

	(void)state;
	if (swap == 0) {
		child_end(pid);
		puts("no swap space here");
		skip();
	}
	aim(&t, pid, *at, NULL);
	assert_int_equal(read_all(&t, count), 0);
	assert_int_equal(smaps(pid, *at, "Swap"), swap);
	miss(&t);
	child_end(pid);
}

/* ---- shared frames --------------------------------------------------- */

static bool sees_frames(void)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, &entry, 8,
			  (off_t)((uintptr_t)&entry / FLOW_PAGE * 8));

	close(fd);
	if (n == 8 && entry & PM_PFN)
		return true;
	puts("frame numbers are hidden: not root");
	return false;
}

static size_t sum(const uint8_t *count, size_t n)
{
	size_t all = 0;

	for (size_t i = 0; i < n; i++)
		all += count[i];
	return all;
}

static void a_shared_frame_comes_once(void **state)
{
	enum { N = 2 * MIB / FLOW_PAGE };
	struct family *f = child_shared(sizeof(*f));
	uint8_t count[3][N] = { 0 };
	struct frames *frames;
	struct target t[3];
	pid_t pid;

	(void)state;
	if (!sees_frames())
		skip();
	f->bytes = 2 * MIB;
	pid = child_start(write_and_fork, f);
	assert_int_equal(frames_new(&frames), 0);
	aim(&t[0], pid, f->at, frames);
	aim(&t[1], f->twin, f->at, frames);
	aim(&t[2], f->twin, f->at, NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(read_all(&t[i], count[i]), 0);
	assert_int_equal(sum(count[0], N), N);
	assert_int_equal(mem_counts(t[0].mem)->shared_bytes, 0);
	assert_int_equal(sum(count[1], N), 0);
	assert_int_equal(mem_counts(t[1].mem)->shared_bytes, f->bytes);
	assert_int_equal(mem_counts(t[1].mem)->read_bytes, 0);
	assert_int_equal(sum(count[2], N), N);
	frames_reset(frames); /* a new pass */
	mem_start(t[1].mem, t[1].region);
	assert_int_equal(read_all(&t[1], count[1]), 0);
	assert_int_equal(sum(count[1], N), N);
	for (int i = 0; i < 3; i++)
		miss(&t[i]);
	frames_free(frames);
	end_family(pid, f);
}

static void a_remembered_frame_comes_to_all(void **state)
{
	enum { N = 2 * MIB / FLOW_PAGE };
	struct family *f = child_shared(sizeof(*f));
	bool found[BATCH_PAGES] = { 0 };
	uint8_t count[N] = { 0 };
	struct frames *frames;
	struct target t, twin;
	struct batch b = { 0 };
	pid_t pid;

	(void)state;
	if (!sees_frames())
		skip();
	f->bytes = 2 * MIB;
	pid = child_start(write_and_fork, f);
	assert_int_equal(frames_new(&frames), 0);
	aim(&t, pid, f->at, frames);
	aim(&twin, f->twin, f->at, frames);
	for (size_t i = 0; i < BATCH_PAGES; i += 10)
		found[i] = true;
	while (mem_next(t.mem, &b) == 1)
		mem_settle(t.mem, found);
	assert_int_equal(read_all(&twin, count), 0);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(count[i], i % BATCH_PAGES % 10 == 0);
	miss(&t);
	miss(&twin);
	frames_free(frames);
	end_family(pid, f);
}

/* It ends before anyone has looked at what was copied: the others' frames must
 * still come. */
static void what_was_not_settled_was_not_seen(void **state)
{
	enum { N = 2 * MIB / FLOW_PAGE };
	struct family *f = child_shared(sizeof(*f));
	uint8_t count[N] = { 0 };
	struct frames *frames;
	struct target t, twin;
	struct batch b = { 0 };
	pid_t pid;

	(void)state;
	if (!sees_frames())
		skip();
	f->bytes = 2 * MIB;
	pid = child_start(write_and_fork, f);
	assert_int_equal(frames_new(&frames), 0);
	aim(&t, pid, f->at, frames);
	aim(&twin, f->twin, f->at, frames);
	assert_int_equal(mem_next(twin.mem, &b), 1);
	assert_int_equal(b.n_pages, BATCH_PAGES);
	kill(f->twin, SIGKILL);
	while (!proc_gone(&twin.proc))
		usleep(1000);
	assert_int_equal(mem_next(twin.mem, &b), -ESRCH);
	assert_int_equal(read_all(&t, count), 0);
	assert_int_equal(sum(count, N), N);
	miss(&t);
	miss(&twin);
	frames_free(frames);
	end_family(pid, f);
}

static int file;

static void write_as_data(void *user)
{
	struct family *f = user;

	f->at = mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file,
		     0);
	for (size_t i = 0; i < f->bytes / FLOW_PAGE; i++)
		fill_page(f->at + i * FLOW_PAGE, i);
}

static void map_and_read(struct family *f, int protection, int flags)
{
	uint8_t any = 0;

	f->at = mmap(NULL, f->bytes, protection, flags, file, 0);
	for (size_t i = 0; i < f->bytes; i += FLOW_PAGE)
		any |= ((volatile uint8_t *)f->at)[i];
	(void)any;
}

static void map_as_tables(void *user)
{
	map_and_read(user, PROT_READ, MAP_PRIVATE);
}

static void map_as_code(void *user)
{
	map_and_read(user, PROT_READ | PROT_EXEC, MAP_SHARED);
}

/* Written by one process as plain data, read by another, run by a third: no
 * short look stands for a longer one. */
static void code_that_is_data_elsewhere_comes(void **state)
{
	enum { N = MIB / FLOW_PAGE, KINDS = CONTENT_CODE + 1 };
	static void (*const begin[KINDS])(void *) = {
		write_as_data, map_as_tables, map_as_code
	};
	struct family *f = child_shared(KINDS * sizeof(*f));
	uint8_t count[KINDS][N] = { { 0 } };
	struct frames *frames;
	struct target t[KINDS];
	pid_t pid[KINDS];

	(void)state;
	if (child_skip_emulated())
		skip();
	if (!sees_frames())
		skip();
	file = memfd_create("davylamp test", MFD_CLOEXEC);
	assert_int_equal(ftruncate(file, MIB), 0);
	assert_int_equal(frames_new(&frames), 0);
	for (int i = 0; i < KINDS; i++) {
		f[i].bytes = MIB;
		pid[i] = child_start(begin[i], &f[i]);
	}
	for (int i = 0; i < KINDS; i++) {
		aim(&t[i], pid[i], f[i].at, frames);
		assert_int_equal(region_content(t[i].region), i);
		assert_int_equal(read_all(&t[i], count[i]), 0);
		assert_int_equal(sum(count[i], N), N);
	}
	for (int i = 0; i < KINDS; i++) {
		mem_start(t[i].mem, t[i].region);
		assert_int_equal(read_all(&t[i], count[i]), 0);
		assert_int_equal(sum(count[i], N), N); /* not again */
	}
	for (int i = 0; i < KINDS; i++) {
		miss(&t[i]);
		child_end(pid[i]);
	}
	frames_free(frames);
	close(file);
	munmap(f, KINDS * sizeof(*f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forked_memory_stays_shared),
		cmocka_unit_test(swapped_pages_stay_out),
		cmocka_unit_test(a_shared_frame_comes_once),
		cmocka_unit_test(a_remembered_frame_comes_to_all),
		cmocka_unit_test(what_was_not_settled_was_not_seen),
		cmocka_unit_test(code_that_is_data_elsewhere_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
