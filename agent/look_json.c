/* look_json.c - what was seen of one process, finding or not. */
#include "look_json.h"
#include "text.h"

static void put(json_object *o, const char *key, json_object *value)
{
	json_object_object_add(o, key, value);
}

static json_object *hostile(const char *bytes)
{
	char shown[600];

	return json_object_new_string(
		text_escape_str(bytes, shown, sizeof(shown)));
}

static json_object *number(uint64_t n)
{
	return json_object_new_int64((int64_t)n);
}

static json_object *rules(const struct look *l)
{
	json_object *all = json_object_new_array();

	for (size_t i = 0; i < l->n_hits; i++) {
		const struct hit *h = &l->hits[i];
		json_object *o = json_object_new_object();

		put(o, "rule", hostile(h->rule->name));
		put(o, "family", hostile(h->rule->family));
		put(o, "severity",
		    json_object_new_string(verdict_severity(
			    (enum severity)h->rule->severity)));
		put(o, "matches", number(h->n_matches));
		json_object_array_add(all, o);
	}
	return all;
}

static json_object *binaries(const struct look *l)
{
	json_object *all = json_object_new_array();

	for (size_t i = 0; i < l->n_shares; i++) {
		const struct share *s = &l->shares[i];
		json_object *o = json_object_new_object();

		put(o, "family", hostile(s->family));
		put(o, "binary", hostile(s->name));
		put(o, "version", hostile(s->version));
		put(o, "pages", number(s->n_pages));
		put(o, "seen", number(s->seen));
		put(o, "seenCode", number(s->seen_code));
		put(o, "fragments", number(s->n_fragments));
		put(o, "seenFragments", number(s->seen_fragments));
		json_object_array_add(all, o);
	}
	return all;
}

json_object *look_json(const struct look *l, enum verdict v,
		       const struct finding *f)
{
	static const char *const verdicts[] = {
		[VERDICT_CLEAN] = "clean",
		[VERDICT_FINDING] = "finding",
		[VERDICT_CARRIER] = "carrier",
		[VERDICT_UNKNOWN] = "unknown",
	};
	json_object *all = json_object_new_object();
	json_object *o = json_object_new_object();

	put(o, "pid", json_object_new_int(l->proc->pid));
	put(o, "process", hostile(l->proc->comm));
	put(o, "verdict", json_object_new_string(verdicts[v]));
	if (f)
		put(o, "severity",
		    json_object_new_string(verdict_severity(f->severity)));
	put(o, "state", json_object_new_string(verdict_state(l->state)));
	put(o, "why", json_object_new_string(l->why));
	put(o, "cpuShare", json_object_new_double(l->cpu_share));
	put(o, "readBytes", number(l->read_bytes));
	put(o, "rules", rules(l));
	put(o, "binaries", binaries(l));
	put(all, "look", o);
	return all;
}
