/* spool.h - findings on their way, one file each, in a bounded directory.
 *
 *	S-QQQQQQQQQQQQQQQQ-IIIIIIIIIIIIIIIIIIIIIIIIIIIIIIII-RRRRRRRR.D.json
 *
 * S severity, Q sequence, I id of the finding, R random (no name is ever
 * used twice), D which sinks have the event already.  Order and age come from
 * the sequence alone: clocks are not asked.  A file appears under its name
 * only when it is whole and on the disk, so kill -9 leaves a `.new-` file
 * that the next open removes, never half an event.  Everything else found in
 * the directory is moved to aside/ and counted.
 *
 * The scanner puts, the reporter lists, marks and removes: two programs, two
 * users of one group, no lock between them. */
#ifndef SPOOL_H
#define SPOOL_H

#include <stddef.h>
#include <stdint.h>
#include "flow.h"
#include "why.h"

#define SPOOL_EVENT_MAX (256u << 10) /* bytes of one event */
#define SPOOL_EVENTS	32768	     /* in one spool */
#define SPOOL_ASIDE	256	     /* files kept aside; more are deleted */
#define SPOOL_ID	32	     /* hex digits */
#define SPOOL_MIN	(1u << 20)   /* least max_bytes: holds any event */

struct spool;

struct spool_entry {
	uint64_t seq;
	uint32_t salt;
	uint32_t size;	  /* bytes */
	uint8_t severity; /* enum severity */
	uint8_t done;	  /* bit per sink, 4 of them */
	char id[SPOOL_ID + 1];
};

struct spool_counts {
	uint64_t dropped[3]; /* per enum severity, for want of room */
	uint64_t aside;	     /* foreign, torn or refused */
};

/* Opens the spool at @path, making it and its parents where missing.  It
 * must be a directory (no symbolic link) of root or of this user that others
 * can not write.  @max_bytes bounds the files in it, in whole 4 KiB blocks.
 * @ret is freed with spool_close().  0 or -errno with @why. */
int spool_open(const char *path, uint64_t max_bytes, struct spool **ret,
	       struct why *why);
void spool_close(struct spool *);

/* Puts one event in.  0: it is on the disk and stays until it is removed or
 * must make room for one of its severity or above.  Where there is no room,
 * the oldest of the lowest severity is dropped and counted; when all of them
 * are above @severity, -ENOSPC.  On any other error nothing was acknowledged
 * and nothing is left behind. */
int spool_put(struct spool *, enum severity severity,
	      const char id[static SPOOL_ID + 1], const void *json, size_t len,
	      struct why *why);

/* What is there now, by sequence; what does not belong is set aside.  The
 * caller frees @ret.  0 or -errno. */
int spool_list(struct spool *, struct spool_entry **ret, size_t *ret_n);

/* Reads one event into @ret[SPOOL_EVENT_MAX + 1], NUL-terminated.  0,
 * -ENOENT where it was dropped meanwhile, -EBADMSG where its size is not the
 * one listed, or -errno. */
int spool_read(struct spool *, const struct spool_entry *, char *ret,
	       size_t *ret_len);

/* Renames the entry so that its sinks are @done, durably.  0 or -errno. */
int spool_mark(struct spool *, struct spool_entry *, uint8_t done);

/* Removes a delivered entry, durably.  0 (also if it is gone) or -errno. */
int spool_remove(struct spool *, const struct spool_entry *);

/* Moves an entry that can never be delivered to aside/ and counts it. */
int spool_aside(struct spool *, const struct spool_entry *);

/* What was dropped and set aside since the spool was made. */
int spool_counts(struct spool *, struct spool_counts *ret);

/* The small file `status` beside the events, which the reporter leaves for
 * people: replaced in one step; read NUL-terminated, cut at @cap.
 * 0 or -errno. */
int spool_status_set(struct spool *, const char *text, size_t len);
int spool_status(struct spool *, char *ret, size_t cap);

/* A number that differs whenever an event came or went. */
uint64_t spool_version(struct spool *);

#endif
