/* scc_explain.c - each way to fail, with the line that mends it. */
#include <stdio.h>
#include <string.h>
#include "report_json.h"
#include "report_meta.h"
#include "scc.h"
#include "text.h"

struct said {
	char status[64]; /* PERMISSION_DENIED */
	char reason[64]; /* of google.rpc.ErrorInfo */
	char message[200];
	char project[64]; /* of the consumer, or PROJECT */
};

static void keep(char *ret, size_t cap, const char *s)
{
	text_escape_str(s ? s : "", ret, cap);
}

/* {"error": {status, message, details: [{reason, metadata}]}} */
static bool read_error(const struct http_reply *r, struct said *ret)
{
	json_object *o = report_json_parse(r->body, r->len);
	json_object *e = report_json_get(o, "error", json_type_object);
	json_object *list = report_json_get(e, "details", json_type_array);
	const char *reason, *consumer;

	memset(ret, 0, sizeof(*ret));
	strcpy(ret->project, "PROJECT");
	keep(ret->status, sizeof(ret->status), report_json_text(e, "status"));
	keep(ret->message, sizeof(ret->message),
	     report_json_text(e, "message"));
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *d = json_object_array_get_idx(list, i);

		reason = report_json_text(d, "reason");
		if (!reason || ret->reason[0])
			continue;
		keep(ret->reason, sizeof(ret->reason), reason);
		consumer = report_json_text(
			report_json_get(d, "metadata", json_type_object),
			"consumer");
		/* It goes into a command that people paste. */
		if (consumer && !strncmp(consumer, "projects/", 9) &&
		    consumer[9] &&
		    strspn(consumer + 9, "abcdefghijklmnopqrstuvwxyz0123456789"
					 "-.:") == strlen(consumer + 9))
			keep(ret->project, sizeof(ret->project), consumer + 9);
	}
	json_object_put(o);
	return e != NULL;
}

/* "organizations/O/sources/S" */
static void organization(const struct config *c, char ret[static 64])
{
	const char *s = strchr(c->scc.source, '/');

	snprintf(ret, 64, "%.*s", s ? (int)strcspn(s + 1, "/") : 0,
		 s ? s + 1 : "");
}

static enum scc_result no_scope(struct scc *s, struct why *why)
{
	char name[REPORT_META_MAX], zone[REPORT_META_MAX];
	const char *z;

	if (report_meta_text(s->http, "instance/name", name, NULL))
		strcpy(name, "INSTANCE");
	if (report_meta_text(s->http, "instance/zone", zone, NULL))
		strcpy(zone, "ZONE");
	z = strrchr(zone, '/');
	z = z ? z + 1 : zone;
	why_set(why, 0,
		"403: this VM's access scopes leave out Security Command "
		"Center: gcloud compute instances stop %.63s --zone=%.63s && "
		"gcloud compute instances set-service-account %.63s "
		"--zone=%.63s --scopes=cloud-platform && gcloud compute "
		"instances start %.63s --zone=%.63s",
		name, z, name, z, name, z);
	return SCC_DENIED;
}

static enum scc_result no_permission(struct scc *s, const struct said *said,
				     struct why *why)
{
	char org[64];

	organization(s->config, org);
	why_set(why, 0,
		"403: %s may not write findings there: gcloud organizations "
		"add-iam-policy-binding %s --member=serviceAccount:%.100s "
		"--role=roles/securitycenter.findingsEditor (%s)",
		report_auth_email(s->auth), org, report_auth_email(s->auth),
		said->message);
	return SCC_DENIED;
}

static enum scc_result forbidden(struct scc *s, const struct said *said,
				 struct why *why)
{
	char org[64];

	organization(s->config, org);
	if (!strcmp(said->reason, "SERVICE_DISABLED")) {
		why_set(why, 0,
			"403: the API is not enabled: gcloud services enable "
			"securitycenter.googleapis.com --project=%s",
			said->project);
		return SCC_DENIED;
	}
	if (!strcmp(said->reason, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"))
		return no_scope(s, why);
	if (!strcmp(said->reason, "SECURITY_POLICY_VIOLATED") ||
	    strstr(said->message, "VPC Service Controls")) {
		why_set(why, 0,
			"403: a VPC Service Controls perimeter is in the way: "
			"gcloud access-context-manager perimeters list "
			"--policy=POLICY (%s)",
			said->message);
		return SCC_DENIED;
	}
	if (strcasestr(said->message, "organization") &&
	    strcmp(said->reason, "IAM_PERMISSION_DENIED")) {
		why_set(why, 0,
			"403: organization %s is not the one of this account: "
			"gcloud organizations list; then set [scc] source "
			"(%s)",
			org, said->message);
		return SCC_DENIED;
	}
	return no_permission(s, said, why);
}

static enum scc_result not_found(struct scc *s, const struct said *said,
				 struct why *why)
{
	char org[64];

	organization(s->config, org);
	why_set(why, 0,
		"404: there is no source %s at location %s: davylamp report "
		"setup %s; gcloud scc sources describe %s "
		"--source-display-name=davylamp (%s)",
		s->config->scc.source, s->config->scc.location, org, org,
		said->message);
	return SCC_DENIED;
}

/* 400: the body, unless it is the place that is not ready. */
static enum scc_result bad_request(const struct said *said, struct why *why)
{
	if (!strcmp(said->status, "FAILED_PRECONDITION")) {
		why_set(why, 0,
			"400: Security Command Center is not active in this "
			"organization: gcloud scc manage services list "
			"--organization=ORGANIZATION (%s)",
			said->message);
		return SCC_DENIED;
	}
	why_set(why, 0, "400: this finding is refused: %s %s", said->status,
		said->message);
	return SCC_REFUSED;
}

enum scc_result scc_explain(struct scc *s, const struct http_reply *r,
			    struct why *why)
{
	struct said said;
	bool google = read_error(r, &said);

	if (r->status == 407) {
		why_set(why, 0,
			"407: the proxy wants a password: set "
			"HTTPS_PROXY=http://USER:PASSWORD@PROXY:PORT in the "
			"service's environment");
		return SCC_DOWN;
	}
	if (!google && r->status < 500 && r->status != 429) {
		why_set(why, 0,
			"status %ld without Google's error: a proxy, firewall "
			"or captive portal answers; or [scc] endpoint is wrong",
			r->status);
		return SCC_DOWN;
	}
	switch (r->status) {
	case 400:
		return bad_request(&said, why);
	case 401:
		why_set(why, 0,
			"401: the token is refused, a fresh one too: check "
			"the clock (timedatectl) and the account (gcloud iam "
			"service-accounts describe %.100s): %s",
			report_auth_email(s->auth), said.message);
		return SCC_DENIED;
	case 403:
		return forbidden(s, &said, why);
	case 404:
		return not_found(s, &said, why);
	case 429:
		why_set(why, 0,
			"429: over the quota; findings wait: gcloud services "
			"quota: securitycenter.googleapis.com, project %s",
			said.project);
		return SCC_BUSY;
	case 413:
		why_set(why, 0, "413: this finding is too large");
		return SCC_REFUSED;
	default:
		why_set(why, 0, "status %ld: %s %s", r->status, said.status,
			said.message);
		return SCC_DOWN;
	}
}
