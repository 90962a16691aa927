/* hashsave.h - a file that is there wholly or not at all. */
#ifndef HASHSAVE_H
#define HASHSAVE_H

#include <stddef.h>
#include "why.h"

/* Replaces file @path by @bytes, mode 0644: a temporary file beside it,
 * fsync, rename, fsync of the directory.  A reader sees the old file or the
 * new one; on failure the old one stays.  -EINVAL: @path is there and is no
 * regular file. */
int hashsave_file(const char *path, const void *bytes, size_t len,
		  struct why *why);

#endif
