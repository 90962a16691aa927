/* proc_own.h - shared by proc*.c only. */
#ifndef PROC_OWN_H
#define PROC_OWN_H

#include "proc.h"

/* What the file @name of @dir says of a process or thread.  -ESRCH: nothing.
 */
int proc_read_stat(int dir, const char *name, struct proc *ret);

/* Turns to the oldest or youngest thread but the first that has memory.
 * False: there is none. */
bool proc_find_thread(struct proc *, bool youngest);

#endif
