/* report_meta.h - Compute Engine's metadata server. */
#ifndef REPORT_META_H
#define REPORT_META_H

#include <stddef.h>
#include "http.h"

#define REPORT_META_MAX 512 /* of what is asked by report_meta_text() */

/* GET computeMetadata/v1/@path from GCE_METADATA_HOST or 169.254.169.254,
 * never through a proxy; the reply must say that it is the metadata server's.
 * 0 with any status, or -errno with @why. */
int report_meta_get(struct http *, const char *path, struct http_reply *ret,
		    struct why *why);

/* A one-line value of printable ASCII into @ret[REPORT_META_MAX].
 * 0, -ENOENT where there is none, or -errno. */
int report_meta_text(struct http *, const char *path,
		     char ret[static REPORT_META_MAX], struct why *why);

/* "//compute.googleapis.com/projects/P/zones/Z/instances/ID" */
int report_meta_resource(struct http *, char ret[static REPORT_META_MAX],
			 struct why *why);

#endif
