/* sensor_load.h - BPF objects that are built into the program. */
#ifndef SENSOR_LOAD_H
#define SENSOR_LOAD_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include "why.h"

/* Are the pids that the kernel's events name those that /proc shows us?  In
 * the initial pid namespace only.  0 or -errno with @why. */
int sensor_initial_pids(struct why *why);

/* That, and BTF, which programs that fit any kernel need. */
int sensor_load_possible(struct why *why);

/* Opens an object; the caller sets sizes and owes bpf_object__close(). */
int sensor_load_open(const void *bytes, size_t len, struct bpf_object **ret,
		     struct why *why);

/* bpf_object__load().  Where one program is refused, *ret_refused is its name
 * (at most 63 characters), else "". */
int sensor_load(struct bpf_object *, char ret_refused[static 64],
		struct why *why);

/* bpf_program__attach(), or to @cgroup if that is a descriptor.  NULL with
 * @why. */
struct bpf_link *sensor_attach(struct bpf_program *, int cgroup,
			       struct why *why);

#endif
