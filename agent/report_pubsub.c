/* report_pubsub.c - projects.topics.publish */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report_format.h"
#include "report_json.h"
#include "report_pubsub.h"

static const char *const kinds[] = { "open", "refresh", "close" };

/* {"messages": [{"data": base64, "attributes": {...}}]} */
static char *body_of(const struct config *c, const struct report_event *e,
		     size_t *ret_len)
{
	json_object *o = c->pubsub.format == FORMAT_SCC
				 ? report_format_notification(c, e)
				 : report_format(c, e, c->pubsub.format);
	size_t len;
	char *line = o ? report_json_line(o, &len) : NULL;
	char *body = NULL;
	int n;

	json_object_put(o);
	if (line)
		body = malloc(4 * (len / 3 + 1) + 256);
	if (body) {
		n = sprintf(body, "{\"messages\":[{\"data\":\"");
		n += EVP_EncodeBlock((unsigned char *)body + n,
				     (unsigned char *)line, (int)len);
		n += sprintf(body + n,
			     "\",\"attributes\":{\"findingId\":\"%s\","
			     "\"event\":\"%s\"}}]}",
			     e->id, kinds[e->kind]);
		*ret_len = (size_t)n;
	}
	free(line);
	return body;
}

static enum scc_result explain(struct scc *s, const struct http_reply *r,
			       struct why *why)
{
	const char *topic = s->config->pubsub.topic;
	const char *name = strrchr(topic, '/') + 1;
	struct why cause = { "" };
	enum scc_result result = scc_explain(s, r, &cause);

	if (r->status == 404)
		why_set(why, 0,
			"[pubsub] topic %s: there is none: gcloud pubsub "
			"topics create %s --project=%.*s",
			topic, name, (int)strcspn(topic + 9, "/"), topic + 9);
	else if (r->status == 403 && !strstr(cause.text, "scopes") &&
		 !strstr(cause.text, "enabled"))
		why_set(why, 0,
			"[pubsub] topic: %s may not publish: gcloud pubsub "
			"topics add-iam-policy-binding %s "
			"--member=serviceAccount:%s "
			"--role=roles/pubsub.publisher",
			report_auth_email(s->auth), topic,
			report_auth_email(s->auth));
	else
		why_set(why, 0, "[pubsub] topic: %.490s", cause.text);
	return result;
}

enum scc_result report_pubsub(struct scc *s, const struct report_event *e,
			      unsigned *ret_after_s, struct why *why)
{
	struct http_reply r = { 0 };
	char url[2 * CONFIG_TEXT + 32], *body;
	size_t len;
	json_object *o;
	bool taken;
	int err = -ENOMEM;

	*ret_after_s = 0;
	snprintf(url, sizeof(url), "%s/v1/%s:publish",
		 s->config->pubsub.endpoint, s->config->pubsub.topic);
	body = body_of(s->config, e, &len);
	if (body)
		err = scc_call(s, "POST", url, body, len, &r, why);
	free(body);
	if (err)
		return err == -EACCES || err == -EINVAL ? SCC_DENIED : SCC_DOWN;
	*ret_after_s = r.retry_after_s;
	if (r.status != 200)
		return explain(s, &r, why);
	o = report_json_parse(r.body, r.len);
	taken = report_json_get(o, "messageIds", json_type_array) != NULL;
	json_object_put(o);
	if (taken)
		return SCC_OK;
	why_set(why, 0,
		"[pubsub] status 200 without messageIds: a proxy or captive "
		"portal stands in between");
	return SCC_DOWN;
}
