/* sensor_code.h - whom we told of new code lately: a JIT makes it all day. */
#ifndef SENSOR_CODE_H
#define SENSOR_CODE_H

#include "sensor.h"

struct sensor_code;

int sensor_code_new(struct sensor_code **ret);
void sensor_code_free(struct sensor_code *);

/* Should @e be told?  If not, because its process was told of within
 * SENSOR_CODE_QUIET_MS, it is kept and becomes due at the end of that. */
bool sensor_code_is_news(struct sensor_code *, const struct event *e);

/* One that is due at @now_ns into *ret. */
bool sensor_code_is_due(struct sensor_code *, uint64_t now_ns,
			struct event *ret);

#endif
