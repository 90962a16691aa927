/* defaultset.h - the hash set to use if none is named. */
#ifndef DEFAULTSET_H
#define DEFAULTSET_H

#include "hashset.h"
#include "installed.h"

/* The set in the file @path; if that is NULL, the update that is in use; else
 * what is built in.  Errors as hashset_open() and installed_find(). */
int defaultset_open(const char *path, struct hashset **ret, struct why *why);

#endif
