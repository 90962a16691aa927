/* report_format.c - SCC's own shapes, and what the other formats share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report_format.h"
#include "report_json.h"

void report_format_place(const struct report_event *e, struct report_place *ret)
{
	const char *s = report_json_text(e->finding, "resourceName");

	memset(ret, 0, sizeof(*ret));
	if (!s || sscanf(s,
			 "//compute.googleapis.com/projects/%127[^/]/zones/"
			 "%127[^/]/instances/%127[^/]",
			 ret->project, ret->zone, ret->instance) != 3)
		memset(ret, 0, sizeof(*ret));
}

json_object *report_format_process(const struct report_event *e)
{
	json_object *list =
		report_json_get(e->finding, "processes", json_type_array);

	return list && json_object_array_length(list)
		       ? json_object_array_get_idx(list, 0)
		       : NULL;
}

int64_t report_format_int(json_object *o, const char *key)
{
	const char *s = report_json_text(o, key);

	return s ? strtoll(s, NULL, 10) : 0;
}

json_object *report_format_names(const struct report_event *e, bool rules)
{
	json_object *indicator =
		report_json_get(e->finding, "indicator", json_type_object);
	json_object *list =
		report_json_get(indicator, "signatures", json_type_array);
	json_object *ret = json_object_new_array();

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *s = json_object_array_get_idx(list, i);
		const char *name = report_json_text(
			report_json_get(s,
					rules ? "yaraRuleSignature"
					      : "memoryHashSignature",
					json_type_object),
			rules ? "yaraRule" : "binaryFamily");

		if (name)
			json_object_array_add(ret,
					      json_object_new_string(name));
	}
	return ret;
}

/* organizations/O/sources/S[/locations/L]/findings/F */
static void add_names(const struct config *c, const char *id,
		      json_object *finding)
{
	char name[2 * CONFIG_TEXT + 64];

	if (!c->scc.source[0])
		return;
	report_json_set(finding, "parent", c->scc.source);
	if (c->scc.api == 2)
		snprintf(name, sizeof(name), "%s/locations/%s/findings/%s",
			 c->scc.source, c->scc.location, id);
	else
		snprintf(name, sizeof(name), "%s/findings/%s", c->scc.source,
			 id);
	report_json_set(finding, "name", name);
}

/* A copy: the event itself goes to the API, which wants no name. */
static json_object *named(const struct config *c, const struct report_event *e)
{
	json_object *finding = NULL;

	if (json_object_deep_copy(e->finding, &finding, NULL))
		return NULL;
	add_names(c, e->id, finding);
	return finding;
}

json_object *report_format_notification(const struct config *c,
					const struct report_event *e)
{
	json_object *o = json_object_new_object();
	json_object *resource = json_object_new_object();
	json_object *gcp = json_object_new_object();
	const char *name = report_json_text(e->finding, "resourceName");
	struct report_place place;
	char text[2 * CONFIG_TEXT];

	report_format_place(e, &place);
	snprintf(text, sizeof(text), "%.*s%s%s/notificationConfigs/davylamp",
		 c->scc.source[0] ? 14 + (int)strcspn(c->scc.source + 14, "/")
				  : 0,
		 c->scc.source, c->scc.api == 2 ? "/locations/" : "",
		 c->scc.api == 2 ? c->scc.location : "");
	report_json_set(o, "notificationConfigName", text);
	json_object_object_add(o, "finding", named(c, e));
	report_json_set(resource, "name", name ? name : "");
	report_json_set(resource, "type", "google.compute.Instance");
	report_json_set(resource, "displayName", place.instance);
	if (c->scc.api == 2) {
		report_json_set(resource, "cloudProvider",
				"GOOGLE_CLOUD_PLATFORM");
		report_json_set(resource, "service", "compute.googleapis.com");
		report_json_set(resource, "location", place.zone);
		snprintf(text, sizeof(text),
			 "//cloudresourcemanager.googleapis.com/projects/%s",
			 place.project);
		report_json_set(gcp, "project", text);
		report_json_set(gcp, "projectDisplayName", place.project);
		json_object_object_add(resource, "gcpMetadata",
				       json_object_get(gcp));
	}
	json_object_put(gcp);
	json_object_object_add(o, "resource", resource);
	return o;
}

json_object *report_format(const struct config *c, const struct report_event *e,
			   uint64_t format)
{
	switch (format) {
	case FORMAT_OCSF:
		return report_format_ocsf(e);
	case FORMAT_ECS:
		return report_format_ecs(e);
	default:
		return named(c, e);
	}
}
