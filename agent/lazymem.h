/* lazymem.h - zeros that take memory where they are written.
 *
 * For tables that are larger than what is used of them. */
#ifndef LAZYMEM_H
#define LAZYMEM_H

#include <stddef.h>

/* @len bytes; NULL: there is no room. */
void *lazymem_new(size_t len);

/* @p may be NULL. */
void lazymem_free(void *p, size_t len);

/* Makes the first @len bytes zeros again and keeps the memory, so that what
 * was enough for one pass is there for the next.  Time, but no memory, for
 * what was never written. */
void lazymem_clear(void *p, size_t len);

/* Takes the memory of the first @len bytes now, where the kernel can (Linux
 * 5.14): a service's memory shall not grow.  As good without. */
void lazymem_take(void *p, size_t len);

#endif
