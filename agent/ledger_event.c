/* ledger_event.c - findings as JSON: events, and two made one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "finding_json.h"
#include "ledger_own.h"
#include "verdict.h"

#define PLAIN (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static void set(json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

int ledger_event_put(struct spool *s, const char *event,
		     const struct ledger_entry *e, json_object *finding,
		     struct why *why)
{
	json_object *o = json_object_new_object();
	const char *text;
	char now[32];
	size_t len;
	int err;

	finding_time(now);
	set(finding, "eventTime", now);
	set(finding, "state", strcmp(event, "close") ? "ACTIVE" : "INACTIVE");
	set(o, "event", event);
	set(o, "id", e->id);
	set(o, "severity", verdict_severity(e->severity));
	json_object_object_add(o, "finding", json_object_get(finding));
	text = json_object_to_json_string_length(o, PLAIN, &len);
	err = text ? spool_put(s, e->severity, e->id, text, len, why) : -ENOMEM;
	json_object_put(o);
	return err;
}

static size_t size_of(json_object *o)
{
	size_t len = 0;

	return json_object_to_json_string_length(o, PLAIN, &len)
		       ? len
		       : LEDGER_FINDING + 1;
}

static void say_cut(json_object *finding)
{
	json_object *o = NULL;

	if (!json_object_object_get_ex(finding, "sourceProperties", &o)) {
		o = json_object_new_object();
		json_object_object_add(finding, "sourceProperties", o);
	}
	json_object_object_add(o, "truncated", json_object_new_boolean(1));
}

static void cut_processes(json_object *finding)
{
	json_object *list = NULL, *p;

	if (!json_object_object_get_ex(finding, "processes", &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		p = json_object_array_get_idx(list, i);
		json_object_object_del(p, "args");
		json_object_object_del(p, "envVariables");
		json_object_object_add(p, "argumentsTruncated",
				       json_object_new_boolean(1));
	}
}

json_object *ledger_event_fit(const struct ledger_entry *e,
			      json_object *finding)
{
	/* What a process, or whoever started its container, says may be as
	 * long as it likes; the least of it goes first. */
	static const char *const spare[] = { "files", "kubernetes",
					     "sourceProperties", "containers",
					     "connections" };
	json_object *o = NULL;

	if (json_object_deep_copy(finding, &o, NULL))
		return NULL;
	set(o, "category", verdict_category(e->category));
	set(o, "severity", verdict_severity(e->severity));
	if (size_of(o) > LEDGER_FINDING)
		cut_processes(o);
	for (size_t i = 0; i < sizeof(spare) / sizeof(spare[0]) &&
			   size_of(o) > LEDGER_FINDING;
	     i++) {
		json_object_object_del(o, spare[i]);
		say_cut(o);
	}
	if (size_of(o) > LEDGER_FINDING) {
		json_object_put(o);
		return NULL;
	}
	return o;
}

/* ---- two made one ---------------------------------------------------- */

static json_object *member(json_object *o, const char *key)
{
	json_object *v = NULL;

	return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static bool holds(json_object *list, json_object *element)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (json_object_equal(json_object_array_get_idx(list, i),
				      element))
			return true;
	return false;
}

static void merge_signatures(json_object *to, json_object *from)
{
	json_object *a = member(member(to, "indicator"), "signatures");
	json_object *b = member(member(from, "indicator"), "signatures");

	if (!json_object_is_type(a, json_type_array) ||
	    !json_object_is_type(b, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(b); i++) {
		json_object *s = json_object_array_get_idx(b, i);

		if (!holds(a, s))
			json_object_array_add(a, json_object_get(s));
	}
}

static void merge_properties(json_object *to, json_object *from)
{
	json_object *a = member(to, "sourceProperties");
	json_object *b = member(from, "sourceProperties");

	if (!json_object_is_type(a, json_type_object) ||
	    !json_object_is_type(b, json_type_object))
		return;
	json_object_object_foreach(b, key, value)
	{
		if (!member(a, key))
			json_object_object_add(a, key, json_object_get(value));
	}
}

void ledger_event_merge(json_object *finding, const char *other)
{
	json_object *from = json_tokener_parse(other);
	const char *now =
		json_object_get_string(member(finding, "description"));
	const char *before =
		json_object_get_string(member(from, "description"));
	char *both = NULL;

	merge_signatures(finding, from);
	merge_properties(finding, from);
	if (now && before && !strstr(now, before) &&
	    asprintf(&both, "%s Within the same day: %.1500s", now, before) > 0)
		set(finding, "description", both);
	free(both);
	json_object_put(from);
}
