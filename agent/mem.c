/* mem.c - the resident pages of a process, copied in batches. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "capture.h"
#include "mem_own.h"
#include "reader.h"
#include "userfault.h"

int mem_new(struct frames *frames, struct mem **ret)
{
	struct mem *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	/* Page-aligned: a copy to an address that is not 32-byte aligned takes
	 * 2.7 times as long (bench/record).  A page that is not there yet is
	 * dear in the middle of a copy. */
	m->bytes = mmap(NULL, BATCH_PAGES * FLOW_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
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
	m->can_scan = mem_scan_ranges(m, 0, m->page, &walked) >= 0;
	m->faults = m->any_faults || userfault_in(proc);
	localfs_refresh(&m->local);
	return 0;
}

int mem_attach_mapped(struct mem *m, const struct proc *proc,
		      uint64_t deadline_ns, struct maps **ret)
{
	struct maps *maps = NULL;
	int err = mem_attach(m, proc) ?: maps_read(proc, deadline_ns, &maps);

	if (err)
		return err;
	if (!mem_is_its_own(m)) {
		maps_free(maps);
		return -ESRCH;
	}
	*ret = maps;
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
	/* Who serves the file might not say what it is. */
	m->file = m->cache && !mem_may_stall(m, region)
			  ? filecache_file(m->cache, m->proc, region,
					   m->looked_for)
			  : 0;
}

const struct mem_counts *mem_counts(const struct mem *m)
{
	return &m->counts;
}

/* ---- which of it is wanted ------------------------------------------- */

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
	       frames_clean(m->frames, pfn, region_content(m->region));
}

/* Has an earlier pass seen all of this page of the file? */
static bool cached(const struct mem *m, uint64_t at)
{
	enum content content = region_content(m->region);

	for (uint64_t i = 0; i < m->page; i += FLOW_PAGE)
		if (!filecache_clean(m->cache, m->file, file_offset(m, at + i),
				     content))
			return false;
	return true;
}

/* /proc/PID/mem never waits for a userfaultfd's owner: handle_userfault() sends
 * who comes without FAULT_FLAG_ALLOW_RETRY away at once.  And a thread can end
 * at any moment, and its number be another process's: only a process's own is
 * kept for it. */
static bool is_fast(const struct mem *m, uint64_t entry)
{
	return m->region->flags & REGION_READ && !m->faults &&
	       m->proc->tid == m->proc->pid && entry & (PM_FILE | PM_EXCLUSIVE);
}

/* Fills address[] and fast[] with the next pages to copy. */
static int collect(struct mem *m)
{
	size_t per = m->page / FLOW_PAGE;

	m->n_pages = 0;
	mem_drop_stale(m);
	while (m->n_pages + per <= BATCH_PAGES) {
		uint64_t entry, at, pfn;
		bool of_file;

		if (m->entry == m->n_entries) {
			int more = mem_more_entries(m);

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

/* ---- batches --------------------------------------------------------- */

/* process_vm_readv() goes by pid.  While the process's own directory still
 * answers, that pid has not been given to another one.  And this memory is
 * still its own: of memory that is no more, as after an exec, PAGEMAP_SCAN
 * says that nothing is resident, but reading pagemap gives no entry.  Whether
 * the thread lives by which it was opened does not matter. */
bool mem_is_its_own(const struct mem *m)
{
	uint64_t entry, at = m->region ? m->region->start : 0;

	if (m->proc->saved)
		return true;
	return faccessat(m->proc->own, "stat", F_OK, 0) == 0 &&
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
		err = mem_copy(m);
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
	enum content content = region_content(m->region);

	if (m->file)
		confirm_files(m);
	for (size_t i = 0; i < m->n_pages; i++) {
		if (found[i])
			continue;
		if (m->frames && m->pfn[i])
			frames_mark(m->frames, m->pfn[i], content);
		if (m->of_file[i])
			filecache_mark(m->cache, m->file,
				       file_offset(m, m->address[i]), content);
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
		got = mem_read(m, buf, end - at, at);
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
