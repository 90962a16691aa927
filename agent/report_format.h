/* report_format.h - one event in the words of each consumer. */
#ifndef REPORT_FORMAT_H
#define REPORT_FORMAT_H

#include "config.h"
#include "report_event.h"

/* @e as SCC's Finding with its name, as an OCSF 1.3 Detection Finding or as
 * an ECS 8 alert.  The caller owns it. */
json_object *report_format(const struct config *, const struct report_event *e,
			   uint64_t format);

/* The message that SCC itself publishes: {notificationConfigName, finding,
 * resource}.  The caller owns it. */
json_object *report_format_notification(const struct config *,
					const struct report_event *e);

json_object *report_format_ocsf(const struct report_event *e);
json_object *report_format_ecs(const struct report_event *e);

/* The parts of //compute.googleapis.com/projects/P/zones/Z/instances/I;
 * empty where the finding's resource is something else. */
struct report_place {
	char project[128], zone[128], instance[128];
};
void report_format_place(const struct report_event *e,
			 struct report_place *ret);

/* Its first process, or NULL.  Borrowed. */
json_object *report_format_process(const struct report_event *e);

/* The value of @key in @o, a string of digits, as a number. */
int64_t report_format_int(json_object *o, const char *key);

/* The names in its signatures: YARA rules, or families.  New array. */
json_object *report_format_names(const struct report_event *e, bool rules);

#endif
