/* exclude.h - processes that are not looked at, because somebody said so.
 *
 * An exclusion is a section [exclude NAME] of the configuration: a reason, the
 * last day on which it holds, and one or more of the selectors below, all of
 * which a process must fit.  What it covers is counted and told in every
 * summary.  The unit is what the system's manager calls it, a container's name
 * and labels are those of its runtime's own files: no process chooses them for
 * itself.  An executable counts by its digest, and that is less: who may run
 * it may have any code run in it (LD_PRELOAD, ptrace), so a user, a unit or a
 * container should be asked for beside it. */
#ifndef EXCLUDE_H
#define EXCLUDE_H

#include <stdbool.h>
#include <time.h>
#include "flow.h"
#include "why.h"

#define EXCLUDE_MAX  64
#define EXCLUDE_NAME 40
#define EXCLUDE_TEXT 180

struct exclusion {
	char name[EXCLUDE_NAME + 1]; /* letters, digits, - _ . */
	char reason[EXCLUDE_TEXT];   /* unescaped */
	char until[11];		     /* "2026-12-31", in UTC */
	time_t end;		     /* the first second after that day */
	const char *file;	     /* where it stands, borrowed */
	int line;

	/* Selectors, "" where not given. */
	char exe[EXCLUDE_TEXT], sha256[65]; /* both or none */
	char user[64];
	char unit[128];
	char container[128];	  /* its name */
	char label[EXCLUDE_TEXT]; /* of its container: KEY=VALUE */

	/* Since exclude_begin(). */
	bool expired;
	const char *trouble; /* why it can not hold, "" if it can */
	uid_t uid;	     /* of @user */
	size_t covered;	     /* processes */
};

struct exclude_list;

/* ---- for config.c ---------------------------------------------------- */

struct exclude_list *exclude_new(void); /* NULL: no memory */
void exclude_free(struct exclude_list *);

/* The exclusion @name, made where there is none; NULL where there are
 * EXCLUDE_MAX.  Valid until the next call. */
struct exclusion *exclude_take(struct exclude_list *, const char *name);

/* Whether all is given that an exclusion needs; fills in @end.  -EINVAL with
 * @why, which says what is missing. */
int exclude_check(struct exclusion *, struct why *why);

/* Does it ask for an executable only?  Then any user can be covered by it. */
bool exclude_is_weak(const struct exclusion *);

/* ---- a pass ---------------------------------------------------------- */

/* A pass begins: nothing is covered yet, and what has expired by now, or names
 * a user that there is not, holds for nobody. */
void exclude_begin(struct exclude_list *);

/* The exclusion that covers this process now, or NULL.  Reads
 * what the selectors ask for and no more: nothing where there are no
 * exclusions, a link for an executable; its digest is remembered.  Any thread.
 */
const struct exclusion *exclude_find(struct exclude_list *,
				     const struct proc *);

/* A process of this pass is left out for @x: once for each. */
void exclude_cover(struct exclude_list *, const struct exclusion *x);

/* All of them, for summaries. */
size_t exclude_count(const struct exclude_list *);
const struct exclusion *exclude_get(const struct exclude_list *, size_t i);

#endif
