/* hashqueue.c - files that several threads read. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hashqueue.h"
#include "hashutil.h"

#define WAITING 128 /* files open at once */

struct item {
	int fd;
	size_t number;
	char *what;
};

struct hashqueue {
	void (*work)(void *user, int fd, size_t number, const char *what);
	void *user;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct item items[WAITING]; /* a ring */
	size_t first, n;
	bool ended;
	pthread_t threads[HASHQUEUE_THREADS];
	size_t n_threads;
};

static bool take(struct hashqueue *q, struct item *ret)
{
	bool is;

	pthread_mutex_lock(&q->lock);
	while (!q->n && !q->ended)
		pthread_cond_wait(&q->changed, &q->lock);
	is = q->n;
	if (is) {
		*ret = q->items[q->first];
		q->first = (q->first + 1) % WAITING;
		q->n--;
		pthread_cond_broadcast(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
	return is;
}

static void do_item(struct hashqueue *q, struct item *i)
{
	q->work(q->user, i->fd, i->number, i->what);
	free(i->what);
}

static void *thread(void *user)
{
	struct hashqueue *q = user;
	struct item i;

	while (take(q, &i))
		do_item(q, &i);
	return NULL;
}

struct hashqueue *hashqueue_new(void (*work)(void *user, int fd, size_t number,
					     const char *what),
				void *user)
{
	struct hashqueue *q = hashutil_realloc(NULL, 1, sizeof(*q));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	*q = (struct hashqueue){ .work = work, .user = user };
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->changed, NULL);
	while (q->n_threads < HASHQUEUE_THREADS &&
	       (long)q->n_threads < cpus &&
	       !pthread_create(&q->threads[q->n_threads], NULL, thread, q))
		q->n_threads++;
	return q;
}

void hashqueue_put(struct hashqueue *q, int fd, size_t number,
		   const char *what)
{
	struct item i = { fd, number, strdup(what) };

	if (!i.what)
		hashutil_out_of_memory();
	if (!q->n_threads) { /* none could be started */
		do_item(q, &i);
		return;
	}
	pthread_mutex_lock(&q->lock);
	while (q->n == WAITING)
		pthread_cond_wait(&q->changed, &q->lock);
	q->items[(q->first + q->n++) % WAITING] = i;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

void hashqueue_end(struct hashqueue *q)
{
	pthread_mutex_lock(&q->lock);
	q->ended = true;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
	for (size_t i = 0; i < q->n_threads; i++)
		pthread_join(q->threads[i], NULL);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->changed);
	free(q);
}
