/* mem.c - the resident pages of a process, copied in batches. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include "capture.h"
#include "localfs.h"
#include "mem.h"
#include "reader.h"
#include "userfault.h"

/* pagemap bits, Documentation/admin-guide/mm/pagemap.rst */
#define PM_PFN	     ((1ULL << 55) - 1)
#define PM_EXCLUSIVE (1ULL << 56)
#define PM_FILE	     (1ULL << 61)
#define PM_PRESENT   (1ULL << 63)

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

#define RANGES	64   /* resident ranges asked for at once */
#define ENTRIES 1024 /* pagemap entries read at once */
#define RUN_MAX 128  /* FLOW_PAGEs copied by one call: 512 KiB */

struct range {
	uint64_t start, end;
};

struct mem {
	struct frames *frames;
	struct filecache *cache; /* or NULL */
	uint64_t looked_for;
	uint64_t file; /* the region's, for the cache; 0: none */
	const struct proc *proc;
	const struct region *region;
	int mem_fd, pagemap_fd;
	bool can_scan; /* PAGEMAP_SCAN works here */
	struct localfs local;
	bool any_faults;       /* any process may keep who reads its memory */
	bool faults;	       /* this one may: it has a userfaultfd */
	struct reader *reader; /* for what may never come, once needed */
	bool given_up;	       /* it did not */
	uint64_t page;	       /* the kernel's page size */
	struct mem_counts counts;

	/* What is resident: ranges of [scanned so far], then entries. */
	uint64_t scan_at;
	struct range ranges[RANGES];
	size_t n_ranges, range;
	uint64_t entry_at; /* address of entries[entry] */
	uint64_t entries[ENTRIES];
	size_t n_entries, entry;

	/* The batch. */
	uint8_t *bytes;
	uint64_t address[BATCH_PAGES];
	uint64_t pfn[BATCH_PAGES]; /* 0: unknown, or not shared */
	bool fast[BATCH_PAGES];	   /* process_vm_readv may read it */
	bool of_file[BATCH_PAGES]; /* it is a page of m->file */
	size_t n_pages;
};

int mem_new(struct frames *frames, struct mem **ret)
{
	struct mem *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	/* Page-aligned: a copy to an address that is not 32-byte aligned takes
	 * 2.7 times as long (bench/record). */
	m->bytes = mmap(NULL, BATCH_PAGES * FLOW_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->bytes == MAP_FAILED) {
		free(m);
		return -ENOMEM;
	}
	m->frames = frames;
	m->any_faults = userfault_by_all();
	localfs_open(&m->local);
	m->mem_fd = m->pagemap_fd = -1;
	m->page = (uint64_t)sysconf(_SC_PAGESIZE);
	*ret = m;
	return 0;
}

void mem_use_filecache(struct mem *m, struct filecache *cache,
		       uint64_t looked_for)
{
	m->cache = cache;
	m->looked_for = looked_for;
}

static void detach(struct mem *m)
{
	if (m->mem_fd >= 0)
		close(m->mem_fd);
	if (m->pagemap_fd >= 0)
		close(m->pagemap_fd);
	m->mem_fd = m->pagemap_fd = -1;
	reader_free(m->reader);
	m->reader = NULL;
	m->given_up = false;
}

void mem_free(struct mem *m)
{
	if (!m)
		return;
	detach(m);
	localfs_close(&m->local);
	munmap(m->bytes, BATCH_PAGES * FLOW_PAGE);
	free(m);
}

/* Asks for the resident ranges of [start, end); -errno, or how many. */
static int scan_ranges(struct mem *m, uint64_t start, uint64_t end,
		       uint64_t *ret_walked)
{
	struct page_region found[RANGES];
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

int mem_attach(struct mem *m, const struct proc *proc)
{
	uint64_t walked;

	detach(m);
	m->proc = proc;
	m->region = NULL;
	memset(&m->counts, 0, sizeof(m->counts));
	m->can_scan = false;
	if (proc->saved) {
		m->counts.unreadable_bytes = capture_unreadable(proc->saved);
		return 0;
	}
	m->mem_fd = openat(proc->dir, "mem", O_RDONLY | O_CLOEXEC);
	if (m->mem_fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	m->pagemap_fd = openat(proc->dir, "pagemap", O_RDONLY | O_CLOEXEC);
	if (m->pagemap_fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	m->can_scan = scan_ranges(m, 0, m->page, &walked) >= 0;
	m->faults = m->any_faults || userfault_in(proc);
	localfs_refresh(&m->local);
	return 0;
}

const struct proc *mem_proc(const struct mem *m)
{
	return m->proc;
}

bool mem_may_stall(const struct mem *m, const struct region *region)
{
	return !m->proc->saved && region->dev &&
	       !localfs_has(&m->local, region->dev);
}

bool mem_stalled(const struct mem *m)
{
	return m->given_up;
}

bool mem_can_scan(const struct mem *m)
{
	return m->can_scan;
}

void mem_start(struct mem *m, const struct region *region)
{
	m->region = region;
	m->scan_at = region->start;
	m->n_ranges = m->range = 0;
	m->n_entries = m->entry = 0;
	m->file = m->cache ? filecache_file(m->cache, m->proc, region,
					    m->looked_for)
			   : 0;
}

const struct mem_counts *mem_counts(const struct mem *m)
{
	return &m->counts;
}

/* ---- what is resident -------------------------------------------------- */

/* The next range of addresses that hold resident pages.  1, 0 or -ESRCH. */
static int next_range(struct mem *m, struct range *ret)
{
	while (m->range == m->n_ranges) {
		int n = 1;

		if (m->scan_at >= m->region->end)
			return 0;
		if (m->can_scan) {
			n = scan_ranges(m, m->scan_at, m->region->end,
					&m->scan_at);
			if (n < 0)
				return -ESRCH;
		} else {
			m->ranges[0] =
				(struct range){ m->scan_at, m->region->end };
			m->scan_at = m->region->end;
		}
		m->n_ranges = (size_t)n;
		m->range = 0;
	}
	*ret = m->ranges[m->range];
	return 1;
}

/* Reads pagemap entries of @range's beginning and takes them off it. */
static int read_entries(struct mem *m, struct range *range)
{
	uint64_t want = (range->end - range->start) / m->page;
	ssize_t n;

	if (want > ENTRIES)
		want = ENTRIES;
	n = pread(m->pagemap_fd, m->entries, want * 8,
		  (off_t)(range->start / m->page * 8));
	if (n < 8)
		return -ESRCH; /* 0: the memory is no more */
	m->entry_at = range->start;
	m->n_entries = (size_t)n / 8;
	m->entry = 0;
	range->start += m->n_entries * m->page;
	if (range->start >= range->end)
		m->range++;
	else
		m->ranges[m->range] = *range;
	return 0;
}

static int more_entries(struct mem *m)
{
	struct range range;
	int more = next_range(m, &range);

	return more == 1 ? read_entries(m, &range) ?: 1 : more;
}

static uint64_t file_offset(const struct mem *m, uint64_t at)
{
	return m->region->offset + (at - m->region->start);
}

/* What the frame is known by.  One that only one page table maps can not be
 * met twice: 0. */
static uint64_t shared_pfn(const struct mem *m, uint64_t entry, uint64_t at)
{
	const struct region *r = m->region;

	if (entry & PM_EXCLUSIVE || !m->frames)
		return 0;
	if (entry & PM_PFN || !(entry & PM_FILE))
		return entry & PM_PFN;
	return frames_of_file(m->frames, r->dev, r->inode, file_offset(m, at));
}

static bool seen_before(const struct mem *m, uint64_t pfn)
{
	return m->frames && pfn &&
	       frames_clean(m->frames, pfn, m->region->where == WHERE_PLAIN);
}

/* Has an earlier pass seen all of this page of the file? */
static bool cached(const struct mem *m, uint64_t at)
{
	bool plain = m->region->where == WHERE_PLAIN;

	for (uint64_t i = 0; i < m->page; i += FLOW_PAGE)
		if (!filecache_clean(m->cache, m->file, file_offset(m, at + i),
				     plain))
			return false;
	return true;
}

/* /proc/PID/mem never waits for a userfaultfd's owner: handle_userfault() sends
 * who comes without FAULT_FLAG_ALLOW_RETRY away at once. */
static bool is_fast(const struct mem *m, uint64_t entry)
{
	return m->region->flags & REGION_READ && !m->faults &&
	       entry & (PM_FILE | PM_EXCLUSIVE);
}

/* Fills address[] and fast[] with the next pages to copy. */
static int collect(struct mem *m)
{
	size_t per = m->page / FLOW_PAGE;

	m->n_pages = 0;
	while (m->n_pages + per <= BATCH_PAGES) {
		uint64_t entry, at, pfn;
		bool of_file;

		if (m->entry == m->n_entries) {
			int more = more_entries(m);

			if (more < 0)
				return more;
			if (more == 0)
				break;
		}
		entry = m->entries[m->entry];
		at = m->entry_at + m->entry * m->page;
		m->entry++;
		if (!(entry & PM_PRESENT))
			continue;
		pfn = shared_pfn(m, entry, at);
		of_file = m->file && entry & PM_FILE;
		if (seen_before(m, pfn) || (of_file && cached(m, at))) {
			m->counts.shared_bytes += m->page;
			continue;
		}
		for (size_t i = 0; i < per; i++) {
			m->address[m->n_pages] = at + i * FLOW_PAGE;
			m->pfn[m->n_pages] = pfn;
			m->of_file[m->n_pages] = of_file;
			m->fast[m->n_pages++] = is_fast(m, entry);
		}
	}
	return 0;
}

/* ---- the copy ---------------------------------------------------------- */

/* Pages from @i that stand behind each other and go the same way. */
static size_t run_length(const struct mem *m, size_t i)
{
	size_t n = 1;

	while (i + n < m->n_pages && n < RUN_MAX &&
	       m->fast[i + n] == m->fast[i] &&
	       m->address[i + n] == m->address[i] + n * FLOW_PAGE)
		n++;
	return n;
}

/* May a page at @at never come once it is gone?  Then a reader of its own
 * copies it. */
static bool may_stall(const struct mem *m, uint64_t at)
{
	const struct region *r = m->region;

	return !r || at < r->start || at >= r->end || mem_may_stall(m, r);
}

/* After what did not come nothing else is waited for. */
static bool have_reader(struct mem *m)
{
	if (!m->given_up && !m->reader && reader_new(m->mem_fd, &m->reader))
		m->given_up = true;
	return !m->given_up;
}

static ssize_t noted(struct mem *m, ssize_t got)
{
	m->given_up |= got == -ETIMEDOUT || got == -EPIPE;
	return got;
}

static ssize_t read_vm(struct mem *m, struct iovec *here,
		       const struct iovec *there, size_t n)
{
	if (!may_stall(m, (uintptr_t)there->iov_base))
		return process_vm_readv(m->proc->tid, here, 1, there, n, 0);
	return have_reader(m)
		       ? noted(m, reader_vm(m->reader, m->proc->tid, there, n,
					    here->iov_base, here->iov_len))
		       : -1;
}

static ssize_t read_mem(struct mem *m, void *buf, size_t len, uint64_t at)
{
	if (!may_stall(m, at))
		return pread(m->mem_fd, buf, len, (off_t)at);
	return have_reader(m)
		       ? noted(m, reader_mem(m->reader, buf, len, (off_t)at))
		       : -1;
}

/* Copies fast pages from @i on, in one call for several runs.  Returns how
 * many pages; 0: the first could not be read this way. */
static size_t copy_fast(struct mem *m, size_t i)
{
	struct iovec there[64];
	struct iovec here = { m->bytes + i * FLOW_PAGE, 0 };
	size_t n = 0;
	ssize_t got;

	for (size_t at = i; at < m->n_pages && m->fast[at] && n < 64; n++) {
		size_t pages = run_length(m, at);

		there[n].iov_base = (void *)(uintptr_t)m->address[at];
		there[n].iov_len = pages * FLOW_PAGE;
		here.iov_len += pages * FLOW_PAGE;
		at += pages;
		/* One long run a call: what was copied is still in cache. */
		if (here.iov_len >= RUN_MAX * FLOW_PAGE) {
			n++;
			break;
		}
	}
	got = read_vm(m, &here, there, n);
	return got < FLOW_PAGE ? 0 : (size_t)got / FLOW_PAGE;
}

/* The same through /proc/PID/mem, one run; -ESRCH: the memory is no more. */
static ssize_t copy_slow(struct mem *m, size_t i)
{
	size_t len = run_length(m, i) * FLOW_PAGE;
	ssize_t got = read_mem(m, m->bytes + i * FLOW_PAGE, len, m->address[i]);

	if (got == 0)
		return -ESRCH;
	return got < FLOW_PAGE ? 0 : got / FLOW_PAGE;
}

/* Device memory and a page that went away between pagemap and copy, or that
 * does not come: it is shown to the sweep as zeros, and counted.  Its frame was
 * not looked at. */
static void give_up(struct mem *m, size_t i)
{
	memset(m->bytes + i * FLOW_PAGE, 0, FLOW_PAGE);
	m->counts.unreadable_bytes += FLOW_PAGE;
	m->pfn[i] = 0;
	m->of_file[i] = false;
}

static int copy(struct mem *m)
{
	for (size_t i = 0; i < m->n_pages;) {
		ssize_t n = m->fast[i] ? (ssize_t)copy_fast(m, i) : 0;

		if (n == 0)
			n = copy_slow(m, i);
		if (n < 0)
			return (int)n;
		if (n == 0) {
			give_up(m, i);
			n = 1;
		}
		i += (size_t)n;
	}
	m->counts.read_bytes += m->n_pages * FLOW_PAGE;
	return 0;
}

/* process_vm_readv() goes by pid.  While the process's own directory still
 * answers, that pid has not been given to another one.  And this memory is
 * still its own: of memory that is no more, as after an exec, PAGEMAP_SCAN
 * says that nothing is resident, but reading pagemap gives no entry. */
bool mem_is_its_own(const struct mem *m)
{
	uint64_t entry, at = m->region ? m->region->start : 0;

	if (m->proc->saved)
		return true;
	return faccessat(m->proc->dir, "stat", F_OK, 0) == 0 &&
	       pread(m->pagemap_fd, &entry, sizeof(entry),
		     (off_t)(at / m->page * 8)) == sizeof(entry);
}

/* The same of saved memory: what is in the capture is what was resident. */
static int collect_saved(struct mem *m)
{
	m->n_pages = 0;
	while (m->n_pages < BATCH_PAGES && m->scan_at < m->region->end) {
		uint64_t at;
		ssize_t got = capture_read(
			m->proc->saved, m->scan_at, m->region->end,
			m->bytes + m->n_pages * FLOW_PAGE,
			(BATCH_PAGES - m->n_pages) * FLOW_PAGE, &at);

		if (got < 0)
			return (int)got;
		m->scan_at = got ? at + (uint64_t)got : m->region->end;
		for (uint64_t page = at; got && page < m->scan_at;
		     page += FLOW_PAGE) {
			m->address[m->n_pages] = page;
			m->pfn[m->n_pages++] = 0;
		}
	}
	m->counts.read_bytes += m->n_pages * FLOW_PAGE;
	return 0;
}

int mem_next(struct mem *m, struct batch *ret)
{
	int err = m->proc->saved ? collect_saved(m) : collect(m);

	if (!err && !m->proc->saved)
		err = copy(m);
	if (!err && !mem_is_its_own(m))
		err = -ESRCH;
	if (err)
		return err;
	if (m->n_pages == 0)
		return 0;
	ret->region = m->region;
	ret->bytes = m->bytes;
	ret->address = m->address;
	ret->n_pages = m->n_pages;
	return 1;
}

/* Was what was copied the file's page?  One that became private meanwhile
 * tells nothing about the file, for all the passes to come. */
static void confirm_files(struct mem *m)
{
	for (size_t i = 0, n; i < m->n_pages; i += n) {
		uint64_t entry[RUN_MAX];
		ssize_t got = 0;

		for (n = 1; i + n < m->n_pages && n < RUN_MAX &&
			    m->address[i + n] == m->address[i] + n * FLOW_PAGE;)
			n++;
		if (m->of_file[i])
			got = pread(m->pagemap_fd, entry,
				    (n * FLOW_PAGE + m->page - 1) / m->page * 8,
				    (off_t)(m->address[i] / m->page * 8));
		for (size_t k = 0; k < n; k++) {
			size_t at = k * FLOW_PAGE / m->page;

			m->of_file[i + k] &= (ssize_t)(at + 1) * 8 <= got &&
					     entry[at] & PM_PRESENT &&
					     entry[at] & PM_FILE;
		}
	}
}

void mem_settle(struct mem *m, const bool *found)
{
	bool plain = m->region->where == WHERE_PLAIN;

	if (m->file)
		confirm_files(m);
	for (size_t i = 0; i < m->n_pages; i++) {
		if (m->frames && m->pfn[i])
			frames_mark(m->frames, m->pfn[i], plain, found[i]);
		if (m->of_file[i] && !found[i])
			filecache_mark(m->cache, m->file,
				       file_offset(m, m->address[i]), plain);
	}
}

ssize_t mem_stretch(struct mem *m, uint64_t from, uint64_t to, uint8_t *buf,
		    size_t cap, uint64_t *ret_at)
{
	uint64_t entries[64], first = from / m->page;
	ssize_t n, got;

	if (m->proc->saved)
		return capture_read(m->proc->saved, from, to, buf, cap, ret_at);
	if (to - from > 63 * m->page)
		to = from + 63 * m->page;
	n = pread(m->pagemap_fd, entries,
		  ((to + m->page - 1) / m->page - first) * 8,
		  (off_t)(first * 8));
	if (n < 8)
		return -ESRCH;
	for (size_t i = 0; i < (size_t)n / 8; i++) {
		uint64_t at = i ? (first + i) * m->page : from, end;
		size_t k = i;

		while (k < (size_t)n / 8 && entries[k] & PM_PRESENT)
			k++;
		if (k == i)
			continue;
		end = (first + k) * m->page < to ? (first + k) * m->page : to;
		if (end - at > cap)
			end = at + cap;
		got = read_mem(m, buf, end - at, at);
		if (got == 0)
			return -ESRCH;
		if (got > 0) {
			*ret_at = at;
			return got;
		}
		m->counts.unreadable_bytes += m->page; /* this page only */
	}
	return 0;
}
