/* mem_fixture.h - children with known memory, and a reader aimed at them.
 * mem.c itself is in here: a race lies between its collect() and copy(). */
#ifndef MEM_FIXTURE_H
#define MEM_FIXTURE_H

#include <stdio.h>
#include "child.h"
#include "maps.h"
#include "mem.c"

#define PAGES 1200
#define MIB (1UL << 20)

/* What a child's page @i holds: no two are equal, none is zero. */
static inline void fill_page(uint8_t *page, uint64_t i)
{
	for (uint64_t k = 0; k < FLOW_PAGE / 8; k++)
		((uint64_t *)(void *)page)[k] = i << 20 | (k + 1);
}

static inline bool is_page(const uint8_t *page, uint64_t i)
{
	static _Alignas(8) uint8_t want[FLOW_PAGE];

	fill_page(want, i);
	return memcmp(page, want, FLOW_PAGE) == 0;
}

/* A mapping that merges with no other one. */
static inline uint8_t *guarded(size_t bytes)
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

static inline void aim(struct target *t, pid_t pid, uint8_t *at,
		struct frames *frames)
{
	*t = (struct target){ .proc = child_proc(pid) };
	assert_int_equal(maps_read(&t->proc, 0, &t->maps), 0);
	t->region = maps_find(t->maps, (uintptr_t)at);
	assert_non_null(t->region);
	assert_int_equal(mem_new(frames, &t->mem), 0);
	assert_int_equal(mem_attach(t->mem, &t->proc), 0);
	mem_start(t->mem, t->region);
}

static inline void miss(struct target *t)
{
	mem_free(t->mem);
	maps_free(t->maps);
	proc_close(&t->proc);
}

/* Reads the region to its end and finds nothing; @count[i] is how often page
 * @i came.  Each page must hold what the child wrote. */
static inline int read_all(struct target *t, uint8_t *count)
{
	uint64_t last = 0;
	const bool nothing[BATCH_PAGES] = { 0 };
	struct batch b = { 0 };
	int more;

	while ((more = mem_next(t->mem, &b)) == 1) {
		mem_settle(t->mem, nothing);
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

/* Long runs, short ones, single pages and long holes. */
static inline bool is_touched(size_t i)
{
	return (i >= 100 && i < 450) || (i >= 500 && i < 800 && i % 2) ||
	       i == 0 || i == PAGES - 1 || (i > 900 && i % 7 < 3);
}

static inline void write_some(void *user)
{
	uint8_t **at = user;

	*at = guarded(PAGES * FLOW_PAGE);
	for (size_t i = 0; i < PAGES; i++)
		if (is_touched(i))
			fill_page(*at + i * FLOW_PAGE, i);
}

/* A field of smaps for the mapping at @address, in KiB. */
static inline long smaps(pid_t pid, const uint8_t *address, const char *field)
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

#endif
