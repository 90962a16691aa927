/* self.h - where our other programs are. */
#ifndef SELF_H
#define SELF_H

#include <stddef.h>
#include "why.h"

/* Path of program @name: beside this program (so that build/ and a directory
 * carried to a suspect machine work as they are), else where `make install`
 * puts it.  -ENOENT: in neither place, and @why names both. */
int self_program(const char *name, char *ret, size_t cap, struct why *why);

#endif
