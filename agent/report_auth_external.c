/* report_auth_external.c - workload identity federation: a token of another
 * issuer, from a file or a URL, becomes one of Google's (RFC 8693), and that
 * one becomes a service account's where the file says so.  Programs that the
 * file would have run are not run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report_auth_own.h"
#include "report_json.h"
#include "text.h"

#define SUBJECT_MAX 16384

/* What the credential source holds is the token itself, or JSON with it. */
static int subject_of(json_object *source, const char *text, size_t len,
		      char *ret)
{
	json_object *format =
		report_json_get(source, "format", json_type_object);
	const char *type = report_json_text(format, "type");
	const char *field =
		report_json_text(format, "subject_token_field_name");
	json_object *o = NULL;
	int err = -EPROTO;

	if (type && !strcmp(type, "json")) {
		o = report_json_parse(text, len);
		text = field ? report_json_text(o, field) : NULL;
		len = text ? strlen(text) : 0;
	}
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	if (len && len < SUBJECT_MAX) {
		memcpy(ret, text, len);
		ret[len] = 0;
		err = report_json_plain(ret, SUBJECT_MAX) ? 0 : -EPROTO;
	}
	json_object_put(o);
	return err;
}

static int subject_from_url(struct http *h, json_object *source,
			    const char *url, char *ret, struct why *why)
{
	struct http_request r = { .method = "GET", .url = url };
	json_object *more =
		report_json_get(source, "headers", json_type_object);
	struct http_reply reply;
	char lines[3][320];
	size_t n = 0;
	int err;

	if (!report_auth_url(url))
		return why_set(why, -EINVAL,
			       "credential_source: url must be https");
	if (more) {
		json_object_object_foreach(more, key, value)
		{
			const char *v = json_object_get_string(value);

			if (n == 3 || !report_json_plain(key, 100) ||
			    !report_json_plain(v, 200))
				return why_set(why, -EINVAL,
					       "credential_source: headers: "
					       "three plain ones at most");
			snprintf(lines[n], sizeof(lines[n]), "%s: %s", key, v);
			r.headers[n] = lines[n];
			n++;
		}
	}
	err = http_do(h, &r, &reply, why);
	if (err)
		return err;
	if (reply.status != 200)
		return why_set(why, -EACCES, "credential_source: status %ld",
			       reply.status);
	err = subject_of(source, reply.body, reply.len, ret);
	return err ? why_set(why, err, "credential_source: no token there") : 0;
}

static int subject(struct http *h, json_object *file, char *ret,
		   struct why *why)
{
	json_object *source =
		report_json_get(file, "credential_source", json_type_object);
	const char *path = report_json_text(source, "file");
	const char *url = report_json_text(source, "url");
	char *text, shown[160];
	size_t len;
	int err;

	if (url)
		return subject_from_url(h, source, url, ret, why);
	if (!path)
		return why_set(why, -ENOTSUP,
			       "credential_source: only file and url are "
			       "read; programs and AWS are not: gcloud iam "
			       "workload-identity-pools create-cred-config");
	text = report_auth_file(path, &len, why);
	if (!text)
		return -EACCES;
	err = subject_of(source, text, len, ret);
	explicit_bzero(text, len);
	free(text);
	return err ? why_set(why, err, "%s: no token there",
			     text_escape_str(path, shown, sizeof(shown)))
		   : 0;
}

static void add_field(char **to, const char *key, const char *value)
{
	*to += sprintf(*to, "%s=", key);
	for (; *value; value++)
		*to += sprintf(*to, "%%%02X", (unsigned char)*value);
	*to += sprintf(*to, "&");
}

/* The federated token is traded for the service account's. */
static int impersonate(struct http *h, const char *url,
		       struct report_auth_got *got, struct why *why)
{
	static const char body[] = "{\"scope\":[\"" REPORT_AUTH_SCOPE
				   "\"],\"lifetime\":\"3600s\"}";
	struct http_request r = { .method = "POST",
				  .url = url,
				  .headers = { "Content-Type: "
					       "application/json" },
				  .token = got->token,
				  .body = body,
				  .len = sizeof(body) - 1 };
	struct http_reply reply;
	json_object *o;
	const char *token;
	int err;

	if (!report_auth_url(url))
		return why_set(why, -EINVAL,
			       "service_account_impersonation_url: https only");
	err = http_do(h, &r, &reply, why);
	if (err)
		return err;
	o = report_json_parse(reply.body, reply.len);
	token = report_json_text(o, "accessToken");
	if (reply.status != 200 || !token ||
	    !report_json_plain(token, REPORT_AUTH_TOKEN))
		err = why_set(why, reply.status >= 500 ? -EAGAIN : -EACCES,
			      "impersonation: status %ld: gcloud iam "
			      "service-accounts add-iam-policy-binding EMAIL "
			      "--role=roles/iam.workloadIdentityUser "
			      "--member=principalSet://...",
			      reply.status);
	else
		*got = (struct report_auth_got){ .seconds = 3600 };
	if (!err)
		snprintf(got->token, sizeof(got->token), "%s", token);
	json_object_put(o);
	return err;
}

int report_auth_external(struct http *h, json_object *file,
			 struct report_auth_got *ret, struct why *why)
{
	const char *url = report_json_text(file, "token_url");
	const char *audience = report_json_text(file, "audience");
	const char *type = report_json_text(file, "subject_token_type");
	const char *as =
		report_json_text(file, "service_account_impersonation_url");
	char *token = malloc(SUBJECT_MAX), *form = NULL, *to;
	int err = token ? 0 : -ENOMEM;

	if (!url)
		url = "https://sts.googleapis.com/v1/token";
	if (!audience || !report_json_plain(audience, 512) || !type ||
	    !report_json_plain(type, 128) || !report_auth_url(url))
		err = why_set(why, -EINVAL,
			      "external account: audience, "
			      "subject_token_type or token_url is missing or "
			      "wrong: gcloud iam workload-identity-pools "
			      "create-cred-config");
	if (token && !err)
		err = subject(h, file, token, why);
	if (!err && !(form = malloc(3 * SUBJECT_MAX + 4096)))
		err = -ENOMEM;
	if (err)
		goto out;
	to = form;
	add_field(&to, "grant_type",
		  "urn:ietf:params:oauth:grant-type:token-exchange");
	add_field(&to, "requested_token_type",
		  "urn:ietf:params:oauth:token-type:access_token");
	add_field(&to, "audience", audience);
	add_field(&to, "scope", REPORT_AUTH_SCOPE);
	add_field(&to, "subject_token_type", type);
	add_field(&to, "subject_token", token);
	to[-1] = 0;
	err = report_auth_post(h, url, form, "token exchange", ret, why);
	if (!err && as)
		err = impersonate(h, as, ret, why);
out:
	free(form);
	free(token);
	return err;
}
