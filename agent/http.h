/* http.h - one HTTP client over libcurl, for hostile servers: connections
 * are kept, every request has a deadline, replies are bounded, redirects are
 * not followed, nothing is decompressed. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include "why.h"

#define HTTP_BODY_MAX	(1u << 20)
#define HTTP_DEADLINE_S 20

struct http;

struct http_request {
	const char *method; /* GET, POST, PATCH */
	const char *url;
	const char *headers[4]; /* "Name: value", as many as there are */
	const char *token;	/* bearer, or NULL */
	const char *body;	/* or NULL */
	size_t len;
	bool direct;	     /* never through a proxy */
	unsigned deadline_s; /* 0: HTTP_DEADLINE_S */
};

/* Of the last http_do(); valid until the next. */
struct http_reply {
	long status;
	char *body; /* NUL-terminated */
	size_t len;
	unsigned retry_after_s; /* 0: not said */
	bool from_metadata;	/* Metadata-Flavor: Google */
};

int http_open(struct http **ret, struct why *why);
void http_close(struct http *);

/* Makes the request.  0 with any status of a whole reply, else -errno with
 * @why: no name, no connection, TLS, too slow, too large, cut off. */
int http_do(struct http *, const struct http_request *, struct http_reply *ret,
	    struct why *why);

#endif
