/* match_sandbox.h - what davylamp-match gives up before it sees hostile bytes.
 * Linked into davylamp-match only. */
#ifndef MATCH_SANDBOX_H
#define MATCH_SANDBOX_H

#include "why.h"

/* For good, once the rules are compiled: root and its capabilities (another
 * uid), the network (an empty namespace), the file system (Landlock, where the
 * kernel has it), growth (rlimits), and every system call but the dozen that a
 * scan needs: any other kills the process.  @why names what could not be given
 * up; the caller must not go on then. */
int match_sandbox_enter(struct why *why);

#endif
