/* maps.h - the mappings of a process, the suspicious ones first. */
#ifndef MAPS_H
#define MAPS_H

#include "flow.h"

#define MAPS_MAX   262144	/* regions kept; more make a scan partial */
#define MAPS_NAMES (1U << 20)	/* bytes of names kept; more read as "" */

struct maps;

/* Reads /proc/PID/maps, or what was saved of it.  -ESRCH: gone (or without
 * memory: a zombie); -EACCES/-EPERM: not ours to read; -ETIMEDOUT at
 * @deadline_ns (io_now_ns(); 0: no limit), for the process decides how long its
 * names are, and there may be gigabytes.  The caller frees *ret. */
int maps_read(const struct proc *, uint64_t deadline_ns, struct maps **ret);

void maps_free(struct maps *);

/* By address, as long as the maps live. */
const struct region *maps_regions(const struct maps *, size_t *ret_n);

/* Region number @i in the order of suspicion: executable anonymous, deleted
 * or memfd memory, then other executable, then the rest.  NULL: no more. */
const struct region *maps_by_suspicion(const struct maps *, size_t i);

/* The region that holds @address, or NULL. */
const struct region *maps_find(const struct maps *, uint64_t address);

/* The name in the last column, unescaped and hostile; "" if anonymous. */
const char *maps_name(const struct maps *, const struct region *);

/* "r-xp", as maps shows it. */
void maps_permissions(const struct region *, char ret[static 5]);

/* Mappings beyond MAPS_MAX, which are not in here. */
size_t maps_left_out(const struct maps *);

/* One line of proc_pid_maps(5), without its newline: @ret but for the name,
 * which is at *ret_name and runs to the line's end.  -EBADMSG if it is not
 * of that form. */
int maps_parse_line(const char *line, size_t len, struct region *ret,
		    const char **ret_name);

/* The rules a region with these REGION_ flags is shown to. */
uint8_t maps_where(uint8_t flags);

#endif
