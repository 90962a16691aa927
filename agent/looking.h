/* looking.h - at which process the service looks, for the one after it.
 *
 * A process can keep whoever reads of its memory's map waiting for ever (a page
 * of a FUSE file that does not come, with the memory's lock in hand): the
 * watchdog ends the service then, and the next one would meet that process
 * again.  So a small file says who is at hand; whom it names when a service
 * starts is one that the last did not survive.  That can be chance (a kill, no
 * memory left), so it is tried once more; whom two services did not survive is
 * refused: not looked at until it ends.
 *
 * The file is of this boot; of another one, or damaged, it says nothing. */
#ifndef LOOKING_H
#define LOOKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOOKING_REFUSED 64 /* at most; then the oldest is tried again */

struct looking;

struct looking_at {
	uint64_t start_ticks;
	int32_t pid; /* 0: nobody */
	uint32_t unused;
};

/* Opens the file `looking` in the folder of the file @beside.  *ret_died: who
 * is at hand in it for the second time, and refused from now on; pid 0: nobody.
 * 0; -EPERM: it is not ours; or -errno. */
int looking_open(const char *beside, struct looking **ret,
		 struct looking_at *ret_died);

/* Nobody is at hand: this end was no process's doing. */
void looking_close(struct looking *);

/* From now on @at is at hand.  Who was before.  With NULL for a file, as in the
 * others, nothing comes of it. */
struct looking_at looking_at(struct looking *, struct looking_at at);

/* Is it refused? */
bool looking_refuses(const struct looking *, pid_t pid, uint64_t start_ticks);

/* The @i-th that is refused, gone or not; NULL: no more. */
const struct looking_at *looking_refused(const struct looking *, size_t i);

#endif
