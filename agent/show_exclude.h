/* show_exclude.h - what was left out of a pass, in every summary. */
#ifndef SHOW_EXCLUDE_H
#define SHOW_EXCLUDE_H

#include <json-c/json.h>
#include "exclude.h"
#include "show.h"

/* A field each: name, processes, last day, reason, and what is wrong with it.
 */
void show_exclude(const struct show *, const struct exclude_list *);

/* The same as an array of {name, reason, until, processes, note}; @note only
 * where it holds for nobody.  The caller owns it. */
json_object *show_exclude_json(const struct exclude_list *);

/* A process that @x covers, in one line. */
void show_exclude_process(const struct show *, const struct proc *,
			  const struct exclusion *x);

#endif
