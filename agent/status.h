/* status.h - the socket on which the service says how it does.
 *
 * Who connects is sent one JSON object and the connection is closed: nothing
 * is read from it.  The socket is open to its owner and group alone. */
#ifndef STATUS_H
#define STATUS_H

#include <stddef.h>
#include "why.h"

#define STATUS_MAX (64u << 10) /* bytes of an answer */

struct status;

/* Makes the socket at @path, and its directory where that is missing; what is
 * left of one that nobody listens on any more is replaced.  -EADDRINUSE:
 * another davylamp does.  0 or -errno with @why. */
int status_open(const char *path, struct status **ret, struct why *why);

/* Takes the socket away. */
void status_close(struct status *);

/* Readable when somebody waits. */
int status_fd(const struct status *);

/* Sends @text to all who wait, as far as they take it without waiting. */
void status_answer(struct status *, const char *text, size_t len);

/* What the service at @path says, NUL-terminated.  -ENOENT, -ECONNREFUSED:
 * there is none; -EACCES: not for this user; -ETIMEDOUT: it does not answer.
 * Length or -errno with @why. */
ssize_t status_ask(const char *path, char ret[static STATUS_MAX + 1],
		   struct why *why);

#endif
