/* views.h - which processes there are, seen from more than one side.
 *
 * The views: /proc as programs here see it, a procfs of our own (nothing is
 * mounted over that), and the kernel's task list by a BPF iterator.  What one
 * shows and another does not is hidden, and says by what (flow.h, HIDDEN_*). */
#ifndef VIEWS_H
#define VIEWS_H

#include "flow.h"
#include "why.h"

struct views_options {
	bool no_private;   /* no procfs of our own */
	bool no_tasks;	   /* no BPF iterator */
	const pid_t *only; /* of these alone; borrowed */
	size_t n_only;	   /* 0: of all */
};

struct views;

/* Needs a readable /proc; more views where permitted (a procfs of our own:
 * CAP_SYS_ADMIN; the iterator: CAP_BPF and CAP_PERFMON, Linux 5.8, the initial
 * pid namespace).  0 or -errno with @why.  The caller owes views_close(). */
int views_open(const struct views_options *, struct views **ret,
	       struct why *why);

void views_close(struct views *);

/* For proc_open() and proc_list(): the procfs of our own, else /proc.
 * Borrowed. */
int views_procfs(const struct views *);

/* Every process there is, in the order of their ids; valid until the next
 * call.  Kernel threads are among them.  0 or -errno. */
int views_list(struct views *, const struct seen **ret, size_t *ret_n);

/* Why a view is missing; "" if it works. */
const char *views_why_no_private(const struct views *);
const char *views_why_no_tasks(const struct views *);

/* Both in a sentence, for people. */
void views_describe(const struct views *, char *ret, size_t cap);

#endif
