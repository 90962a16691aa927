/* self.h - our programs: where they are, and which processes are ours. */
#ifndef SELF_H
#define SELF_H

#include <stdbool.h>
#include <stddef.h>
#include "flow.h"
#include "why.h"

#define SELF_CHILDREN 64 /* at most, at once */

/* Path of program @name: beside this program (so that build/ and a directory
 * carried to a suspect machine work as they are), else in ../libexec/davylamp,
 * where `make install` puts it.  -ENOENT: in neither, and @why says so. */
int self_program(const char *name, char *ret, size_t cap, struct why *why);

/* The process of @pidfd (borrowed until self_forget) is one of ours.  Any
 * thread.  -ENOSPC: there are SELF_CHILDREN. */
int self_remember(int pidfd);
void self_forget(int pidfd);

/* Is @p this process or one of ours?  By identity, not by name. */
bool self_is(const struct proc *p);

#endif
