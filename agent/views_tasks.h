/* views_tasks.h - the kernel's own list of tasks, by a BPF iterator. */
#ifndef VIEWS_TASKS_H
#define VIEWS_TASKS_H

#include "flow.h"
#include "why.h"

struct views_tasks;

int views_tasks_open(struct views_tasks **ret, struct why *why);
void views_tasks_close(struct views_tasks *);

/* Every process, in the order of their ids; valid until the next call. */
int views_tasks_list(struct views_tasks *, const struct seen **ret,
		     size_t *ret_n);

#endif
