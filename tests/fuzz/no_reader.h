/* no_reader.h - for fuzzers with exefile.c: its reader, which they do not ask. */
#ifndef NO_READER_H
#define NO_READER_H

#include <errno.h>
#include "reader.h"

int reader_new(int file, struct reader **ret)
{
	(void)file;
	(void)ret;
	return -EBUSY;
}

void reader_free(struct reader *r)
{
	(void)r;
}

int reader_open(struct reader *r)
{
	(void)r;
	return -EBADF;
}

ssize_t reader_read(struct reader *r, void *buf, size_t len, off_t at)
{
	(void)r;
	(void)buf;
	(void)len;
	(void)at;
	return -EBADF;
}

#endif
