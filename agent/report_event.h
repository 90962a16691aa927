/* report_event.h - one event of the spool, checked.
 *
 *	{"event": "open" | "refresh" | "close", "id": 32 hex digits,
 *	 "severity": "LOW" | "MEDIUM" | "HIGH", "finding": { SCC v2 Finding }}
 */
#ifndef REPORT_EVENT_H
#define REPORT_EVENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include "spool.h"

enum report_event_kind { REPORT_OPEN, REPORT_REFRESH, REPORT_CLOSE };

struct report_event {
	enum report_event_kind kind;
	enum severity severity;
	char id[SPOOL_ID + 1];
	json_object *finding; /* has category, eventTime, state; owned */
};

/* Reads the text of a spool file.  -EBADMSG where it is torn or no event. */
int report_event_parse(const char *text, size_t len, struct report_event *ret);
void report_event_free(struct report_event *);

/* Of davylamp itself, not of a miner. */
bool report_event_is_observation(const struct report_event *);

/* Fills in resourceName where the scanner left it out. */
void report_event_set_resource(struct report_event *, const char *resource);

#endif
