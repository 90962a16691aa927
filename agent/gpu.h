/* gpu.h - does a process compute on a graphics card? */
#ifndef GPU_H
#define GPU_H

#include "maps.h"

/* Does @proc, whose @maps those are, have a device mapped that is for
 * computing? By what it is, whatever its name; of a saved process, by its name.
 */
bool gpu_computes(const struct proc *, const struct maps *);

#endif
