/* match_child.h - the process of davylamp-match: its start and its end. */
#ifndef MATCH_CHILD_H
#define MATCH_CHILD_H

#include <sys/types.h>
#include "match.h"
#include "why.h"

struct match_child {
	pid_t pid;
	int pidfd, socket;
};

#define MATCH_CHILD_NONE ((struct match_child){ .pidfd = -1, .socket = -1 })

/* Starts it with one end of a socket and with @memfd and @kept, and nothing
 * else of ours.  match_child_stop() is due in any case. */
int match_child_start(struct match_child *, const struct match_options *,
		      int memfd, int kept, struct why *why);

/* Kills and reaps it.  Harmless if there is none. */
void match_child_stop(struct match_child *);

/* How it ended, for a message: "was killed by signal 11 (SIGSEGV)"; written
 * to @ret or constant.  It stays to be reaped. */
const char *match_child_death(const struct match_child *, char *ret,
			      size_t cap);

#endif
