/* report_start.h - davylamp-report, run by davylamp. */
#ifndef REPORT_START_H
#define REPORT_START_H

#include "why.h"

/* Runs davylamp-report @option [@argument] [--config @config] (NULL: leave
 * out), waits for it and returns its exit status, or -errno with @why.  It
 * inherits nothing but the standard descriptors. */
int report_start(const char *option, const char *argument, const char *config,
		 struct why *why);

#endif
