/* mem_resident.c - which pages of a region are resident. */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "io.h"
#include "mem_own.h"

/* Entries are believed for so long.  To read 1,024 takes 10 us, which is what
 * may be lost of each of these. */
#define FRESH_NS 1000000

/* PAGEMAP_SCAN, include/uapi/linux/fs.h of Linux 6.7; Debian 12's headers
 * are older. */
struct page_region {
	uint64_t start, end, categories;
};
struct pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages,
		category_inverted, category_mask, category_anyof_mask,
		return_mask;
};
_Static_assert(sizeof(struct pm_scan_arg) == 96, "as the kernel has it");
#define PAGEMAP_SCAN	_IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_PFNZERO (1 << 5)

/* Asks for the resident ranges of [start, end); -errno, or how many. */
int mem_scan_ranges(struct mem *m, uint64_t start, uint64_t end,
		    uint64_t *ret_walked)
{
	struct page_region found[RANGES] = { { 0 } };
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uintptr_t)found,
		.vec_len = RANGES,
		.category_inverted = PAGE_IS_PFNZERO,
		.category_mask = PAGE_IS_PRESENT | PAGE_IS_PFNZERO,
		.return_mask = PAGE_IS_PRESENT,
	};
	int n = ioctl(m->pagemap_fd, PAGEMAP_SCAN, &arg);

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++)
		m->ranges[i] = (struct range){ found[i].start, found[i].end };
	*ret_walked = arg.walk_end;
	return n;
}

/* Turns to the next range of addresses that hold resident pages.  1, 0 or
 * -errno. */
static int next_range(struct mem *m)
{
	if (m->range < m->n_ranges &&
	    m->ranges[m->range].start >= m->ranges[m->range].end)
		m->range++;
	while (m->range == m->n_ranges) {
		int n = 1;

		if (m->scan_at >= m->region->end)
			return 0;
		if (m->can_scan) {
			n = mem_scan_ranges(m, m->scan_at, m->region->end,
					    &m->scan_at);
			if (n < 0)
				return n;
		} else {
			m->ranges[0] =
				(struct range){ m->scan_at, m->region->end };
			m->scan_at = m->region->end;
		}
		m->n_ranges = (size_t)n;
		m->range = 0;
	}
	return 1;
}

/* Reads pagemap entries of @range's beginning and takes them off it. */
static int read_entries(struct mem *m, struct range *range)
{
	uint64_t want = (range->end - range->start) / m->page;
	ssize_t n;

	if (want > ENTRIES)
		want = ENTRIES;
	m->entries_ns = io_now_ns();
	n = pread(m->pagemap_fd, m->entries, want * 8,
		  (off_t)(range->start / m->page * 8));
	if (n < 8)
		return n < 0 ? -errno : -ESRCH; /* 0: it is no more */
	m->entry_at = range->start;
	m->n_entries = (size_t)n / 8;
	m->entry = 0;
	range->start += m->n_entries * m->page;
	return 0;
}

int mem_more_entries(struct mem *m)
{
	int more = next_range(m);

	return more == 1 ? read_entries(m, &m->ranges[m->range]) ?: 1 : more;
}

void mem_drop_stale(struct mem *m)
{
	if (m->entry == m->n_entries || io_now_ns() - m->entries_ns < FRESH_NS)
		return;
	m->ranges[m->range].start = m->entry_at + m->entry * m->page;
	m->n_entries = m->entry = 0;
}
