/* service.h - `davylamp run`: looks at what happens, for as long as the machine
 * is up, at a cost that nobody notices. */
#ifndef SERVICE_H
#define SERVICE_H

#include "config.h"
#include "why.h"

struct service;

/* Starts all of it: sensors, matchers, spool, status socket.  @config_path (or
 * NULL, as config_load) is read again at each reload; borrowed.  -EINVAL: the
 * configuration, the rules or the set are at fault; other errors: this machine
 * is; @why says all. */
int service_new(const char *config_path, struct service **ret,
		struct why *why);

/* Works until SIGTERM or SIGINT, and reads configuration, rules and set anew
 * at SIGHUP. */
void service_run(struct service *);

/* Keeps what must outlive us, and ends. */
void service_free(struct service *);

/* Tries what a reload would read, and tells @out which configuration holds.
 * Errors as service_new(). */
int service_check(const char *config_path, FILE *out, struct why *why);

#endif
