/* io.h - small files of /proc and exact reads. */
#ifndef IO_H
#define IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads file @name below @dir to its end into @ret, at most @cap - 1 bytes,
 * and ends it with NUL.  Returns the length or -errno. */
ssize_t io_read_at(int dir, const char *name, char *ret, size_t cap);

/* readlink(2) below @dir, NUL-terminated.  Length or -errno. */
ssize_t io_link_at(int dir, const char *name, char *ret, size_t cap);

/* Nanoseconds of CLOCK_BOOTTIME. */
uint64_t io_now_ns(void);

#endif
