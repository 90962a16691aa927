/* report_event.c - what the scanner spooled, or what stands in its place. */
#include <errno.h>
#include <string.h>
#include "report_event.h"
#include "report_json.h"

static int word(const char *s, const char *const words[3])
{
	for (int i = 0; s && i < 3; i++)
		if (!strcmp(s, words[i]))
			return i;
	return -1;
}

static bool is_id(const char *s)
{
	return s && strlen(s) == SPOOL_ID &&
	       strspn(s, "0123456789abcdef") == SPOOL_ID;
}

int report_event_parse(const char *text, size_t len, struct report_event *ret)
{
	static const char *const kinds[] = { "open", "refresh", "close" };
	static const char *const severities[] = { "LOW", "MEDIUM", "HIGH" };
	json_object *o = report_json_parse(text, len), *finding;
	const char *id = report_json_text(o, "id");
	int kind = word(report_json_text(o, "event"), kinds);
	int severity = word(report_json_text(o, "severity"), severities);
	int err = -EBADMSG;

	finding = report_json_get(o, "finding", json_type_object);
	if (kind >= 0 && severity >= 0 && is_id(id) &&
	    report_json_text(finding, "category") &&
	    report_json_text(finding, "eventTime") &&
	    report_json_text(finding, "state")) {
		ret->kind = (enum report_event_kind)kind;
		ret->severity = (enum severity)severity;
		memcpy(ret->id, id, sizeof(ret->id));
		ret->finding = json_object_get(finding);
		err = 0;
	}
	json_object_put(o);
	return err;
}

void report_event_free(struct report_event *e)
{
	json_object_put(e->finding);
	e->finding = NULL;
}

void report_event_set_resource(struct report_event *e, const char *resource)
{
	const char *there = report_json_text(e->finding, "resourceName");

	if (resource[0] && (!there || !*there))
		report_json_set(e->finding, "resourceName", resource);
}

bool report_event_is_observation(const struct report_event *e)
{
	const char *class = report_json_text(e->finding, "findingClass");

	return class && !strcmp(class, "OBSERVATION");
}
