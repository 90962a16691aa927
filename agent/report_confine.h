/* report_confine.h - what davylamp-report gives up before it speaks to anyone.
 */
#ifndef REPORT_CONFINE_H
#define REPORT_CONFINE_H

#include "config.h"
#include "why.h"

/* For good: every capability, the right to gain any by an exec, all files but
 * the spool, the folder of [findings] file, and for reading what @config names,
 * the folder of @file, where that was read from (NULL: the usual places), and
 * what resolving names and TLS need (Landlock, where the kernel has it), and
 * all system calls but those of a network client: no exec among them.
 * 0 or -errno with @why. */
int report_confine(const struct config *config, const char *file,
		   struct why *why);

#endif
