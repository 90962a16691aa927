/* pass.h - one pass over processes, by as many threads as wanted. */
#ifndef PASS_H
#define PASS_H

#include "exclude.h"
#include "flow.h"
#include "match.h"
#include "scan.h"
#include "verdict.h"
#include "why.h"

#define PASS_THREADS 64

struct pass_options {
	struct match_options rules;
	const struct hashset *set; /* borrowed */
	const pid_t *pids;	   /* these and */
	size_t n_pids;
	const char *const *captures; /* these files; none of either: all */
	size_t n_captures;
	struct exclude_list *excludes; /* borrowed; NULL: none */
	unsigned threads;	   /* 1..PASS_THREADS */
	uint64_t deadline_ns;	   /* io_now_ns(); 0: none */
};

/* What a pass tells, one call at a time whatever the threads. */
struct pass_events {
	void *user;
	/* A process was looked at; @finding only for VERDICT_FINDING.  All is
	 * valid during the call only. */
	void (*look)(void *user, const struct look *, enum verdict,
		     const struct finding *finding);
	/* Pid @pid can not be looked at: @error (-ESRCH...), or 0 and @proc is
	 * a kernel thread or a zombie.  proc->hidden is set in any case. */
	void (*absent)(void *user, pid_t pid, int error,
		       const struct proc *proc);
	/* A process is not looked at for @exclusion covers it.  What was found
	 * in it before is left untold, so a pass over all closes it. */
	void (*excluded)(void *user, const struct proc *proc,
			 const struct exclusion *exclusion);
	/* So far; called often. */
	void (*progress)(void *user, size_t processes, uint64_t bytes);
};

struct pass;

/* Compiles the rules, lists the processes, from all sides (views.h), and opens
 * the captures.  Errors as scan_new(), of reading /proc, and as
 * capture_open(). */
int pass_new(const struct pass_options *, struct pass **ret, struct why *why);

void pass_free(struct pass *);

/* Looks at all of them. */
void pass_run(struct pass *, const struct pass_events *);

/* How many there are, captures included, and what they have resident in all, roughly. */
size_t pass_processes(const struct pass *);
uint64_t pass_bytes(const struct pass *);

/* How many of them are hidden (flow.h, HIDDEN_*). */
size_t pass_hidden(const struct pass *);

/* For asking what rules are loaded. */
const struct match *pass_match(const struct pass *);

#endif
