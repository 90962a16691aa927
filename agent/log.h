/* log.h - what a service says of itself, a line at a time, on stderr: with
 * the priority that journald reads (sd-daemon(3)) where stderr is the
 * journal's, else with the time.  What a process wrote goes through text.h
 * first. */
#ifndef LOG_H
#define LOG_H

#include <syslog.h>

/* @priority: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO. */
__attribute__((format(printf, 2, 3))) void log_say(int priority,
						   const char *format, ...);

#endif
