/* hashqueue.h - files that several threads read, for hashtree and `hash
 * build`. */
#ifndef HASHQUEUE_H
#define HASHQUEUE_H

#include <stddef.h>

#define HASHQUEUE_THREADS 64

struct hashqueue;

/* @work is called in some thread for each file that is put: it owns @fd, not
 * @what.  As many threads as there are CPUs. */
struct hashqueue *hashqueue_new(void (*work)(void *user, int fd, size_t number,
					     const char *what),
				void *user);

/* Waits while enough files wait.  @what is copied. */
void hashqueue_put(struct hashqueue *, int fd, size_t number,
		   const char *what);

/* Waits for all of them; the queue is no more. */
void hashqueue_end(struct hashqueue *);

#endif
