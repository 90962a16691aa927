/* capture_save.h - saving the memory of one process, for capture.h. */
#ifndef CAPTURE_SAVE_H
#define CAPTURE_SAVE_H

#include "flow.h"
#include "why.h"

struct capture_sum {
	uint64_t bytes;	     /* of memory that was saved */
	uint64_t unreadable; /* resident, but no way led to them */
	uint64_t packed;     /* the file's size */
};

/* Writes what @proc has resident to @fd (empty, for writing), without changing
 * the process; @tick as in scan_look().  -ESRCH: it ended meanwhile;
 * -EACCES/-EPERM: not allowed to read it; others from write(2). */
int capture_save(int fd, const struct proc *proc,
		 void (*tick)(void *user, uint64_t bytes), void *user,
		 struct capture_sum *ret, struct why *why);

#endif
