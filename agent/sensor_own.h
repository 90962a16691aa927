/* sensor_own.h - between sensor.c and its three ways. */
#ifndef SENSOR_OWN_H
#define SENSOR_OWN_H

#include "sensor.h"

#define SENSOR_MS 1000000ULL /* in ns */

/* What a way has to do with the rest. */
struct sensor_way {
	const struct sensor_options *o;
	struct sensor_state *state;
	int procfs;
	uint64_t tick_ns; /* of start_ticks */
	/* Hands one over and counts it; inside read only. */
	void (*tell)(void *user, const struct event *);
	void *user;
};

/* open: starts to listen.  read: every period_ms; -errno ends this way.
 * state: fills in what it counts, or NULL. */
struct sensor_kind {
	unsigned period_ms;
	int (*open)(struct sensor_way *, void **ret, struct why *why);
	int (*read)(void *, struct sensor_way *);
	void (*count)(void *, struct sensor_way *);
	void (*close)(void *);
};

extern const struct sensor_kind sensor_bpf, sensor_netlink, sensor_poll;

#endif
