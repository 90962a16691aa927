/* spool_own.h - shared by the files of the spool only.
 *
 *	spool.c		open, list, read, mark, remove
 *	spool_put.c	one file, whole or not at all; making room
 *	spool_aside.c	what does not belong, and the counters */
#ifndef SPOOL_OWN_H
#define SPOOL_OWN_H

#include "spool.h"

#define SPOOL_NAME 80 /* of an event's file, NUL included */

struct spool {
	int dir;
	uint64_t max_bytes;
	uint64_t next_seq;
	/* At the last look; others only remove, so these are upper bounds. */
	uint64_t used_bytes;
	size_t n;
	char path[256];
};

/* What a file of @size takes of max_bytes: whole 4 KiB blocks. */
static inline uint64_t spool_cost(uint64_t size)
{
	return (size + 4095) / 4096 * 4096;
}

void spool_name(const struct spool_entry *, char ret[static SPOOL_NAME]);

/* Moves file @name to aside/ (deletes it where that is full) and counts.
 * 0 or -errno. */
int spool_set_aside(struct spool *, const char *name);

/* Adds one to what was dropped of @severity, or to aside where it is -1. */
void spool_count(struct spool *, int severity);

#endif
