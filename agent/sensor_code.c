/* sensor_code.c - whom we told of new code lately: a JIT makes it all day. */
#include <errno.h>
#include <stdlib.h>
#include "sensor_code.h"

#define KNOWN	 1024 /* processes; what there is no room for is told */
#define QUIET_NS (SENSOR_CODE_QUIET_MS * 1000000ULL)

struct known {
	pid_t pid;
	bool again; /* since it was told */
	uint64_t start_ticks, at_ns, cgroup, told_ns;
};

struct sensor_code {
	size_t n;
	struct known known[KNOWN];
};

int sensor_code_new(struct sensor_code **ret)
{
	struct sensor_code *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*ret = c;
	return 0;
}

void sensor_code_free(struct sensor_code *c)
{
	free(c);
}

bool sensor_code_is_news(struct sensor_code *c, const struct event *e)
{
	for (size_t i = 0; i < c->n; i++) {
		struct known *k = &c->known[i];

		if (k->pid != e->pid || k->start_ticks != e->start_ticks)
			continue;
		k->again = true;
		k->at_ns = e->at_ns;
		return false;
	}
	if (c->n < KNOWN)
		c->known[c->n++] =
			(struct known){ e->pid,	  false,     e->start_ticks,
					e->at_ns, e->cgroup, e->at_ns };
	return true;
}

bool sensor_code_is_due(struct sensor_code *c, uint64_t now_ns,
			struct event *ret)
{
	for (size_t i = 0; i < c->n;) {
		struct known *k = &c->known[i];

		if (now_ns < k->told_ns + QUIET_NS) {
			i++;
		} else if (k->again) {
			k->again = false;
			k->told_ns = now_ns;
			*ret = (struct event){ .kind = EVENT_CODE,
					       .pid = k->pid,
					       .start_ticks = k->start_ticks,
					       .at_ns = k->at_ns,
					       .cgroup = k->cgroup };
			return true;
		} else {
			*k = c->known[--c->n]; /* quiet for long */
		}
	}
	return false;
}
