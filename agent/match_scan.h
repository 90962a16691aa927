/* match_scan.h - the windows of one process, fed to libyara as they come.
 *
 * libyara's own process scanner is not used: it reads what is not resident,
 * opens paths that the target names, and misses what lies across its blocks.
 * Here each set's scanner takes blocks from our iterator, which answers
 * ERROR_BLOCK_NOT_READY between messages (libyara 4.1 and later keep the
 * matches and go on at the next call) and ends when the process does.
 *
 * Linked into davylamp-match only. */
#ifndef MATCH_SCAN_H
#define MATCH_SCAN_H

#include "rules.h"
#include "wire.h"

struct match_scan;

/* What is told at a process's end; an error ends it. */
struct match_scan_tell {
	void *user;
	int (*hit)(void *user, struct wire_hit *);
	/* Every string of every rule, found or not, whether the rule holds or
	 * not; NULL: not wanted. */
	int (*string)(void *user, struct wire_string *);
};

/* Scanners for @rules, which must outlive them. */
int match_scan_new(struct rules *rules, const struct match_scan_tell *tell,
		   struct match_scan **ret);

void match_scan_free(struct match_scan *);

/* From now on, looks for these rules only.  -EBADMSG: in the middle of a
 * process. */
int match_scan_only(struct match_scan *, const struct wire_only *);

/* Looks at one LOOK's windows, whose bytes are in @memory[WIRE_BYTES].
 * -EBADMSG: a window lies outside it. */
int match_scan_look(struct match_scan *, const struct wire_look *,
		    const uint8_t *memory);

/* The process is at its end: conditions are judged, and what was found is
 * told.  Fills @ret_done; a new process may begin. */
int match_scan_end(struct match_scan *, struct wire_done *ret_done);

#endif
