/* cgroup.h - the path of a control group that is known by its number.
 *
 * A program's group when it began tells its container even if it was moved to
 * another group since. */
#ifndef CGROUP_H
#define CGROUP_H

#include <stddef.h>
#include <stdint.h>

/* Opens the mount of cgroup2, wherever it is.  A descriptor, or -errno. */
int cgroup_open(void);

/* The path of group @id (as bpf_get_current_cgroup_id() and name_to_handle_at(2)
 * have it) below the mount @fd, as proc_pid_cgroup(5) shows it: "/a/b".  Needs
 * CAP_DAC_READ_SEARCH.  0, -ESTALE: it is gone; or -errno. */
int cgroup_path(int fd, uint64_t id, char *ret, size_t cap);

#endif
