/* scc_setup.c - the source that findings belong to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report_json.h"
#include "scc.h"

#define NAME  "davylamp"
#define ABOUT "Cryptocurrency miners that davylamp found in the memory of VMs"

/* "organizations/O/sources/S" of a Source, if it is ours. */
static bool take(json_object *source, const char *organization,
		 char ret[static CONFIG_TEXT])
{
	const char *display = report_json_text(source, "displayName");
	const char *name = report_json_text(source, "name");
	char start[128];

	snprintf(start, sizeof(start), "organizations/%.64s/sources/",
		 organization);
	if (!display || strcmp(display, NAME) || !name ||
	    !report_json_plain(name, CONFIG_TEXT) ||
	    strncmp(name, start, strlen(start)) ||
	    strchr(name + strlen(start), '/'))
		return false;
	snprintf(ret, CONFIG_TEXT, "%s", name);
	return true;
}

/* 0: found; -ENOENT: all pages seen. */
static int find(struct scc *s, const char *organization,
		char ret[static CONFIG_TEXT], struct why *why)
{
	char url[CONFIG_TEXT * 2], token[512] = "";
	const char *next;
	struct http_reply r;
	json_object *o, *list;
	bool found = false;
	int err;

	for (int page = 0; page < 100 && !found; page++) {
		snprintf(url, sizeof(url),
			 "%s/v%d/organizations/%s/sources?pageSize=1000%s%s",
			 scc_endpoint(s->config), (int)s->config->scc.api,
			 organization, token[0] ? "&pageToken=" : "", token);
		err = scc_call(s, "GET", url, NULL, 0, &r, why);
		if (err)
			return err;
		if (r.status != 200) {
			scc_explain(s, &r, why);
			return -EACCES;
		}
		o = report_json_parse(r.body, r.len);
		list = report_json_get(o, "sources", json_type_array);
		for (size_t i = 0;
		     list && !found && i < json_object_array_length(list); i++)
			found = take(json_object_array_get_idx(list, i),
				     organization, ret);
		next = report_json_text(o, "nextPageToken");
		token[0] = 0;
		/* Unreserved characters only: it goes into a URL. */
		if (next && report_json_plain(next, sizeof(token)) &&
		    !strpbrk(next, "&#%+?"))
			snprintf(token, sizeof(token), "%s", next);
		json_object_put(o);
		if (!token[0])
			break;
	}
	return found ? 0 : -ENOENT;
}

static int create(struct scc *s, const char *organization,
		  char ret[static CONFIG_TEXT], struct why *why)
{
	static const char body[] =
		"{\"displayName\":\"" NAME "\",\"description\":\"" ABOUT "\"}";
	char url[CONFIG_TEXT * 2];
	struct http_reply r;
	json_object *o;
	int err;

	snprintf(url, sizeof(url), "%s/v%d/organizations/%s/sources",
		 scc_endpoint(s->config), (int)s->config->scc.api,
		 organization);
	err = scc_call(s, "POST", url, body, sizeof(body) - 1, &r, why);
	if (err)
		return err;
	if (r.status != 200) {
		scc_explain(s, &r, why);
		return -EACCES;
	}
	o = report_json_parse(r.body, r.len);
	if (!take(o, organization, ret))
		err = why_set(why, -EPROTO,
			      "the answer is no source: a proxy or captive "
			      "portal stands in between");
	json_object_put(o);
	return err;
}

int scc_setup(struct scc *s, const char *organization,
	      char ret[static CONFIG_TEXT], struct why *why)
{
	int err;

	if (!*organization || strlen(organization) > 20 ||
	    strspn(organization, "0123456789") != strlen(organization))
		return why_set(why, -EINVAL,
			       "the organization is a number: gcloud "
			       "organizations list");
	err = find(s, organization, ret, why);
	return err == -ENOENT ? create(s, organization, ret, why) : err;
}
