/* report_auth.h - access tokens: of the VM's service account (metadata
 * server), of a key file (RS256 by OpenSSL), or of an external account
 * (workload identity federation). */
#ifndef REPORT_AUTH_H
#define REPORT_AUTH_H

#include "config.h"
#include "http.h"

#define REPORT_AUTH_SCOPE "https://www.googleapis.com/auth/cloud-platform"
#define REPORT_AUTH_TOKEN 8192

struct report_auth;

/* Reads the credentials file of @config, if any, and checks who may read it.
 * 0 or -errno with @why. */
int report_auth_open(const struct config *config, struct http *,
		     struct report_auth **ret, struct why *why);
void report_auth_close(struct report_auth *);

/* A token that is good for 3 minutes at least, from the cache or anew.
 * @ret: until the next call.  -errno with @why, which names the fix. */
int report_auth_token(struct report_auth *, const char **ret, struct why *why);

/* The last token was refused: the next is a new one. */
void report_auth_forget(struct report_auth *);

/* E-mail of the account for messages, or "SERVICE_ACCOUNT". */
const char *report_auth_email(struct report_auth *);

#endif
