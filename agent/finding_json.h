/* finding_json.h - a finding in the shape of Security Command Center's
 * Finding message (securitycenter.googleapis.com, v2). */
#ifndef FINDING_JSON_H
#define FINDING_JSON_H

#include <json-c/json.h>
#include "flow.h"
#include "who.h"

/* What did the looking; strings borrowed. */
struct finding_tools {
	const char *engine, *rules_version, *set_version;
	bool environment; /* put the process's into the finding */
};

/* The caller owns the reference; NULL: no memory.  The finding's resourceName
 * is left out: the reporter knows it. */
json_object *finding_json(const struct finding *, const struct who *,
			  const struct finding_tools *);

/* That davylamp itself sees less than it could: @text says why, @mend what to
 * do.  As above. */
json_object *finding_observation(const char *text, const char *mend);

/* "A Monero miner ..." : what was seen, for a person; fits in @cap. */
void finding_describe(const struct finding *, char *ret, size_t cap);

/* RFC 3339 in UTC with microseconds: "2026-11-22T23:30:00.123456Z" */
void finding_time(char ret[static 32]);

#endif
