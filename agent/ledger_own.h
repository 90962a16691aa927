/* ledger_own.h - shared by the files of the ledger only.
 *
 *	ledger.c	what follows from what was seen
 *	ledger_file.c	the file: a log of entries, the last one counts
 *	ledger_event.c	ids, entries as events, combined findings */
#ifndef LEDGER_OWN_H
#define LEDGER_OWN_H

#include "ledger.h"

#define LEDGER_BOOT 40

struct ledger_entry {
	char id[SPOOL_ID + 1]; /* "": free */
	char boot[LEDGER_BOOT];
	char exe[LEDGER_EXE];
	enum category category;
	enum severity severity;
	pid_t pid;
	uint64_t start_ticks;
	uint64_t refreshed_ns, seen_ns;
	unsigned clean;	  /* complete scans in a row without it */
	bool ended, told; /* told: in this pass */
	bool dirty;	  /* the file says something else */
	bool pending;	  /* is its open in the spool?  not sure */
	char *finding;	  /* JSON text */
};

struct ledger {
	int dir, file;
	uint64_t file_bytes, live_bytes;
	char instance[256];
	char boot[LEDGER_BOOT];
	uint64_t (*now_ns)(void);
	struct ledger_counts counts;
	struct ledger_entry entries[LEDGER_MAX];
};

/* Opens and reads the file; a damaged line is skipped.  0 or -errno. */
int ledger_file_open(struct ledger *, const char *directory, struct why *);

/* Writes @e, or that it is gone, to the end of the file, durably. */
int ledger_file_add(struct ledger *, const struct ledger_entry *e, bool gone);

/* Puts an event into the spool: @finding with this state and a new time. */
int ledger_event_put(struct spool *, const char *event,
		     const struct ledger_entry *e, json_object *finding,
		     struct why *);

/* A copy of @finding for @e, with its category and severity, cut until it is
 * small enough to keep.  The caller owns it; NULL: no memory. */
json_object *ledger_event_fit(const struct ledger_entry *e,
			      json_object *finding, struct why *);

/* Adds to @finding what @other's text knows and it does not.  @same: that is
 * an earlier state of the same finding, whose description stays.  -ENOMEM. */
int ledger_event_merge(json_object *finding, const char *other, bool same);

#endif
