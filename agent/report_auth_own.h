/* report_auth_own.h - shared by the files of report_auth only.
 *
 *	report_auth.c		the cache, the metadata server, OAuth replies
 *	report_auth_key.c	a service account's key file
 *	report_auth_external.c	workload identity federation */
#ifndef REPORT_AUTH_OWN_H
#define REPORT_AUTH_OWN_H

#include <json-c/json.h>
#include "report_auth.h"

struct report_auth_got {
	char token[REPORT_AUTH_TOKEN];
	int64_t seconds;
};

/* Takes {key: token, expires_in} out of an OAuth reply. */
int report_auth_reply(const struct http_reply *, const char *what,
		      struct report_auth_got *ret, struct why *why);

/* Sends @form and takes the token of the reply. */
int report_auth_post(struct http *, const char *url, const char *form,
		     const char *what, struct report_auth_got *ret,
		     struct why *why);

/* RFC 7523: a JWT signed with the key in @file (parsed JSON). */
int report_auth_key(struct http *, json_object *file,
		    struct report_auth_got *ret, struct why *why);

/* RFC 8693: the subject token that @file names, exchanged. */
int report_auth_external(struct http *, json_object *file,
			 struct report_auth_got *ret, struct why *why);

/* https anywhere, http on loopback. */
bool report_auth_url(const char *url);

/* Reads a small file that is safe as config_open_safe() says; the caller
 * frees it. */
char *report_auth_file(const char *path, size_t *ret_len, struct why *why);

#endif
