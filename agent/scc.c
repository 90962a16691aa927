/* scc.c - create, patch, set the state.
 *
 * Ids are made from what was found, so every write may be repeated: a
 * creation that happened although its answer was lost says ALREADY_EXISTS,
 * and becomes a patch. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report_json.h"
#include "scc.h"

#define URL_MAX 4096

const char *scc_endpoint(const struct config *c)
{
	static const struct {
		const char *location, *endpoint;
	} regions[] = {
		{ "us", "https://securitycenter.us.rep.googleapis.com" },
		{ "eu", "https://securitycenter.eu.rep.googleapis.com" },
		{ "sa", "https://securitycenter.me-central2.rep.googleapis"
			".com" },
	};

	if (c->scc.endpoint[0])
		return c->scc.endpoint;
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		if (!strcmp(c->scc.location, regions[i].location))
			return regions[i].endpoint;
	return "https://securitycenter.googleapis.com";
}

int scc_call(struct scc *s, const char *method, const char *url,
	     const char *body, size_t len, struct http_reply *ret,
	     struct why *why)
{
	struct http_request r = {
		.method = method,
		.url = url,
		.headers = { "Accept: application/json",
			     body ? "Content-Type: application/json" : NULL },
		.body = body,
		.len = len,
	};
	int err = 0;

	for (int tries = 0; tries < 2; tries++) {
		err = report_auth_token(s->auth, &r.token, why);
		if (err)
			return err;
		s->requests++;
		err = http_do(s->http, &r, ret, why);
		if (err || ret->status != 401)
			return err;
		report_auth_forget(s->auth);
	}
	return err;
}

/* ---- URLs and bodies ------------------------------------------------- */

/* ".../findings" and what follows it. */
static void url_of(const struct config *c, const char *after,
		   char ret[static URL_MAX])
{
	if (c->scc.api == 2)
		snprintf(ret, URL_MAX, "%s/v2/%s/locations/%s/findings%s",
			 scc_endpoint(c), c->scc.source, c->scc.location,
			 after);
	else
		snprintf(ret, URL_MAX, "%s/v1/%s/findings%s", scc_endpoint(c),
			 c->scc.source, after);
}

/* v1's messages lack what v2 added. */
static void to_v1(json_object *finding)
{
	json_object *list =
		report_json_get(finding, "processes", json_type_array);

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		json_object_object_del(json_object_array_get_idx(list, i),
				       "userId");
}

static char *body_of(struct scc *s, struct report_event *e, size_t *ret_len)
{
	if (s->config->scc.api == 1)
		to_v1(e->finding);
	return report_json_line(e->finding, ret_len);
}

static bool is_word(const char *s)
{
	return strlen(s) < 128 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789_") == strlen(s);
}

/* "?updateMask=" of every field that may change, the source properties by
 * name so that those of others stay. */
static void mask_of(json_object *finding, const char *id,
		    char ret[static URL_MAX / 2])
{
	static const char fixed[] = " name category resourceName parent ";
	json_object *properties =
		report_json_get(finding, "sourceProperties", json_type_object);
	size_t n = (size_t)snprintf(ret, URL_MAX / 2, "/%s?updateMask=", id);
	const char *comma = "";
	char spaced[136];

	json_object_object_foreach(finding, key, value)
	{
		(void)value;
		snprintf(spaced, sizeof(spaced), " %.130s ", key);
		if (strstr(fixed, spaced) || !is_word(key) ||
		    !strcmp(key, "sourceProperties") ||
		    n + strlen(key) + 2 > URL_MAX / 2)
			continue;
		n += (size_t)snprintf(ret + n, URL_MAX / 2 - n, "%s%s", comma,
				      key);
		comma = ",";
	}
	if (!properties)
		return;
	json_object_object_foreach(properties, name, property)
	{
		(void)property;
		if (!is_word(name) || n + strlen(name) + 19 > URL_MAX / 2)
			continue;
		n += (size_t)snprintf(ret + n, URL_MAX / 2 - n,
				      "%ssourceProperties.%s", comma, name);
		comma = ",";
	}
}

/* ---- delivery -------------------------------------------------------- */

/* A 200 with a page of a hotel's Wi-Fi is no acknowledgement. */
static enum scc_result check_ok(const struct http_reply *r, const char *id,
				struct why *why)
{
	json_object *o = report_json_parse(r->body, r->len);
	const char *name = report_json_text(o, "name");
	size_t n = name ? strlen(name) : 0;
	bool ours = n > SPOOL_ID && !strcmp(name + n - SPOOL_ID, id);

	json_object_put(o);
	if (ours)
		return SCC_OK;
	why_set(why, 0,
		"status %ld, but the answer is not this finding: a proxy or "
		"captive portal stands in between",
		r->status);
	return SCC_DOWN;
}

static enum scc_result post(struct scc *s, struct report_event *e,
			    struct http_reply *r, struct why *why)
{
	char url[URL_MAX], after[64];
	size_t len;
	char *body = body_of(s, e, &len);
	int err = -ENOMEM;

	snprintf(after, sizeof(after), "?findingId=%s", e->id);
	url_of(s->config, after, url);
	if (body)
		err = scc_call(s, "POST", url, body, len, r, why);
	free(body);
	if (err)
		return err == -EACCES || err == -EINVAL ? SCC_DENIED : SCC_DOWN;
	if (r->status == 200)
		return check_ok(r, e->id, why);
	return r->status == 409 ? SCC_OK : scc_explain(s, r, why);
}

static enum scc_result patch(struct scc *s, struct report_event *e,
			     struct http_reply *r, struct why *why)
{
	char url[URL_MAX], after[URL_MAX / 2];
	size_t len;
	char *body = body_of(s, e, &len);
	int err = -ENOMEM;

	mask_of(e->finding, e->id, after);
	url_of(s->config, after, url);
	if (body)
		err = scc_call(s, "PATCH", url, body, len, r, why);
	free(body);
	if (err)
		return err == -EACCES || err == -EINVAL ? SCC_DENIED : SCC_DOWN;
	return r->status == 200 ? check_ok(r, e->id, why)
				: scc_explain(s, r, why);
}

static const char *wanted_state(const struct report_event *e)
{
	return e->kind == REPORT_CLOSE ? "INACTIVE" : "ACTIVE";
}

static enum scc_result set_state(struct scc *s, struct report_event *e,
				 struct http_reply *r, struct why *why)
{
	char url[URL_MAX], after[64], body[200];
	const char *state = wanted_state(e);
	int err, n;

	snprintf(after, sizeof(after), "/%s:setState", e->id);
	url_of(s->config, after, url);
	if (s->config->scc.api == 2)
		n = snprintf(body, sizeof(body), "{\"state\":\"%s\"}", state);
	else
		n = snprintf(body, sizeof(body),
			     "{\"state\":\"%s\",\"startTime\":\"%.40s\"}",
			     state, report_json_text(e->finding, "eventTime"));
	err = scc_call(s, "POST", url, body, (size_t)n, r, why);
	if (err)
		return err == -EACCES || err == -EINVAL ? SCC_DENIED : SCC_DOWN;
	return r->status == 200 ? check_ok(r, e->id, why)
				: scc_explain(s, r, why);
}

/* v2 calls the state output only: where a write left another than it holds
 * now, it is set. */
static enum scc_result settle(struct scc *s, struct report_event *e,
			      struct http_reply *r, struct why *why)
{
	json_object *o = report_json_parse(r->body, r->len);
	const char *state = report_json_text(o, "state");
	bool other = state && strcmp(state, wanted_state(e)) != 0;

	json_object_put(o);
	return other ? set_state(s, e, r, why) : SCC_OK;
}

/* A refresh or close of a finding that never arrived (dropped for want of
 * room) creates it: what was seen is not hidden by what was lost. */
enum scc_result scc_deliver(struct scc *s, struct report_event *e,
			    unsigned *ret_after_s, struct why *why)
{
	struct http_reply r = { 0 };
	enum scc_result result;

	if (e->kind == REPORT_OPEN)
		result = post(s, e, &r, why);
	else
		result = e->kind == REPORT_CLOSE ? set_state(s, e, &r, why)
						 : patch(s, e, &r, why);
	if (e->kind != REPORT_OPEN && r.status == 404)
		result = post(s, e, &r, why);
	else if (e->kind == REPORT_OPEN && r.status == 409)
		result = patch(s, e, &r, why);
	if (result == SCC_OK)
		result = settle(s, e, &r, why);
	*ret_after_s = r.retry_after_s;
	return result;
}
