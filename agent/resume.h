/* resume.h - which processes were looked at to the end, and when: what a service
 * that is started again need not do again.
 *
 * A small file of this boot, these rules and this set; of another one, or
 * damaged, it says nothing. */
#ifndef RESUME_H
#define RESUME_H

#include "queue.h"

/* Writes `resume` in @directory, whole or not at all.  @version: what tells
 * rules and set from others, without spaces.  0 or -errno. */
int resume_save(const char *directory, const char *version,
	      const struct queue *);

/* Fills in full_ns of the targets that are the processes of then.  0, -ENOENT,
 * -ESTALE: of another boot or version; or -errno. */
int resume_load(const char *directory, const char *version, struct queue *);

/* The same from text, which is cut into lines; for tests. */
int resume_parse(char *text, const char *version, struct queue *);

#endif
