/* sensor_programs.h - loading and attaching what bpf/sensor.bpf.c has. */
#ifndef SENSOR_PROGRAMS_H
#define SENSOR_PROGRAMS_H

#include <bpf/libbpf.h>
#include "sensor.h"

#define SENSOR_BPF_PROGRAMS 9

struct sensor_programs {
	struct bpf_object *object;
	struct bpf_link *links[SENSOR_BPF_PROGRAMS];
	int measuring; /* descriptor, or -1 */
};

/* Loads what the kernel takes; state->programs says which it does not, and
 * why.  -errno with @why: not even what is needed.  The caller owes
 * sensor_programs_close() in any case. */
int sensor_programs_load(struct sensor_programs *,
			 const struct sensor_options *, struct sensor_state *,
			 struct why *why);

/* Attaches them; likewise. */
int sensor_programs_attach(struct sensor_programs *, struct sensor_state *,
			   struct why *why);

void sensor_programs_close(struct sensor_programs *);

/* How often one that is needed was left out since it ran on that CPU already.*/
uint64_t sensor_programs_misses(const struct sensor_programs *);

/* Fills runs and run_ns of state->programs. */
void sensor_programs_cost(const struct sensor_programs *,
			  struct sensor_state *);

#endif
