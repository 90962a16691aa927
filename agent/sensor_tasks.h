/* sensor_tasks.h - the kernel's own list of tasks, by a BPF iterator. */
#ifndef SENSOR_TASKS_H
#define SENSOR_TASKS_H

#include "flow.h"
#include "why.h"

struct sensor_tasks;

int sensor_tasks_open(struct sensor_tasks **ret, struct why *why);
void sensor_tasks_close(struct sensor_tasks *);

/* Every process, in the order of their ids; valid until the next call. */
int sensor_tasks_list(struct sensor_tasks *, const struct seen **ret,
		     size_t *ret_n);

#endif
