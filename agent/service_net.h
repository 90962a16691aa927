/* service_net.h - whom processes called lately, and under which name: what a
 * finding tells of connections that are closed by then. */
#ifndef SERVICE_NET_H
#define SERVICE_NET_H

#include "flow.h"
#include "sensor.h"

struct service_net;

/* 0 or -ENOMEM. */
int service_net_new(struct service_net **ret);
void service_net_free(struct service_net *);

/* An EVENT_CONNECT.  Does that address go by the name of a mining pool? */
bool service_net_call(struct service_net *, const struct event *);

/* An EVENT_NAME. */
void service_net_name(struct service_net *, const struct event *);

/* Adds what is known of @proc to what it has open now, and the names. */
void service_net_add(const struct service_net *, const struct proc *,
		     struct peers *);

/* May @name be a mining pool's?  It makes a look due, it proves nothing. */
bool service_net_is_pool(const char *name);

#endif
