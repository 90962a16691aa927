/* report_meta.c - by address, not by name: DNS may be dead or hostile. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report_json.h"
#include "report_meta.h"

#define DEADLINE_S 3

int report_meta_get(struct http *h, const char *path, struct http_reply *ret,
		    struct why *why)
{
	const char *host = getenv("GCE_METADATA_HOST");
	struct http_request r = { .method = "GET",
				  .headers = { "Metadata-Flavor: Google" },
				  .direct = true,
				  .deadline_s = DEADLINE_S };
	struct why cause = { "" };
	char url[400];
	int err;

	if (!host || !*host)
		host = "169.254.169.254";
	if (!report_json_plain(host, 128) || strpbrk(host, "/?#@"))
		return why_set(why, -EINVAL,
			       "GCE_METADATA_HOST: must be HOST or HOST:PORT");
	snprintf(url, sizeof(url), "http://%s/computeMetadata/v1/%s", host,
		 path);
	r.url = url;
	err = http_do(h, &r, ret, &cause);
	if (err)
		return why_set(why, err,
			       "no metadata server (%.300s): outside Compute "
			       "Engine set [scc] credentials and resource",
			       cause.text);
	if (!ret->from_metadata)
		return why_set(why, -EPROTO,
			       "%s answers, but not as Google's metadata "
			       "server (no Metadata-Flavor): something stands "
			       "in between",
			       host);
	return 0;
}

int report_meta_text(struct http *h, const char *path,
		     char ret[static REPORT_META_MAX], struct why *why)
{
	char none[] = "";
	struct http_reply reply = { .body = none };
	size_t n;
	int err;

	err = report_meta_get(h, path, &reply, why);
	if (err)
		return err;
	n = strcspn(reply.body, "\r\n");
	reply.body[n] = 0;
	if (reply.status != 200)
		return why_set(why, reply.status == 404 ? -ENOENT : -EIO,
			       "metadata server: %s: status %ld", path,
			       reply.status);
	/* People paste it into a shell, as part of what mends a fault. */
	if (!report_json_plain(reply.body, REPORT_META_MAX) ||
	    strpbrk(reply.body, "'\"`$;&|<>(){}[]\\*?!#~^"))
		return why_set(why, -EPROTO,
			       "metadata server: %s: not one plain word", path);
	memcpy(ret, reply.body, n + 1);
	return 0;
}

int report_meta_resource(struct http *h, char ret[static REPORT_META_MAX],
			 struct why *why)
{
	char project[REPORT_META_MAX], zone[REPORT_META_MAX];
	char id[REPORT_META_MAX];
	const char *z;
	int err, n;

	err = report_meta_text(h, "project/project-id", project, why);
	if (!err)
		err = report_meta_text(h, "instance/zone", zone, why);
	if (!err)
		err = report_meta_text(h, "instance/id", id, why);
	if (err)
		return err;
	z = strrchr(zone, '/'); /* projects/NUMBER/zones/ZONE */
	z = z ? z + 1 : zone;
	if (strchr(project, '/') || strchr(id, '/'))
		return why_set(why, -EPROTO, "metadata server: a name with /");
	n = snprintf(ret, REPORT_META_MAX,
		     "//compute.googleapis.com/projects/%s/zones/%s/"
		     "instances/%s",
		     project, z, id);
	return n < REPORT_META_MAX ? 0 : -ENAMETOOLONG;
}
