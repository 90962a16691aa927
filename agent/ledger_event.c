/* ledger_event.c - findings as JSON: ids, events, and two made one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "finding_json.h"
#include "ledger_own.h"
#include "report_json.h"
#include "sha256.h"
#include "text.h"
#include "verdict.h"

#define SIGNATURES_KEPT 16
#define PATH_KEPT	512 /* bytes */

#define PLAIN (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* With its NUL, so that "a","bc" is not "ab","c". */
static void add(struct sha256 *s, const char *text)
{
	sha256_add(s, text, strlen(text) + 1);
}

void ledger_id(const struct ledger *l, enum category category,
	       const struct ledger_process *p, char ret[static SPOOL_ID + 1])
{
	struct sha256 s;
	uint8_t digest[32];
	char hex[65], text[64];

	sha256_begin(&s);
	add(&s, l->instance);
	add(&s, verdict_category(category));
	add(&s, p->exe);
	add(&s, l->boot);
	snprintf(text, sizeof(text), "%llu",
		 (unsigned long long)p->start_ticks);
	add(&s, text);
	snprintf(text, sizeof(text), "%d", p->pid);
	add(&s, text);
	sha256_end(&s, digest);
	sha256_hex(digest, hex);
	memcpy(ret, hex, SPOOL_ID);
	ret[SPOOL_ID] = 0;
}

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

static json_object *member(json_object *o, const char *key)
{
	json_object *v = NULL;

	return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

/* Rules say how many there are, and a program may have a path as long as the
 * kernel lets it. */
static void cut_signatures_and_paths(json_object *finding)
{
	json_object *signatures =
		member(member(finding, "indicator"), "signatures");
	json_object *list = member(finding, "processes");
	size_t n;

	if (json_object_is_type(signatures, json_type_array)) {
		n = json_object_array_length(signatures);
		if (n > SIGNATURES_KEPT)
			json_object_array_del_idx(signatures, SIGNATURES_KEPT,
						  n - SIGNATURES_KEPT);
	}
	n = json_object_is_type(list, json_type_array)
		    ? json_object_array_length(list)
		    : 0;
	for (size_t i = 0; i < n; i++) {
		json_object *binary =
			member(json_object_array_get_idx(list, i), "binary");
		const char *path =
			json_object_get_string(member(binary, "path"));
		char cut[PATH_KEPT];

		if (path)
			set(binary, "path",
			    text_check_str(path, cut, sizeof(cut)));
	}
	say_cut(finding);
}

json_object *ledger_event_fit(const struct ledger_entry *e,
			      json_object *finding, struct why *why)
{
	/* What a process, or whoever started its container, says may be as
	 * long as it likes; the least of it goes first. */
	static const char *const spare[] = { "files", "kubernetes",
					     "sourceProperties", "containers",
					     "connections" };
	json_object *o = NULL;

	if (json_object_deep_copy(finding, &o, NULL)) {
		why_set(why, -ENOMEM, "finding %s: no memory", e->id);
		return NULL;
	}
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
	if (size_of(o) > LEDGER_FINDING)
		cut_signatures_and_paths(o);
	return o;
}

/* ---- two made one ---------------------------------------------------- */

/* The rule or the family of binaries that a signature names. */
static const char *name_of(json_object *signature)
{
	json_object *rule =
		member(member(signature, "yaraRuleSignature"), "yaraRule");
	json_object *family = member(member(signature, "memoryHashSignature"),
				     "binaryFamily");

	return json_object_get_string(rule ? rule : family) ?: "";
}

/* Does @list name what @signature names?  Shares of a family change. */
static bool names(json_object *list, json_object *signature)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!strcmp(name_of(json_object_array_get_idx(list, i)),
			    name_of(signature)))
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

		if (!names(a, s))
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

static void merge_descriptions(json_object *to, json_object *from)
{
	const char *now = json_object_get_string(member(to, "description"));
	const char *before =
		json_object_get_string(member(from, "description"));
	char *both = NULL;

	if (now && before &&
	    asprintf(&both, "%s Within the same day: %.1500s", now, before) > 0)
		set(to, "description", both);
	free(both);
}

int ledger_event_merge(json_object *finding, const char *other, bool same)
{
	json_object *from = report_json_parse(other, strlen(other));
	json_object *words = member(from, "description");

	if (!from)
		return -ENOMEM;
	merge_signatures(finding, from);
	merge_properties(finding, from);
	if (!same)
		merge_descriptions(finding, from);
	else if (words)
		json_object_object_add(finding, "description",
				       json_object_get(words));
	json_object_put(from);
	return 0;
}
