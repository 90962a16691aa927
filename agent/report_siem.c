/* report_siem.c - OCSF 1.3 Detection Finding and ECS 8. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "report_format.h"
#include "report_json.h"

static void set_int(json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

/* A new object at @key of @o. */
static json_object *add(json_object *o, const char *key)
{
	json_object *inner = json_object_new_object();

	json_object_object_add(o, key, inner);
	return inner;
}

/* The same inside a new array, where @o has none yet. */
static json_object *add_element(json_object *o, const char *key)
{
	json_object *inner = json_object_new_object();
	json_object *list = report_json_get(o, key, json_type_array);

	if (!list) {
		list = json_object_new_array();
		json_object_object_add(o, key, list);
	}
	json_object_array_add(list, inner);
	return inner;
}

static void copy(json_object *to, const char *key, json_object *from,
		 const char *name)
{
	const char *s = report_json_text(from, name);

	if (s && *s)
		report_json_set(to, key, s);
}

/* The connections' far ends, first of them @i. */
static json_object *connection(const struct report_event *e, size_t i)
{
	json_object *list =
		report_json_get(e->finding, "connections", json_type_array);

	return list && i < json_object_array_length(list)
		       ? json_object_array_get_idx(list, i)
		       : NULL;
}

static json_object *first(json_object *o, const char *key)
{
	json_object *list = report_json_get(o, key, json_type_array);

	return list && json_object_array_length(list)
		       ? json_object_array_get_idx(list, 0)
		       : NULL;
}

/* The finding's container, and what SCC has no field for. */
static json_object *properties(const struct report_event *e)
{
	return report_json_get(e->finding, "sourceProperties",
			       json_type_object);
}

static json_object *pod(const struct report_event *e)
{
	return first(report_json_get(e->finding, "kubernetes",
				     json_type_object),
		     "pods");
}

/* ---- OCSF ------------------------------------------------------------ */

/* "2026-11-22T23:30:00.123456Z" in ms since 1970; 0 where it is not. */
static int64_t time_ms(const char *text)
{
	struct tm tm = { 0 };
	const char *end =
		text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	unsigned ms = 0;

	if (!end)
		return 0;
	if (*end == '.')
		sscanf(end + 1, "%3u", &ms);
	return (int64_t)timegm(&tm) * 1000 + ms;
}

static void ocsf_parent(json_object *to, json_object *parent)
{
	json_object *file;

	copy(to, "name", parent, "name");
	if (!report_json_text(parent, "executable"))
		return;
	file = add(to, "file");
	copy(file, "path", parent, "executable");
	copy(file, "name", parent, "name");
	set_int(file, "type_id", 1);
}

static void ocsf_container(json_object *process, const struct report_event *e)
{
	json_object *c = first(e->finding, "containers"), *to, *image;

	if (!c)
		return;
	to = add(process, "container");
	copy(to, "uid", properties(e), "containerId");
	copy(to, "name", c, "name");
	copy(to, "runtime", properties(e), "containerRuntime");
	copy(to, "pod_uuid", properties(e), "podUid");
	if (pod(e))
		report_json_set(to, "orchestrator", "kubernetes");
	if (!report_json_text(c, "uri") && !report_json_text(c, "imageId"))
		return;
	image = add(to, "image");
	copy(image, "name", c, "uri");
	copy(image, "uid", c, report_json_text(c, "imageId") ? "imageId" : "uri");
}

static void ocsf_process(json_object *o, const struct report_event *e)
{
	json_object *p = report_format_process(e);
	json_object *binary = report_json_get(p, "binary", json_type_object);
	json_object *to, *file, *hash;

	if (!p)
		return;
	to = add(add_element(o, "evidences"), "process");
	set_int(to, "pid", report_format_int(p, "pid"));
	copy(to, "name", p, "name");
	copy(add(to, "user"), "uid", p, "userId");
	file = add(to, "parent_process");
	set_int(file, "pid", report_format_int(p, "parentPid"));
	ocsf_parent(file, first(properties(e), "parents"));
	ocsf_container(to, e);
	file = add(to, "file");
	copy(file, "path", binary, "path");
	copy(file, "name", p, "name");
	set_int(file, "type_id", 1);
	if (report_json_text(binary, "size"))
		set_int(file, "size", report_format_int(binary, "size"));
	if (report_json_text(binary, "sha256")) {
		hash = add_element(file, "hashes");
		set_int(hash, "algorithm_id", 3);
		copy(hash, "value", binary, "sha256");
	}
}

static void ocsf_observables(json_object *o, const struct report_event *e)
{
	json_object *p = report_format_process(e), *c, *to;

	if (p) {
		to = add_element(o, "observables");
		report_json_set(to, "name", "evidences.process");
		set_int(to, "type_id", 25);
		copy(to, "value", p, "name");
	}
	for (size_t i = 0; i < 16 && (c = connection(e, i)); i++) {
		to = add_element(o, "observables");
		report_json_set(to, "name", "evidences.dst_endpoint.ip");
		set_int(to, "type_id", 2);
		copy(to, "value", c, "destinationIp");
	}
}

static void ocsf_info(json_object *o, const struct report_event *e)
{
	json_object *info = add(o, "finding_info"), *attack, *part;

	report_json_set(info, "uid", e->id);
	copy(info, "title", e->finding, "category");
	copy(info, "desc", e->finding, "description");
	if (report_event_is_observation(e))
		return;
	attack = add_element(info, "attacks");
	report_json_set(attack, "version", "16.0");
	part = add(attack, "tactic");
	report_json_set(part, "uid", "TA0040");
	report_json_set(part, "name", "Impact");
	part = add(attack, "technique");
	report_json_set(part, "uid", "T1496");
	report_json_set(part, "name", "Resource Hijacking");
}

static void ocsf_malware(json_object *o, const struct report_event *e)
{
	json_object *m = add_element(o, "malware");
	json_object *ids = json_object_new_array();
	json_object *names = report_format_names(e, false);

	json_object_array_add(ids, json_object_new_int(13));
	json_object_object_add(m, "classification_ids", ids);
	if (json_object_array_length(names))
		report_json_set(m, "name",
				json_object_get_string(
					json_object_array_get_idx(names, 0)));
	json_object_put(names);
}

static void ocsf_head(json_object *o, const struct report_event *e)
{
	static const char *const activities[] = { "Create", "Update", "Close" };
	static const char *const levels[] = { "Low", "Medium", "High" };
	json_object *product;

	set_int(o, "category_uid", 2);
	set_int(o, "class_uid", 2004);
	set_int(o, "activity_id", e->kind + 1);
	report_json_set(o, "activity_name", activities[e->kind]);
	set_int(o, "type_uid", 200400 + e->kind + 1);
	set_int(o, "time", time_ms(report_json_text(e->finding, "eventTime")));
	set_int(o, "severity_id", e->severity + 2);
	report_json_set(o, "severity", levels[e->severity]);
	set_int(o, "status_id", e->kind == REPORT_CLOSE ? 4 : 1);
	product = add(o, "metadata");
	report_json_set(product, "version", "1.3.0");
	json_object_object_add(product, "profiles",
			       json_tokener_parse(
				       first(e->finding, "containers")
					       ? "[\"cloud\",\"container\"]"
					       : "[\"cloud\"]"));
	product = add(product, "product");
	report_json_set(product, "name", "davylamp");
	report_json_set(product, "vendor_name", "davylamp");
	report_json_set(product, "version", DAVYLAMP_VERSION);
}

json_object *report_format_ocsf(const struct report_event *e)
{
	json_object *o = json_object_new_object(), *part;
	struct report_place place;

	report_format_place(e, &place);
	ocsf_head(o, e);
	ocsf_info(o, e);
	if (!report_event_is_observation(e))
		ocsf_malware(o, e);
	copy(o, "message", e->finding, "description");
	part = add(o, "cloud");
	report_json_set(part, "provider", "GCP");
	if (place.project[0]) {
		report_json_set(part, "project_uid", place.project);
		report_json_set(part, "zone", place.zone);
	}
	part = add_element(o, "resources");
	copy(part, "uid", e->finding, "resourceName");
	report_json_set(part, "type", "google.compute.Instance");
	ocsf_process(o, e);
	ocsf_observables(o, e);
	return o;
}

/* ---- ECS ------------------------------------------------------------- */

static void add_word(json_object *o, const char *key, const char *word)
{
	json_object *list = json_object_new_array();

	json_object_array_add(list, json_object_new_string(word));
	json_object_object_add(o, key, list);
}

/* A dot in a key would make an object of it. */
static void ecs_label(json_object *labels, json_object *l)
{
	const char *name = report_json_text(l, "name");
	char key[256];

	if (!name || !*name)
		return;
	snprintf(key, sizeof(key), "%s", name);
	for (char *s = key; (s = strchr(s, '.'));)
		*s = '_';
	copy(labels, key, l, "value");
}

static void ecs_container(json_object *o, const struct report_event *e)
{
	json_object *c = first(e->finding, "containers"), *to, *labels;
	json_object *list = report_json_get(c, "labels", json_type_array);

	if (!c)
		return;
	to = add(o, "container");
	copy(to, "id", properties(e), "containerId");
	copy(to, "name", c, "name");
	copy(to, "runtime", properties(e), "containerRuntime");
	if (report_json_text(c, "uri"))
		copy(add(to, "image"), "name", c, "uri");
	labels = list ? add(to, "labels") : NULL;
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		ecs_label(labels, json_object_array_get_idx(list, i));
	if (!pod(e))
		return;
	to = add(o, "orchestrator");
	report_json_set(to, "type", "kubernetes");
	copy(to, "namespace", pod(e), "ns");
	to = add(to, "resource");
	report_json_set(to, "type", "pod");
	copy(to, "name", pod(e), "name");
	copy(to, "id", properties(e), "podUid");
}

static void ecs_process(json_object *o, const struct report_event *e)
{
	json_object *p = report_format_process(e), *parent;
	json_object *to = add(o, "process");
	json_object *binary = report_json_get(p, "binary", json_type_object);
	json_object *args = report_json_get(p, "args", json_type_array);

	set_int(to, "pid", report_format_int(p, "pid"));
	copy(to, "name", p, "name");
	copy(to, "executable", binary, "path");
	if (args)
		json_object_object_add(to, "args", json_object_get(args));
	parent = add(to, "parent");
	set_int(parent, "pid", report_format_int(p, "parentPid"));
	copy(parent, "name", first(properties(e), "parents"), "name");
	copy(parent, "executable", first(properties(e), "parents"),
	     "executable");
	copy(add(to, "user"), "id", p, "userId");
	if (report_json_text(binary, "sha256"))
		copy(add(to, "hash"), "sha256", binary, "sha256");
}

static void ecs_event(json_object *o, const struct report_event *e)
{
	static const char *const actions[] = { "finding-open",
					       "finding-refresh",
					       "finding-close" };
	static const int scores[] = { 21, 47, 73 };

	bool observation = report_event_is_observation(e);

	report_json_set(o, "kind", observation ? "state" : "alert");
	add_word(o, "category", observation ? "configuration" : "malware");
	add_word(o, "type", "info");
	report_json_set(o, "action", actions[e->kind]);
	report_json_set(o, "id", e->id);
	report_json_set(o, "module", "davylamp");
	report_json_set(o, "dataset", "davylamp.finding");
	set_int(o, "severity", scores[e->severity]);
}

static void ecs_threat(json_object *o)
{
	json_object *part;

	report_json_set(o, "framework", "MITRE ATT&CK");
	part = add(o, "tactic");
	add_word(part, "id", "TA0040");
	add_word(part, "name", "Impact");
	part = add(o, "technique");
	add_word(part, "id", "T1496");
	add_word(part, "name", "Resource Hijacking");
}

static void ecs_place(json_object *o, const struct report_event *e)
{
	struct report_place place;
	json_object *cloud = add(o, "cloud"), *c = connection(e, 0), *to;

	report_format_place(e, &place);
	report_json_set(cloud, "provider", "gcp");
	if (place.instance[0]) {
		report_json_set(add(cloud, "instance"), "id", place.instance);
		report_json_set(add(cloud, "project"), "id", place.project);
		report_json_set(cloud, "availability_zone", place.zone);
		report_json_set(add(o, "host"), "id", place.instance);
	}
	if (c) {
		to = add(o, "destination");
		copy(to, "ip", c, "destinationIp");
		set_int(to, "port", report_json_int(c, "destinationPort"));
	}
}

json_object *report_format_ecs(const struct report_event *e)
{
	json_object *o = json_object_new_object();
	json_object *p = report_format_process(e), *rule;

	copy(o, "@timestamp", e->finding, "eventTime");
	report_json_set(add(o, "ecs"), "version", "8.11.0");
	copy(o, "message", e->finding, "description");
	ecs_event(add(o, "event"), e);
	rule = add(o, "rule");
	json_object_object_add(rule, "name", report_format_names(e, true));
	copy(rule, "ruleset", properties(e), "ruleSetVersion");
	copy(rule, "category", e->finding, "category");
	if (!report_event_is_observation(e))
		ecs_threat(add(o, "threat"));
	if (p)
		ecs_process(o, e);
	ecs_container(o, e);
	ecs_place(o, e);
	return o;
}
