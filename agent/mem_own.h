/* mem_own.h - a process's memory as mem*.c have it. */
#ifndef MEM_OWN_H
#define MEM_OWN_H

#include "localfs.h"
#include "mem.h"

/* pagemap bits, Documentation/admin-guide/mm/pagemap.rst */
#define PM_PFN	     ((1ULL << 55) - 1)
#define PM_EXCLUSIVE (1ULL << 56)
#define PM_FILE	     (1ULL << 61)
#define PM_PRESENT   (1ULL << 63)

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
	uint64_t entries_ns; /* when they were read */

	/* The batch. */
	uint8_t *bytes;
	uint64_t address[BATCH_PAGES];
	uint64_t pfn[BATCH_PAGES]; /* 0: unknown, or not shared */
	bool fast[BATCH_PAGES];	   /* process_vm_readv may read it */
	bool of_file[BATCH_PAGES]; /* it is a page of m->file */
	size_t n_pages;
};

/* What is resident: mem_resident.c */

/* Asks for the first resident ranges of [start, end), into m->ranges.
 * -errno, or how many; *ret_walked: where they end. */
int mem_scan_ranges(struct mem *m, uint64_t start, uint64_t end,
		    uint64_t *ret_walked);

/* Reads the next pagemap entries.  1, 0: there are no more, or -errno:
 * -ESRCH if the memory is no more. */
int mem_more_entries(struct mem *m);

/* Forgets the entries that are left if they are old: whoever looks may have
 * slept since, and what went away meanwhile must not be fetched again, be it
 * from swap or from who now serves it. */
void mem_drop_stale(struct mem *m);

/* The copy: mem_copy.c */

/* Of m->address[] into m->bytes.  0, or -ESRCH: the memory is no more. */
int mem_copy(struct mem *m);

/* Through /proc/PID/mem; as pread(2), and -1 for what does not come. */
ssize_t mem_read(struct mem *m, void *buf, size_t len, uint64_t at);

#endif
