/* scan.c - one look at one process: the way of flow.h from end to end. */
#include <poll.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "io.h"
#include "maps.h"
#include "proc.h"
#include "scan.h"
#include "sweep.h"
#include "tally.h"
#include "who.h"

#define TRIES 3 /* at a process that does not stand still */

struct scan {
	struct match *match;
	struct prefilter *filter[SWEEP_FILTERS];
	struct mem *mem;
	struct tally *tally;
	struct maps *maps;
	struct proc proc; /* of the look */
	struct who who;	  /* likewise */
	struct sweep sweep;
	struct sweep_result result;
	uint64_t deadline_ns;
	bool (*tick)(void *user, uint64_t bytes);
	void *user;
	void (*suspect)(void *user, const struct batch *,
			const struct suspect *);
	void *suspect_user;
};

/* A filter of the atoms whose rules look at some of @where. */
static int make_filter(struct scan *s, uint8_t where, struct prefilter **ret,
		       struct why *why)
{
	size_t n, n_own = 0;
	const struct atom *atoms = match_atoms(s->match, &n);
	struct atom *own = calloc(n + 1, sizeof(*own));
	int err;

	if (!own)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (atoms[i].where & where)
			own[n_own++] = atoms[i];
	err = prefilter_new(own, n_own, ret, why);
	free(own);
	return err;
}

static int make_filters(struct scan *s, struct why *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < SWEEP_FILTERS; i++) {
		err = make_filter(s, sweep_where[i], &s->filter[i], why);
		s->sweep.filter[i] = s->filter[i];
	}
	return err;
}

static int start_matcher(struct scan *s, const struct match_options *o,
			 struct why *why)
{
	int err = match_new(o, &s->match, why);

	if (err)
		return err;
	s->sweep.every_page = match_every_page(s->match);
	return make_filters(s, why);
}

/* Names the rules and digests, for what is kept from pass to pass. */
static uint64_t looked_for(const struct scan *s)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "%s %s %s %s", DAVYLAMP_VERSION,
			 s->sweep.set ? hashset_version(s->sweep.set) : "",
			 s->match ? match_version(s->match) : "",
			 s->match ? match_engine(s->match) : "");

	return XXH3_64bits(text, (size_t)n);
}

int scan_new(const struct scan_options *o, struct scan **ret, struct why *why)
{
	struct scan *s = calloc(1, sizeof(*s));
	int err = 0;

	if (!s)
		return -ENOMEM;
	if (!o->no_match)
		err = start_matcher(s, &o->rules, why);
	if (!err)
		err = tally_new(o->set, &s->tally);
	if (!err)
		err = mem_new(o->frames, &s->mem);
	s->suspect = o->suspect;
	s->suspect_user = o->user;
	s->who.exe_file = -1;
	s->sweep.set = o->set;
	if (!err)
		mem_use_filecache(s->mem, o->cache, looked_for(s));
	if (err && !why->text[0])
		why_set(why, err, "%s", strerror(-err));
	if (err)
		scan_free(s);
	else
		*ret = s;
	return err;
}

void scan_free(struct scan *s)
{
	if (!s)
		return;
	match_free(s->match);
	for (size_t i = 0; i < SWEEP_FILTERS; i++)
		prefilter_free(s->filter[i]);
	tally_free(s->tally);
	mem_free(s->mem);
	maps_free(s->maps);
	who_close(&s->who);
	free(s);
}

const struct match *scan_match(const struct scan *s)
{
	return s->match;
}

ssize_t scan_read(struct scan *s, uint64_t from, uint64_t to, uint8_t *buf,
		  size_t cap, uint64_t *ret_at)
{
	return mem_stretch(s->mem, from, to, buf, cap, ret_at);
}

/* ---- a batch --------------------------------------------------------- */

/* The first reason stands; a process that is gone outranks it. */
static void mark(struct look *l, enum scan_state state, const char *why)
{
	if (l->state >= state)
		return;
	l->state = state;
	snprintf(l->why, sizeof(l->why), "%s", why);
}

static const struct region *neighbour(const struct scan *s,
				      const struct region *r, bool above)
{
	return maps_find(s->maps, above ? r->end : r->start - 1);
}

/* A match may lie across two regions that touch.  It is looked for by the
 * rules that both regions are shown to. */
static int look_across(struct scan *s, const struct region *r, bool above,
		       const struct suspect *wide, struct why *why)
{
	const struct region *next = neighbour(s, r, above);
	struct suspect part = *wide;

	if (!next)
		return 0;
	part.where &= r->where & next->where;
	if (above && part.end > next->end)
		part.end = next->end;
	if (!above && part.start < next->start)
		part.start = next->start;
	if (!part.where)
		return 0;
	return match_look(s->match, s->mem, &part, why);
}

static int look_closer(struct scan *s, const struct region *r,
		       const struct suspect *suspect, struct why *why)
{
	struct suspect inside = *suspect;
	int err;

	if (inside.start < r->start)
		inside.start = r->start;
	if (inside.end > r->end)
		inside.end = r->end;
	err = match_look(s->match, s->mem, &inside, why);
	if (!err && suspect->start < r->start)
		err = look_across(s, r, false, suspect, why);
	if (!err && suspect->end > r->end)
		err = look_across(s, r, true, suspect, why);
	return err;
}

static bool out_of_time(const struct scan *s)
{
	return s->deadline_ns && io_now_ns() >= s->deadline_ns;
}

static int take_batch(struct scan *s, const struct batch *b, struct look *l)
{
	const struct sweep_result *r = &s->result;
	bool counts = b->region->where & 1 << WHERE_IMAGE;
	bool code = b->region->flags & REGION_EXEC;

	sweep_batch(&s->sweep, b, &s->result);
	mem_settle(s->mem, r->found);
	for (size_t i = 0; i < r->n_known && counts; i++)
		tally_add(s->tally, r->known[i].number, code);
	for (size_t i = 0; i < r->n_suspects; i++) {
		struct why why = { "" };
		int err;

		if (s->suspect)
			s->suspect(s->suspect_user, b, &r->suspects[i]);
		err = look_closer(s, b->region, &r->suspects[i], &why);
		if (err && !why.text[0]) /* the process's memory */
			return err;
		if (err) /* the matcher fell; a new one goes on */
			mark(l, SCAN_PARTIAL, why.text);
		if (err && out_of_time(s))
			return -ETIMEDOUT;
	}
	return 0;
}

/* ---- a process ------------------------------------------------------- */

static int look_at_region(struct scan *s, const struct region *r,
			  struct look *l)
{
	struct batch b;
	int more;

	mem_start(s->mem, r);
	while ((more = mem_next(s->mem, &b)) == 1) {
		int err = take_batch(s, &b, l);

		if (err)
			return err;
		if (s->tick && !s->tick(s->user, b.n_pages * FLOW_PAGE))
			return -ECANCELED;
		if (out_of_time(s))
			return -ETIMEDOUT;
	}
	return more;
}

/* Those whose memory may never come, or those where it always does. */
static int look_at_those(struct scan *s, struct look *l, bool may_stall)
{
	const struct region *r;
	int err = 0;

	for (size_t i = 0; !err && (r = maps_by_suspicion(s->maps, i)) != NULL;
	     i++)
		if (!(l->shallow && r->where == WHERE_PLAIN) &&
		    mem_may_stall(s->mem, r) == may_stall)
			err = look_at_region(s, r, l);
	return err;
}

static int look_at_regions(struct scan *s, struct look *l)
{
	int err = out_of_time(s)
			  ? -ETIMEDOUT
			  : mem_attach_mapped(s->mem, l->proc, s->deadline_ns,
					      &s->maps);

	if (err)
		return err;
	l->maps = s->maps;
	err = proc_reread(&s->proc);
	if (!err && !mem_is_its_own(s->mem))
		err = -ESRCH; /* and that is another's name */
	err = err ?: look_at_those(s, l, false) ?: look_at_those(s, l, true);
	if (mem_stalled(s->mem))
		mark(l, SCAN_PARTIAL,
		     "memory of a file system that does not "
		     "answer");
	if (!err && maps_left_out(s->maps))
		mark(l, SCAN_PARTIAL, "more than 262144 mappings");
	return err;
}

static void begin(struct scan *s, const struct proc *proc,
		  enum scan_depth depth, struct look *l)
{
	maps_free(s->maps);
	s->maps = NULL;
	tally_reset(s->tally);
	who_close(&s->who);
	memset(l, 0, sizeof(*l));
	s->proc = *proc;
	l->proc = &s->proc;
	l->shallow = depth == SCAN_PROGRAM;
}

/* Turns an error into the state and reason that people read. */
static void conclude(struct look *l, int err)
{
	if (err == -ESRCH && proc_gone(l->proc))
		mark(l, SCAN_VANISHED, "it ended while it was looked at");
	else if (err == -ESRCH)
		mark(l, SCAN_PARTIAL, "it does not stand still");
	else if (err == -EACCES || err == -EPERM)
		mark(l, SCAN_PARTIAL, "not permitted to read its memory");
	else if (err == -ETIMEDOUT)
		mark(l, SCAN_PARTIAL, "the time limit was reached");
	else if (err == -EBADMSG && l->proc->saved)
		mark(l, SCAN_PARTIAL, "the capture is damaged");
	else if (err == -ECANCELED)
		mark(l, SCAN_PARTIAL, "davylamp was told to stop");
	else if (err)
		mark(l, SCAN_PARTIAL, strerror(-err));
}

/* Whether it works decides what hits mean, so that then a while is watched: how
 * much it used since it began tells of its start, or of last week. */
#define WATCH_MS 260

/* What the thread that waited most did so between two moments, as a share of
 * them.  The kernel books a wait when it ends: one that began before counts as
 * far as it can have been, and one that has lasted all the while is not booked
 * yet. */
static double wait_share(const struct proc *now, const struct proc *later,
			 uint64_t waited)
{
	double share = (double)waited / (double)(later->seen_ns - now->seen_ns);

	if (!waited && now->state == 'R' && later->state == 'R' &&
	    now->cpu_ticks == later->cpu_ticks)
		return 1;
	return share < 1 ? share : 1;
}

static void watch(struct look *l, const struct proc *now)
{
	struct proc later = *l->proc;
	struct proc_wait *before = NULL, *after = NULL;
	size_t n_before = proc_waits(now, &before), n_after;

	poll(NULL, 0, WATCH_MS);
	if (!proc_refresh(&later)) {
		n_after = proc_waits(&later, &after);
		l->cpu_share = proc_cpu_share(now, &later);
		l->wait_share = wait_share(
			now, &later,
			proc_longest_wait(before, n_before, after, n_after));
	}
	free(before);
	free(after);
}

static void measure_work(struct look *l)
{
	struct proc now = *l->proc;

	l->cpu_share = proc_cpu_share(l->proc, l->proc);
	if (proc_refresh(&now))
		return;
	l->cpu_share = proc_cpu_share(l->proc, &now);
	if (l->n_hits)
		watch(l, &now);
}

static void fill(struct scan *s, struct look *l)
{
	const struct mem_counts *c = mem_counts(s->mem);
	struct why why = { "" };

	if (s->match && match_end(s->match, &l->hits, &l->n_hits, &why))
		mark(l, SCAN_PARTIAL, why.text);
	l->n_shares = tally_shares(s->tally, l->shares, SHARES_MAX);
	if (l->maps) {
		l->read_bytes = c->read_bytes;
		l->shared_bytes = c->shared_bytes;
		l->unreadable_bytes = c->unreadable_bytes;
	}
	if (l->unreadable_bytes)
		mark(l, SCAN_PARTIAL, "resident memory that can not be read");
	measure_work(l);
}

/* What is there of the process now. */
static bool turn(struct scan *s, struct proc *proc)
{
	bool turned = proc_turn(proc);

	s->proc.dir = proc->dir;
	s->proc.tid = proc->tid;
	return turned;
}

/* Who holds what was found?  Only if that memory is still its own: another
 * program may have begun, and is not to be accused. */
static void identify(struct scan *s, struct proc *proc, struct look *l)
{
	if (!l->n_hits && !l->n_shares)
		return;
	for (int i = 0; i < TRIES && (turn(s, proc) || i == 0); i++) {
		who_close(&s->who);
		who_read(l->proc, &s->who);
	}
	l->who = &s->who;
	if (mem_is_its_own(s->mem))
		return;
	who_close(&s->who);
	memset(&s->who, 0, sizeof(s->who));
	s->who.exe_file = -1;
	mark(l, proc_gone(l->proc) ? SCAN_VANISHED : SCAN_PARTIAL,
	     "it ended or began another program");
}

void scan_look(struct scan *s, struct proc *proc, enum scan_depth depth,
	       uint64_t deadline_ns, bool (*tick)(void *user, uint64_t bytes),
	       void *user, struct look *ret)
{
	int err = -ESRCH;

	s->deadline_ns = deadline_ns;
	if (s->match)
		match_set_deadline(s->match, deadline_ns);
	s->tick = tick;
	s->user = user;
	/* Its memory can be gone because it began another program, or was out
	 * of reach because a thread ended: then look at what is there now. */
	for (int tries = 0; tries < TRIES && err == -ESRCH; tries++) {
		if (tries && proc_gone(proc))
			break;
		turn(s, proc);
		if (tries && s->match)
			match_drop(s->match);
		begin(s, proc, depth, ret);
		err = look_at_regions(s, ret);
	}
	ret->denied = err == -EACCES || err == -EPERM;
	conclude(ret, err);
	fill(s, ret);
	identify(s, proc, ret);
}
