/* frames.h - which physical frames were looked at in this pass.
 *
 * A frame is known by its number, or, where the kernel hides the numbers
 * (without CAP_SYS_ADMIN), by the page of the file that it holds: (device,
 * inode, offset), on file systems where no two files share a device and an
 * inode (btrfs is none, of overlays it is not known).
 *
 * Memory that processes share is looked at once.  A frame in which the sweep
 * found something is not remembered: it is looked at again in every process
 * that maps it, so that a finding is credited to all of them and does not
 * depend on their order.  Less is looked for in data than in code (enum
 * content): a frame that was only seen as that is looked at again where it is
 * mapped as more. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include "flow.h"

struct frames;

/* Two bits a frame, in memory that is only taken where it is touched: 64 KiB
 * per GiB of the machine at most.  Returns 0 or -errno. */
int frames_new(struct frames **ret);

void frames_free(struct frames *);

/* Takes the memory of all this machine's frames now (lazymem.h). */
void frames_take(struct frames *);

/* Forgets everything, and keeps the memory: a new pass begins. */
void frames_reset(struct frames *);

/* What stands for the number of the frame that holds the page at @offset of
 * file (@dev, @inode), as maps shows them (flow.h); 0: nothing does.  Only for
 * a page of which pagemap says that it is the file's own (bit 61). */
uint64_t frames_of_file(const struct frames *, uint32_t dev, uint64_t inode,
			uint64_t offset);

/* Was @pfn looked at to the end in this pass, as @content or more, and nothing
 * found? */
bool frames_clean(const struct frames *, uint64_t pfn, enum content);

/* It was.  Any thread may call this at any time: two that look at one frame at
 * once both finish it. */
void frames_mark(struct frames *, uint64_t pfn, enum content);

#endif
