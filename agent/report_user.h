/* report_user.h - whom davylamp-report works as where root starts it. */
#ifndef REPORT_USER_H
#define REPORT_USER_H

#include "why.h"

/* Where root starts it by hand, and the folder @spool is that of the installed
 * service (its group's): becomes the service's user davylamp-report, with that
 * group, for good.  Without capabilities root could neither read the events nor
 * enter the folder of the findings; so it does what the service would do, and
 * what it leaves behind is the service's.  Else nothing.  0 or -errno with
 * @why. */
int report_user_become(const char *spool, struct why *why);

#endif
