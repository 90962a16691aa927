/* fleet.c - 10,000 agents see the same outbreak within one minute; the server
 * takes what SCC's quota allows, 1,000 writes a minute of the whole project.
 *
 * Virtual time; the agents' side is agent/report_pace.c itself.  The server
 * counts in fixed windows of a minute and answers 429 past the quota; a
 * refused request costs no quota.
 *
 * usage: fleet [AGENTS [WRITES [RETRY_AFTER_S]]] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report_pace.h"

#define QUOTA	  1000
#define MINUTE_MS 60000
#define HORIZON_H 12
#define LATENCY	  200 /* ms of one request */

struct agent {
	struct report_pace pace;
	uint64_t next_ms;
	unsigned left; /* writes */
};

struct world {
	struct agent *agents;
	size_t n, *heap; /* of agents, by next_ms */
	size_t n_heap;
	unsigned retry_after_s;
	uint64_t requests, refused, done_ms, half_ms;
	uint64_t window, taken; /* of the quota */
	uint32_t *per_second;
	uint32_t *first_wait; /* s until an agent's first success */
	size_t n_first;
};

/* ---- a heap ----------------------------------------------------------- */

static uint64_t key(const struct world *w, size_t i)
{
	return w->agents[w->heap[i]].next_ms;
}

static void swap(struct world *w, size_t a, size_t b)
{
	size_t t = w->heap[a];

	w->heap[a] = w->heap[b];
	w->heap[b] = t;
}

static void push(struct world *w, size_t agent)
{
	size_t i = w->n_heap++;

	w->heap[i] = agent;
	for (; i && key(w, i) < key(w, (i - 1) / 2); i = (i - 1) / 2)
		swap(w, i, (i - 1) / 2);
}

static size_t pop(struct world *w)
{
	size_t top = w->heap[0], i = 0, child;

	w->heap[0] = w->heap[--w->n_heap];
	while ((child = 2 * i + 1) < w->n_heap) {
		if (child + 1 < w->n_heap && key(w, child + 1) < key(w, child))
			child++;
		if (key(w, i) <= key(w, child))
			break;
		swap(w, i, child);
		i = child;
	}
	return top;
}

/* ---- both sides ------------------------------------------------------- */

static int server_takes(struct world *w, uint64_t now_ms)
{
	if (now_ms / MINUTE_MS != w->window) {
		w->window = now_ms / MINUTE_MS;
		w->taken = 0;
	}
	if (w->taken >= QUOTA)
		return 0;
	w->taken++;
	return 1;
}

static void act(struct world *w, size_t i)
{
	struct agent *a = &w->agents[i];
	uint64_t now = a->next_ms, wait = report_pace_wait(&a->pace, now);

	if (wait) {
		a->next_ms = now + wait;
		push(w, i);
		return;
	}
	w->requests++;
	w->per_second[now / 1000]++;
	report_pace_sent(&a->pace);
	if (server_takes(w, now)) {
		report_pace_ok(&a->pace);
		a->left--;
		w->done_ms = now;
	} else {
		w->refused++;
		report_pace_busy(&a->pace, now, w->retry_after_s * 1000ull);
	}
	a->next_ms = now + LATENCY;
	if (a->left)
		push(w, i);
	else
		w->first_wait[w->n_first++] = (uint32_t)(now / 1000);
}

/* ---- the record ------------------------------------------------------- */

static void report(const struct world *w, unsigned writes)
{
	uint64_t worst_s = 0, worst_m = 0, minute = 0;

	for (uint64_t s = 0; s < HORIZON_H * 3600; s++) {
		worst_s =
			w->per_second[s] > worst_s ? w->per_second[s] : worst_s;
		minute += w->per_second[s];
		if (s >= 60)
			minute -= w->per_second[s - 60];
		worst_m = minute > worst_m ? minute : worst_m;
	}
	printf("agents %zu, writes each %u, quota %d/min, Retry-After %u s\n",
	       w->n, writes, QUOTA, w->retry_after_s);
	printf("  least possible      %7.1f min\n",
	       (double)(w->n * writes) / QUOTA);
	printf("  half of the agents  %7.1f min\n",
	       w->first_wait[w->n_first / 2] / 60.0);
	printf("  99 %% of the agents  %7.1f min\n",
	       w->first_wait[w->n_first * 99 / 100] / 60.0);
	printf("  all delivered       %7.1f min\n",
	       (double)w->done_ms / MINUTE_MS);
	printf("  worst rate          %7llu requests/s, %llu in a minute\n",
	       (unsigned long long)worst_s, (unsigned long long)worst_m);
	printf("  requests            %7llu, of them %llu refused (%.1f per "
	       "write)\n",
	       (unsigned long long)w->requests, (unsigned long long)w->refused,
	       (double)w->requests / (double)(w->n * writes));
}

int main(int argc, char **argv)
{
	struct world w = { .n = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000 };
	unsigned writes = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;

	w.retry_after_s = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	w.agents = calloc(w.n, sizeof(*w.agents));
	w.heap = calloc(w.n, sizeof(*w.heap));
	w.first_wait = calloc(w.n, sizeof(*w.first_wait));
	w.per_second = calloc(HORIZON_H * 3600 + 1, sizeof(*w.per_second));
	if (!w.agents || !w.heap || !w.first_wait || !w.per_second)
		return 4;
	srandom(1);
	for (size_t i = 0; i < w.n; i++) {
		struct agent *a = &w.agents[i];

		a->left = writes;
		a->next_ms = (uint64_t)random() % MINUTE_MS;
		report_pace_init(&a->pace, 60, 0, (uint64_t)random() << 20 | i);
		push(&w, i);
	}
	while (w.n_heap && w.agents[w.heap[0]].next_ms < HORIZON_H * 3600000ull)
		act(&w, pop(&w));
	report(&w, writes);
	if (w.n_heap) {
		printf("  NOT DELIVERED       %zu agents\n", w.n_heap);
		return 1;
	}
	return 0;
}
