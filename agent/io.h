/* io.h - small files and directories of /proc, and the time. */
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

/* Names in directory @dir, from the raw system call: a library that edits
 * readdir(3) on this host has no say.  Until @take answers with what is not 0;
 * returns that, or -errno. */
int io_each(int dir, int (*take)(void *user, const char *name), void *user);

/* Nanoseconds of CLOCK_BOOTTIME. */
uint64_t io_now_ns(void);

#endif
