/* hashutil.h - what the hash modules and `hash` share: exact reads, memory. */
#ifndef HASHUTIL_H
#define HASHUTIL_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((noreturn)) static inline void hashutil_out_of_memory(void)
{
	fputs("davylamp: out of memory\n", stderr);
	exit(4);
}

/* @n elements of @size bytes in place of @p, never NULL; for free(3). */
static inline void *hashutil_realloc(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size ? size : 1);
	if (!p)
		hashutil_out_of_memory();
	return p;
}

/* Makes room for one element more than @n in an array of *@cap elements of
 * @size bytes; it never has more than @max.  -E2BIG: it has them. */
static inline int hashutil_room(void **array, size_t *cap, size_t n,
				size_t max, size_t size)
{
	size_t want = *cap ? *cap * 2 : 64;

	if (n >= max)
		return -E2BIG;
	if (n < *cap)
		return 0;
	if (want > max)
		want = max;
	*array = hashutil_realloc(*array, want, size);
	*cap = want;
	return 0;
}

/* Reads exactly @len bytes at @offset.  -ENODATA: the file ends before. */
static inline int hashutil_pread(int fd, void *ret, size_t len,
				 uint64_t offset)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)ret + done, len - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		done += (size_t)n;
	}
	return 0;
}

#endif
