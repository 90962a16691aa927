/* scc.h - Security Command Center's API, v2 or v1. */
#ifndef SCC_H
#define SCC_H

#include "config.h"
#include "http.h"
#include "report_auth.h"
#include "report_event.h"

enum scc_result {
	SCC_OK,
	SCC_DOWN,    /* not now: network, 5xx, no token, 408 */
	SCC_BUSY,    /* over the quota */
	SCC_DENIED,  /* a person must mend something; @why says what */
	SCC_REFUSED, /* this event can never be taken */
};

struct scc {
	const struct config *config;
	struct http *http;
	struct report_auth *auth;
	unsigned requests; /* made so far: what the quota counts */
};

/* Makes the service know @event: creates its finding, or patches the one
 * that is there, or sets its state.  @ret_after_s is the server's
 * Retry-After or 0.  @why is set unless SCC_OK. */
enum scc_result scc_deliver(struct scc *, struct report_event *event,
			    unsigned *ret_after_s, struct why *why);

/* Finds or creates the source "davylamp" of @organization (digits).
 * @ret: organizations/O/sources/S.  0 or -errno with @why. */
int scc_setup(struct scc *, const char *organization,
	      char ret[static CONFIG_TEXT], struct why *why);

/* What the reply to a failed request means, for the machine and for the
 * person. */
enum scc_result scc_explain(struct scc *, const struct http_reply *,
			    struct why *why);

/* One request with a token, and once more with a fresh one where that is
 * refused.  0 with any status, or -errno with @why. */
int scc_call(struct scc *, const char *method, const char *url,
	     const char *body, size_t len, struct http_reply *ret,
	     struct why *why);

/* "https://HOST" of the API. */
const char *scc_endpoint(const struct config *);

#endif
