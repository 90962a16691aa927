/* owned.h - files that only root may have written. */
#ifndef OWNED_H
#define OWNED_H

#include <sys/types.h>
#include "why.h"

/* Is the file @fd (of @type, S_IFREG or S_IFDIR) root's, and nobody else's to
 * write?  -EPERM: no, and @why says of @what (escaped) how to mend it. */
int owned_check(int fd, mode_t type, const char *what, struct why *why);

#endif
