/* queue.c - the processes that the service knows, and which is next.
 *
 * An array sorted by pid, and a binary heap for each lane. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "queue.h"

struct heap {
	struct target **at; /* from 1 */
	uint32_t n;
};

struct queue {
	struct target **all; /* by pid */
	size_t n, room;
	struct heap lanes[LANES]; /* of the same room */
};

int queue_new(struct queue **ret)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	*ret = q;
	return 0;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->n; i++)
		free(q->all[i]);
	free(q->all);
	for (int i = 0; i < LANES; i++)
		free(q->lanes[i].at);
	free(q);
}

/* ---- all of them ----------------------------------------------------- */

/* Where @pid is, or would be. */
static size_t search(const struct queue *q, pid_t pid)
{
	size_t from = 0, to = q->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (q->all[mid]->pid < pid)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct target *queue_find(const struct queue *q, pid_t pid)
{
	size_t i = search(q, pid);

	return i < q->n && q->all[i]->pid == pid ? q->all[i] : NULL;
}

static int make_room(struct queue *q)
{
	size_t room = q->room ? q->room * 2 : 256;
	struct target **p;

	if (q->n < q->room)
		return 0;
	if (room > QUEUE_MAX)
		return -ENOSPC;
	p = realloc(q->all, room * sizeof(*p));
	if (!p)
		return -ENOMEM;
	q->all = p;
	for (int i = 0; i < LANES; i++) {
		p = realloc(q->lanes[i].at, (room + 1) * sizeof(*p));
		if (!p)
			return -ENOMEM;
		q->lanes[i].at = p;
	}
	q->room = room;
	return 0;
}

struct target *queue_add(struct queue *q, pid_t pid, uint64_t start_ticks)
{
	struct target *t = queue_find(q, pid);
	size_t i;

	if (t && t->start_ticks == start_ticks)
		return t;
	if (t)
		queue_remove(q, t);
	t = make_room(q) ? NULL : calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->pid = pid;
	t->start_ticks = start_ticks;
	i = search(q, pid);
	memmove(q->all + i + 1, q->all + i, (q->n - i) * sizeof(t));
	q->all[i] = t;
	q->n++;
	return t;
}

void queue_remove(struct queue *q, struct target *t)
{
	size_t i = search(q, t->pid);

	queue_take(q, t, LANE_URGENT);
	queue_take(q, t, LANE_STEADY);
	q->n--;
	memmove(q->all + i, q->all + i + 1, (q->n - i) * sizeof(t));
	free(t);
}

struct target *queue_target(const struct queue *q, size_t i)
{
	return i < q->n ? q->all[i] : NULL;
}

/* ---- lanes ----------------------------------------------------------- */

static void set(struct heap *h, enum lane lane, uint32_t i, struct target *t)
{
	h->at[i] = t;
	t->place[lane] = i;
}

/* Of equals the lower pid, so that forks stand beside each other. */
static bool before(const struct target *a, const struct target *b,
		   enum lane lane)
{
	if (a->key[lane] != b->key[lane])
		return a->key[lane] < b->key[lane];
	return a->pid < b->pid;
}

/* Moves the one at @i to where its key belongs. */
static void settle(struct heap *h, enum lane lane, uint32_t i)
{
	struct target *t = h->at[i];

	for (; i > 1 && before(t, h->at[i / 2], lane); i /= 2)
		set(h, lane, i, h->at[i / 2]);
	for (;;) {
		uint32_t child = 2 * i;

		if (child < h->n && before(h->at[child + 1], h->at[child], lane))
			child++;
		if (child > h->n || !before(h->at[child], t, lane))
			break;
		set(h, lane, i, h->at[child]);
		i = child;
	}
	set(h, lane, i, t);
}

void queue_put(struct queue *q, struct target *t, enum lane lane, uint64_t key)
{
	struct heap *h = &q->lanes[lane];

	t->key[lane] = key;
	if (!t->place[lane])
		set(h, lane, ++h->n, t);
	settle(h, lane, t->place[lane]);
}

void queue_take(struct queue *q, struct target *t, enum lane lane)
{
	struct heap *h = &q->lanes[lane];
	uint32_t i = t->place[lane];
	struct target *last;

	if (!i)
		return;
	t->place[lane] = 0;
	last = h->at[h->n--];
	if (last == t)
		return;
	set(h, lane, i, last);
	settle(h, lane, i);
}

struct target *queue_first(const struct queue *q, enum lane lane)
{
	return q->lanes[lane].n ? q->lanes[lane].at[1] : NULL;
}

size_t queue_length(const struct queue *q, enum lane lane)
{
	return q->lanes[lane].n;
}
