/* report_pubsub.h - one message per event to a Pub/Sub topic. */
#ifndef REPORT_PUBSUB_H
#define REPORT_PUBSUB_H

#include "scc.h"

/* Publishes in the shape of SCC's own notifications, or in [pubsub] format;
 * results as of scc_deliver(). */
enum scc_result report_pubsub(struct scc *, const struct report_event *,
			      unsigned *ret_after_s, struct why *);

#endif
