/* mem.h - the resident pages of a process, copied in batches.
 *
 * A look must leave the target as it was, so nothing is ever faulted in:
 * pagemap (or PAGEMAP_SCAN, kernel 6.7) says what is resident, and only that
 * is read.  Two ways lead to the bytes:
 *  - process_vm_readv(2), the fast one;
 *  - /proc/PID/mem for pages the process itself may not read, and for
 *    anonymous pages that it shares with a fork: process_vm_readv pins what
 *    it reads, and pinning such a page gives the target a copy of its own
 *    (since Linux 5.19, a7f226604170 "mm/gup: trigger FAULT_FLAG_UNSHARE when
 *    R/O-pinning a possibly shared anonymous page").
 *
 * A page can go away before it is copied, and both ways then wait for it.  No
 * memory of which that could be for ever is read by this process itself:
 *  - of files that are not this kernel's own (localfs.h) a reader that can be
 *    left behind copies (reader.h);
 *  - where a userfaultfd can be, the second way is taken, which does not wait
 *    for one.
 *
 * Which memory that is the map says, and it is as old as the look.  What was
 * seen to be resident is believed for a millisecond only, so that what was
 * mapped over it during a pause is not fetched; but who maps a file of its own
 * FUSE over other memory again and again will do so between pagemap and copy
 * once, and that copy waits in the kernel, past SIGKILL, until the FUSE server
 * ends.  Not defended: to let a reader copy all memory wherever there is a FUSE
 * connection takes a fifth to a third more time (a sweep's, in bench/bench),
 * and nobody's memory would be read any more once one user's processes hold
 * READERS_LOST readers. */
#ifndef MEM_H
#define MEM_H

#include "filecache.h"
#include "flow.h"
#include "frames.h"
#include "maps.h"

struct mem;

/* What was read and what was not, since mem_attach(). */
struct mem_counts {
	uint64_t read_bytes;	   /* copied by mem_next() */
	uint64_t shared_bytes;	   /* left out: this pass has seen the frame,
				      or an earlier one the file's page */
	uint64_t unreadable_bytes; /* resident, but no way led to them */
};

/* A reader with its buffer; @frames (borrowed, may be NULL) spares it frames
 * that were seen in this pass. */
int mem_new(struct frames *frames, struct mem **ret);

/* Spares it pages of files that did not change, too; @cache is borrowed.
 * @looked_for as in filecache.h. */
void mem_use_filecache(struct mem *, struct filecache *cache,
		       uint64_t looked_for);

void mem_free(struct mem *);

/* Turns to @proc, which must outlive the use.  -EACCES/-EPERM: not allowed;
 * -ESRCH: gone. */
int mem_attach(struct mem *, const struct proc *proc);

/* That, and reads its mappings, which are those of this very memory: another
 * program may begin at any moment, and by its map nothing would be found in
 * this one's memory.  Errors as mem_attach() and maps_read(); *ret is for
 * maps_free(). */
int mem_attach_mapped(struct mem *, const struct proc *, uint64_t deadline_ns,
		      struct maps **ret);

/* Whose memory it reads. */
const struct proc *mem_proc(const struct mem *);

/* Is that memory still its own?  Not after it ended or began another
 * program. */
bool mem_is_its_own(const struct mem *);

/* Does PAGEMAP_SCAN work on the process?  Else pagemap is read. */
bool mem_can_scan(const struct mem *);

/* Can it be that memory of @region, of that process, goes away and never
 * comes back?  Better looked at last. */
bool mem_may_stall(const struct mem *, const struct region *region);

/* Was that so?  Then such regions count as unreadable from there on. */
bool mem_stalled(const struct mem *);

/* Turns to @region of that process; it is borrowed until the next call. */
void mem_start(struct mem *, const struct region *region);

/* The next resident pages of the region, at most BATCH_PAGES.  1: *ret is
 * filled and valid until the next call; 0: the region is at its end; -ESRCH:
 * this memory is no more (the process ended or began another program);
 * -EBADMSG: what was saved of it is damaged; others of the kernel's. */
int mem_next(struct mem *, struct batch *ret);

/* The last batch was looked at, and in its page i something was found or not:
 * found[i].  What was found is looked at in every process that maps it. */
void mem_settle(struct mem *, const bool *found);

/* Copies the first resident stretch of [@from, @to) to @buf, at most @cap
 * bytes.  Returns its length and sets *ret_at to its address; 0: there is
 * none; -ESRCH, -EBADMSG as above.  @from and @to need no alignment. */
ssize_t mem_stretch(struct mem *, uint64_t from, uint64_t to, uint8_t *buf,
		    size_t cap, uint64_t *ret_at);

const struct mem_counts *mem_counts(const struct mem *);

#endif
