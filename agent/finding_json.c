/* finding_json.c - a finding in the shape of SCC's Finding message. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "finding_json.h"
#include "finding_own.h"
#include "maps.h"
#include "peers.h"
#include "text.h"
#include "verdict.h"
#include "tally.h"

#define NEXT_STEPS \
	"Keep the evidence before you stop it: a snapshot of the disk, and " \
	"the memory of the process (gcore). Find out how it was started " \
	"(parent process, unit, container image, cron) and with whose " \
	"rights. Then stop it, close that way in, and rotate the " \
	"credentials that this VM could use. If this work is yours, exclude " \
	"it by its executable."

void finding_add_text(json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

/* Attacker's bytes: escaped, so that they are UTF-8 and harmless. */
void finding_add_hostile(json_object *o, const char *key, const char *bytes)
{
	char shown[8192];

	finding_add_text(o, key, text_escape_str(bytes, shown, sizeof(shown)));
}

/* 64-bit integers are strings in proto3's JSON. */
void finding_add_int64(json_object *o, const char *key, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	finding_add_text(o, key, text);
}

void finding_time(char ret[static 32])
{
	struct timespec t;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	n = strftime(ret, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret + n, 32 - n, ".%06ldZ", t.tv_nsec / 1000);
}

/* ---- for people ------------------------------------------------------ */

static const char *main_family(const struct finding *f)
{
	if (f->n_shares)
		return f->shares[0]->family;
	for (size_t i = 0; i < f->look->n_hits; i++)
		if (f->look->hits[i].rule->family[0])
			return f->look->hits[i].rule->family;
	return f->look->hits[0].rule->name;
}

/* Adds to @ret[cap], of which @at are used; returns how many are then. */
__attribute__((format(printf, 4, 5))) static size_t
append(char *ret, size_t cap, size_t at, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(ret + at, cap - at, format, ap);
	va_end(ap);
	return at + (size_t)n < cap ? at + (size_t)n : cap - 1;
}

void finding_describe(const struct finding *f, char *ret, size_t cap)
{
	const struct look *l = f->look;
	char comm[PROC_COMM * 4], family[200];
	size_t n;

	text_escape_str(l->proc->comm, comm, sizeof(comm));
	text_escape_str(main_family(f), family, sizeof(family));
	n = append(ret, cap, 0, "Process %d (%s) ", l->proc->pid, comm);
	if (f->n_shares &&
	    tally_pages(f->shares[0]) >= tally_fragments(f->shares[0]))
		n = append(ret, cap, n, "runs %.0f %% of a known %s binary",
			   100 * tally_pages(f->shares[0]), family);
	else if (f->n_shares)
		n = append(ret, cap, n,
			   "runs %.0f %% of the code of a known %s binary, in "
			   "another build or version of it",
			   100 * tally_fragments(f->shares[0]), family);
	else
		n = append(ret, cap, n,
			   "holds the code of a cryptocurrency miner (%s)",
			   family);
	if (l->n_hits)
		n = append(ret, cap, n,
			   "; %zu rule%s of proof-of-work constants match%s",
			   l->n_hits, l->n_hits > 1 ? "s" : "",
			   l->n_hits > 1 ? "" : "es");
	if (l->proc->hidden)
		n = append(ret, cap, n, "; it hides: %s",
			   verdict_hiding(l->proc->hidden));
	if (f->besides)
		n = append(ret, cap, n,
			   "; all of it is plain data, as scanners have; but %s",
			   f->besides);
	append(ret, cap, n, "; it uses %.0f %% of a core%s%s.",
	       l->cpu_share * 100, f->jit ? " and has a live mining JIT" : "",
	       f->only_read ? ", and it only reads the file that holds this"
	       : f->idle    ? ", and nothing shows that it mines now"
			    : "");
}

/* ---- parts of the message -------------------------------------------- */

static json_object *signature(const char *kind, json_object *body)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, kind, body);
	finding_add_text(o, "signatureType", "SIGNATURE_TYPE_PROCESS");
	return o;
}

static json_object *detection(const struct share *s)
{
	json_object *o = json_object_new_object();

	finding_add_hostile(o, "binary", s->name);
	json_object_object_add(o, "percentPagesMatched",
			       json_object_new_double(tally_pages(s)));
	return o;
}

static bool is_first_of_family(const struct finding *f, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(f->shares[k]->family, f->shares[i]->family))
			return false;
	return true;
}

/* One element a binary family. */
static json_object *family_signature(const struct finding *f, size_t i)
{
	json_object *o = json_object_new_object();
	json_object *list = json_object_new_array();

	finding_add_hostile(o, "binaryFamily", f->shares[i]->family);
	for (size_t k = i; k < f->n_shares; k++)
		if (!strcmp(f->shares[k]->family, f->shares[i]->family))
			json_object_array_add(list, detection(f->shares[k]));
	json_object_object_add(o, "detections", list);
	return signature("memoryHashSignature", o);
}

static void add_once(json_object *list, const char *text)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!strcmp(text, json_object_get_string(
					  json_object_array_get_idx(list, i))))
			return;
	json_object_array_add(list, json_object_new_string(text));
}

static void add_places(json_object *o, const struct peers *peers)
{
	json_object *addresses = json_object_new_array();
	json_object *domains = json_object_new_array();
	char text[46];

	for (size_t i = 0; i < peers->n; i++) {
		const struct peer *p = &peers->list[i];

		if (!peers_is_remote(p))
			continue;
		add_once(addresses,
			 peers_address(p->family, p->address, text));
		if (peers->name[i][0])
			add_once(domains, peers->name[i]);
	}
	if (json_object_array_length(addresses))
		json_object_object_add(o, "ipAddresses",
				       json_object_get(addresses));
	if (json_object_array_length(domains))
		json_object_object_add(o, "domains", json_object_get(domains));
	json_object_put(addresses);
	json_object_put(domains);
}

static json_object *connection(const struct peer *p)
{
	json_object *o = json_object_new_object();
	char text[46];

	finding_add_text(o, "destinationIp",
		 peers_address(p->family, p->address, text));
	json_object_object_add(o, "destinationPort",
			       json_object_new_int(p->port));
	if (p->local_port) {
		finding_add_text(o, "sourceIp",
			 peers_address(p->family, p->local, text));
		json_object_object_add(o, "sourcePort",
				       json_object_new_int(p->local_port));
	}
	finding_add_text(o, "protocol", p->protocol == IPPROTO_UDP ? "UDP" : "TCP");
	return o;
}

static void add_connections(json_object *finding, const struct peers *peers)
{
	json_object *list;

	if (!peers->n)
		return;
	list = json_object_new_array();
	for (size_t i = 0; i < peers->n; i++)
		json_object_array_add(list, connection(&peers->list[i]));
	json_object_object_add(finding, "connections", list);
}

static json_object *indicator(const struct finding *f, const struct who *w)
{
	json_object *list = json_object_new_array();
	json_object *o = json_object_new_object();

	for (size_t i = 0; i < f->n_shares; i++)
		if (is_first_of_family(f, i))
			json_object_array_add(list, family_signature(f, i));
	for (size_t i = 0; i < f->look->n_hits; i++) {
		json_object *rule = json_object_new_object();

		finding_add_hostile(rule, "yaraRule", f->look->hits[i].rule->name);
		json_object_array_add(list,
				      signature("yaraRuleSignature", rule));
	}
	json_object_object_add(o, "signatures", list);
	add_places(o, &w->peers);
	return o;
}

static json_object *attack(void)
{
	json_object *o = json_object_new_object();
	json_object *list = json_object_new_array();

	finding_add_text(o, "primaryTactic", "IMPACT");
	json_object_array_add(list,
			      json_object_new_string("RESOURCE_HIJACKING"));
	json_object_object_add(o, "primaryTechniques", list);
	return o;
}

/* ---- evidence -------------------------------------------------------- */

static json_object *one_string(const struct look *l, const struct hit_string *s)
{
	const struct region *r = l->maps ? maps_find(l->maps, s->address)
					 : NULL;
	json_object *o = json_object_new_object();
	char text[2 * HIT_BYTES + 1] = "";

	finding_add_hostile(o, "name", s->name);
	snprintf(text, sizeof(text), "0x%" PRIx64, s->address);
	finding_add_text(o, "address", text);
	json_object_object_add(o, "length",
			       json_object_new_int64(s->length));
	for (uint32_t i = 0; i < s->n_bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", s->bytes[i]);
	finding_add_text(o, "bytes", s->n_bytes ? text : "");
	if (r) {
		maps_permissions(r, text);
		finding_add_text(o, "permissions", text);
		finding_add_hostile(o, "region", maps_name(l->maps, r));
	}
	return o;
}

static json_object *rules(const struct look *l)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < l->n_hits; i++) {
		const struct hit *h = &l->hits[i];
		json_object *o = json_object_new_object();
		json_object *strings = json_object_new_array();

		finding_add_hostile(o, "rule", h->rule->name);
		finding_add_hostile(o, "family", h->rule->family);
		finding_add_hostile(o, "algorithm", h->rule->algorithm);
		finding_add_hostile(o, "reference", h->rule->reference);
		json_object_object_add(
			o, "matches",
			json_object_new_int64((int64_t)h->n_matches));
		for (size_t k = 0; k < h->n_strings; k++)
			json_object_array_add(strings,
					      one_string(l, &h->strings[k]));
		json_object_object_add(o, "strings", strings);
		json_object_array_add(list, o);
	}
	return list;
}

/* What percentPagesMatched does not say: how much code it has of each. */
static json_object *fragments(const struct finding *f)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < f->n_shares; i++) {
		const struct share *s = f->shares[i];
		json_object *o = json_object_new_object();

		finding_add_hostile(o, "binary", s->name);
		finding_add_hostile(o, "version", s->version);
		json_object_object_add(o, "known",
				       json_object_new_int64(s->n_fragments));
		json_object_object_add(
			o, "seen", json_object_new_int64(s->seen_fragments));
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *evidence(const struct finding *f, const struct who *w,
			     const struct finding_tools *tools)
{
	const struct look *l = f->look;
	json_object *o = json_object_new_object();

	finding_add_text(o, "agent", "davylamp " DAVYLAMP_VERSION);
	finding_add_text(o, "engine", tools->engine);
	finding_add_text(o, "ruleSetVersion", tools->rules_version);
	finding_add_text(o, "hashSetVersion", tools->set_version);
	finding_add_text(o, "scanState", verdict_state(l->state));
	if (l->why[0])
		finding_add_text(o, "scanStateReason", l->why);
	json_object_object_add(o, "cpuShare",
			       json_object_new_double(l->cpu_share));
	json_object_object_add(o, "liveJit", json_object_new_boolean(f->jit));
	if (f->dataset_bytes)
		finding_add_int64(o, "datasetBytes", f->dataset_bytes);
	if (l->proc->hidden)
		finding_add_text(o, "hidden", verdict_hiding(l->proc->hidden));
	if (f->besides)
		finding_add_text(o, "besidesPlainData", f->besides);
	finding_who_properties(o, w);
	json_object_object_add(o, "rules", rules(l));
	if (f->n_shares)
		json_object_object_add(o, "codeFragments", fragments(f));
	return o;
}

json_object *finding_json(const struct finding *f, const struct who *w,
			  const struct finding_tools *tools)
{
	json_object *o = json_object_new_object();
	char now[32], text[1024];

	if (!o)
		return NULL;
	finding_add_text(o, "category", verdict_category(f->category));
	finding_time(now);
	finding_add_text(o, "eventTime", now);
	finding_add_text(o, "state", "ACTIVE");
	finding_add_text(o, "severity", verdict_severity(f->severity));
	finding_add_text(o, "findingClass", "THREAT");
	finding_describe(f, text, sizeof(text));
	finding_add_text(o, "description", text);
	finding_add_text(o, "nextSteps", NEXT_STEPS);
	json_object_object_add(o, "indicator", indicator(f, w));
	finding_who(o, f->look->proc, w, tools);
	add_connections(o, &w->peers);
	json_object_object_add(o, "mitreAttack", attack());
	json_object_object_add(o, "sourceProperties", evidence(f, w, tools));
	return o;
}

json_object *finding_observation(const char *text, const char *mend)
{
	json_object *o = json_object_new_object();
	char now[32];

	if (!o)
		return NULL;
	finding_add_text(o, "category", verdict_category(CATEGORY_OBSERVATION));
	finding_time(now);
	finding_add_text(o, "eventTime", now);
	finding_add_text(o, "state", "ACTIVE");
	finding_add_text(o, "severity", verdict_severity(SEVERITY_LOW));
	finding_add_text(o, "findingClass", "OBSERVATION");
	finding_add_hostile(o, "description", text);
	finding_add_text(o, "nextSteps", mend);
	return o;
}
