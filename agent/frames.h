/* frames.h - which physical frames were looked at in this pass.
 *
 * Memory that processes share is looked at once.  A frame in which the sweep
 * found something is remembered as such and is looked at again in every
 * process that maps it, so that a finding is credited to all of them and does
 * not depend on their order.  A look at plain data is a shorter one: a frame
 * that was only seen as that is looked at again where it is mapped otherwise. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stdint.h>

struct frames;

/* Two bits a frame, in memory that is only taken where it is touched: 64 KiB
 * per GiB of the machine at most.  Returns 0 or -errno. */
int frames_new(struct frames **ret);

void frames_free(struct frames *);

/* Forgets everything: a new pass begins. */
void frames_reset(struct frames *);

/* Was @pfn looked at to the end in this pass, as plain data (WHERE_PLAIN) or
 * in full, and nothing found? */
bool frames_clean(const struct frames *, uint64_t pfn, bool plain);

/* @pfn was looked at, and something was found or not.  Any thread may call
 * this at any time: two that look at one frame at once both finish it. */
void frames_mark(struct frames *, uint64_t pfn, bool plain, bool found);

#endif
