/* notify.h - what systemd is told: sd_notify(3), without its library, which
 * a static build could not link. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/* Where there is nobody to tell (no NOTIFY_SOCKET), all of these do nothing.
 * The variable is taken out of the environment by the first call: children
 * have no business there. */

/* "READY=1" and the like, one assignment a line. */
void notify_send(const char *text);

/* "RELOADING=1" with the time that systemd 253 and later ask for. */
void notify_reloading(void);

/* Nanoseconds within which WATCHDOG=1 must be said again; 0: nobody asks. */
uint64_t notify_watchdog_ns(void);

#endif
