#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "child.h"
#include "maps.h"
#include "mem.c" /* for collect() and copy(), which a race lies between */

#define PAGES 1200
#define MIB   (1UL << 20)

/* What a child's page @i holds: no two are equal, none is zero. */
static void fill_page(uint8_t *page, uint64_t i)
{
	for (uint64_t k = 0; k < FLOW_PAGE / 8; k++)
		((uint64_t *)(void *)page)[k] = i << 20 | (k + 1);
}

static bool is_page(const uint8_t *page, uint64_t i)
{
	static _Alignas(8) uint8_t want[FLOW_PAGE];

	fill_page(want, i);
	return memcmp(page, want, FLOW_PAGE) == 0;
}

/* A mapping that merges with no other one. */
static uint8_t *guarded(size_t bytes)
{
	uint8_t *p = child_map(bytes + 2 * 65536, PROT_NONE) + 65536;

	if (mprotect(p, bytes, PROT_READ | PROT_WRITE) ||
	    madvise(p, bytes, MADV_NOHUGEPAGE))
		_exit(1);
	return p;
}

/* A child and its region @at, attached to. */
struct target {
	struct proc proc;
	struct maps *maps;
	const struct region *region;
	struct mem *mem;
};

static void aim(struct target *t, pid_t pid, uint8_t *at,
		struct frames *frames)
{
	*t = (struct target){ .proc = child_proc(pid) };
	assert_int_equal(maps_read(&t->proc, &t->maps), 0);
	t->region = maps_find(t->maps, (uintptr_t)at);
	assert_non_null(t->region);
	assert_int_equal(mem_new(frames, &t->mem), 0);
	assert_int_equal(mem_attach(t->mem, &t->proc), 0);
	mem_start(t->mem, t->region);
}

static void miss(struct target *t)
{
	mem_free(t->mem);
	maps_free(t->maps);
	proc_close(&t->proc);
}

/* Reads the region to its end; @count[i] is how often page @i came.  Each
 * page must hold what the child wrote. */
static int read_all(struct target *t, uint8_t *count)
{
	uint64_t last = 0;
	struct batch b = { 0 };
	int more;

	while ((more = mem_next(t->mem, &b)) == 1) {
		assert_ptr_equal(b.region, t->region);
		assert_in_range(b.n_pages, 1, BATCH_PAGES);
		assert_int_equal((uintptr_t)b.bytes % FLOW_PAGE, 0);
		for (size_t i = 0; i < b.n_pages; i++) {
			uint64_t page = (b.address[i] - t->region->start) /
					FLOW_PAGE;

			assert_true(b.address[i] > last);
			assert_true(b.address[i] < t->region->end);
			last = b.address[i];
			assert_true(is_page(b.bytes + i * FLOW_PAGE, page));
			count[page]++;
		}
	}
	return more;
}

/* ---- which pages, and what is in them ---------------------------------- */

/* Long runs, short ones, single pages and long holes. */
static bool is_touched(size_t i)
{
	return (i >= 100 && i < 450) || (i >= 500 && i < 800 && i % 2) ||
	       i == 0 || i == PAGES - 1 || (i > 900 && i % 7 < 3);
}

static void write_some(void *user)
{
	uint8_t **at = user;

	*at = guarded(PAGES * FLOW_PAGE);
	for (size_t i = 0; i < PAGES; i++)
		if (is_touched(i))
			fill_page(*at + i * FLOW_PAGE, i);
}

/* A field of smaps for the mapping at @address, in KiB. */
static long smaps(pid_t pid, const uint8_t *address, const char *field)
{
	char path[64], line[512];
	uint64_t start = 0, at;
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (kib < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-", &at) == 1 && strchr(line, '-'))
			start = at;
		else if (start == (uintptr_t)address &&
			 !strncmp(line, field, strlen(field)))
			kib = atol(line + strlen(field) + 1);
	}
	fclose(f);
	assert_true(kib >= 0);
	return kib;
}

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
	if (!can) /* before Linux 6.7 */
		skip();
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
			uint64_t page = (b.address[i] - t.region->start) /
						FLOW_PAGE - from;

			if (page < 6 * MIB / FLOW_PAGE) {
				assert_true(is_page(b.bytes + i * FLOW_PAGE,
						    page));
				n++;
			}
		}
	assert_int_equal(n, 6 * MIB / FLOW_PAGE);
	miss(&t);
	child_end(pid);
	munmap(at, sizeof(*at));
}

/* ---- the target stays as it was ---------------------------------------- */

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
	if (swap == 0) { /* no swap space here */
		child_end(pid);
		skip();
	}
	aim(&t, pid, *at, NULL);
	assert_int_equal(read_all(&t, count), 0);
	assert_int_equal(smaps(pid, *at, "Swap"), swap);
	miss(&t);
	child_end(pid);
}

/* ---- shared frames ----------------------------------------------------- */

static bool sees_frames(void)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t n = pread(fd, &entry, 8,
			  (off_t)((uintptr_t)&entry / FLOW_PAGE * 8));

	close(fd);
	return n == 8 && entry & PM_PFN;
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
	while (mem_next(t.mem, &b) == 1)
		for (size_t i = 0; i < b.n_pages; i += 10)
			mem_remember(t.mem, i);
	assert_int_equal(read_all(&twin, count), 0);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(count[i], i % BATCH_PAGES % 10 == 0);
	miss(&t);
	miss(&twin);
	frames_free(frames);
	end_family(pid, f);
}

/* It ends after its frames were marked as seen and before they were copied:
 * nobody has looked at them, so the others' must still come. */
static void what_was_not_copied_was_not_seen(void **state)
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
	assert_int_equal(collect(twin.mem), 0);
	assert_int_equal(twin.mem->n_pages, BATCH_PAGES);
	kill(f->twin, SIGKILL);
	while (!proc_gone(&twin.proc))
		usleep(1000);
	assert_int_equal(finish(twin.mem, 0), -ESRCH);
	assert_int_equal(mem_next(twin.mem, &b), -ESRCH);
	assert_int_equal(read_all(&t, count), 0);
	assert_int_equal(sum(count, N), N);
	miss(&t);
	miss(&twin);
	frames_free(frames);
	end_family(pid, f);
}

/* ---- what goes away ---------------------------------------------------- */

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
	assert_int_equal(mem_stretch(u.mem, (uintptr_t)*at,
				     (uintptr_t)*at + 64, buf, 64, &where),
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
	pid_t pid = child_start(write_and_wait, at);
	struct target t;
	struct batch b = { 0 };
	int got = 1;

	(void)state;
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

static int file;

static void map_file(void *user)
{
	uint8_t **at = user;

	*at = mmap(NULL, PAGES * FLOW_PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED, file, 0);
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
	assert_int_equal(finish(t.mem, 0), 0);
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

/* ---- mem_stretch ------------------------------------------------------- */

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
	struct proc p = { .dir = -1, .pid = 4194305 };
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
		cmocka_unit_test(forked_memory_stays_shared),
		cmocka_unit_test(swapped_pages_stay_out),
		cmocka_unit_test(a_shared_frame_comes_once),
		cmocka_unit_test(a_remembered_frame_comes_to_all),
		cmocka_unit_test(what_was_not_copied_was_not_seen),
		cmocka_unit_test(one_that_ends_is_gone),
		cmocka_unit_test(one_that_begins_another_program_is_gone),
		cmocka_unit_test(a_truncated_file_costs_its_pages_only),
		cmocka_unit_test(a_stretch_ends_at_a_hole),
		cmocka_unit_test(nobody_is_refused),
	};

	if (argc == 2 && !strcmp(argv[1], "sleep"))
		return (int)sleep(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
