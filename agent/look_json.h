/* look_json.h - what was seen of one process, whether or not it is a finding:
 * for tools that tune rules (bench/rules), not for delivery. */
#ifndef LOOK_JSON_H
#define LOOK_JSON_H

#include <json-c/json.h>
#include "verdict.h"

/* {"look": {...}}; the caller owns the reference; NULL: no memory. */
json_object *look_json(const struct look *, enum verdict,
		       const struct finding *);

#endif
