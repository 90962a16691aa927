/* cmd_rules_cost.c - `davylamp rules cost`: what does each rule take?
 *
 * Each rule is looked for alone, over the same memory as none right before it:
 * what it takes more is its price, the median of some rounds.  CPU time, of
 * this program and of davylamp-match; what the rules take together is less than
 * the sum, for the prefilter serves them all at once, and the row `all rules`
 * says it.
 * The string at fault is the one whose atom is met most often, or if none is,
 * the one with the shortest atom, which decides how densely memory must be
 * looked at. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cmd_rules.h"
#include "cmd_rules_cost.h"
#include "commands.h"
#include "frames.h"
#include "proc.h"
#include "scan.h"
#include "self.h"
#include "show.h"

static const char cost_help[] =
	"usage: davylamp rules cost [OPTION...] [PID...]\n\n"
	"Looks for each rule alone in the memory of the processes (none "
	"named:\n"
	"of all) and says what it takes, the slowest first: CPU time beyond "
	"that\n"
	"of a look for no rule, places that the prefilter marked, windows and\n"
	"bytes that libyara was shown, matches, and the string at fault.\n\n"
	"      --capture FILE      a saved process (may be repeated)\n"
	"  -r, --rules PATH        also these rules (may be repeated)\n"
	"      --no-default-rules  without the built-in ones\n"
	"      --rule NAME         this rule only\n"
	"      --rounds N          so often, and the median of them (3)\n"
	"      --json              JSON Lines, one rule a line\n\n"
	"Exit status: 0 done, 2 wrong words or rules, 3 something could not "
	"be\n"
	"read, 4 unable.\n";

struct cost {
	struct cmd_rules_words w;
	pid_t *pids;
	size_t n_pids;
	struct capture **captures;
	size_t n_captures;
	struct frames *frames;
	int procfs;
	bool partial;
	struct price *prices;
	size_t n;
	struct show_progress progress;
};

/* What a look for one rule alone is watched with. */
struct watch {
	struct price *price;
	const struct atom *atoms;
	size_t n_atoms;
	uint64_t *met; /* per atom */
};

/* ---- one look -------------------------------------------------------- */

static uint64_t count_atom(const uint8_t *bytes, size_t len,
			   const struct atom *a)
{
	uint64_t n = 0;

	for (size_t at = 0; at + a->len <= len; at++)
		n += prefilter_stands(a, bytes + at, 0, a->len);
	return n;
}

/* The pages of the batch that the place is in: it is marked with what could
 * belong to a match, which reaches over their edges. */
static void on_suspect(void *user, const struct batch *b,
		       const struct suspect *s)
{
	struct watch *w = user;

	w->price->places++;
	for (size_t i = 0; i < b->n_pages; i++) {
		if (b->address[i] + FLOW_PAGE <= s->start ||
		    b->address[i] >= s->end)
			continue;
		for (size_t k = 0; k < w->n_atoms; k++)
			w->met[k] += count_atom(b->bytes + i * FLOW_PAGE,
						FLOW_PAGE, &w->atoms[k]);
	}
}

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void take_look(struct cost *c, struct scan *scan, struct proc *p,
		      struct price *price)
{
	struct look l;

	scan_look(scan, p, SCAN_FULL, 0, NULL, NULL, &l);
	c->partial |= l.state == SCAN_PARTIAL && !l.denied;
	price->read_bytes += l.read_bytes;
	for (size_t i = 0; i < l.n_hits; i++)
		price->matches += l.hits[i].n_matches;
}

static void look_at_all(struct cost *c, struct scan *scan, struct price *price)
{
	for (size_t i = 0; i < c->n_pids; i++) {
		struct proc p;

		if (!proc_open(c->procfs, c->pids[i], &p) && !p.kernel &&
		    !proc_is_dead(&p) && !self_is(&p))
			take_look(c, scan, &p, price);
		proc_close(&p);
	}
	for (size_t i = 0; i < c->n_captures; i++) {
		struct proc p;

		if (!proc_of_capture(c->captures[i], &p))
			take_look(c, scan, &p, price);
	}
}

static struct match_options options(const struct cost *c, const char *only)
{
	return (struct match_options){
		.paths = c->w.rules,
		.n_paths = c->w.n_rules,
		.no_default_rules = c->w.no_default_rules,
		.only = only,
	};
}

static void blame_string(const struct match *m, const struct watch *w)
{
	struct price *p = w->price;
	size_t n, worst = 0;
	const struct match_string *s = match_strings(m, &n);

	for (size_t i = 1; i < w->n_atoms; i++)
		if (w->met[i] > w->met[worst] ||
		    (w->met[i] == w->met[worst] &&
		     w->atoms[i].len < w->atoms[worst].len))
			worst = i;
	for (size_t i = 0; i < n && w->n_atoms; i++) {
		if (s[i].number != w->atoms[worst].string)
			continue;
		memcpy(p->string, s[i].name, sizeof(p->string));
		p->string_met = w->met[worst];
		p->atom_len = w->atoms[worst].len;
	}
}

/* A look for no rule, for all, or for that of price @i. */
static int measure(struct cost *c, size_t i, double *ret_seconds,
		   struct why *why)
{
	struct price *price = &c->prices[i];
	struct scan_options o = {
		.rules = options(c, i < FIRST_RULE ? NULL : price->name),
		.frames = c->frames,
		.no_match = i == NO_RULE,
	};
	struct match_work before = { 0 }, after = { 0 };
	uint64_t cpu_ns = 0;
	struct scan *scan = NULL;
	double start;
	int err = scan_new(&o, &scan, why);

	if (err)
		return err;
	price->read_bytes = price->places = price->matches = 0;
	frames_reset(c->frames);
	if (!o.no_match)
		before = match_work(scan_match(scan));
	if (!o.no_match)
		cpu_ns = match_cpu_ns(scan_match(scan));
	start = cpu_seconds();
	look_at_all(c, scan, price);
	*ret_seconds = cpu_seconds() - start;
	if (!o.no_match)
		after = match_work(scan_match(scan));
	if (!o.no_match)
		*ret_seconds +=
			(double)(match_cpu_ns(scan_match(scan)) - cpu_ns) / 1e9;
	price->windows = after.windows - before.windows;
	price->window_bytes = after.bytes - before.bytes;
	scan_free(scan);
	return 0;
}

/* Once more, unmeasured: counting what the prefilter met takes its time. */
static int inspect(struct cost *c, size_t at, struct why *why)
{
	struct price *price = &c->prices[at];
	struct watch watch = { .price = price };
	struct scan_options o = {
		.rules = options(c, at < FIRST_RULE ? NULL : price->name),
		.frames = c->frames,
		.suspect = on_suspect,
		.user = &watch
	};
	struct scan *scan = NULL;
	size_t n;
	int err = scan_new(&o, &scan, why);

	if (err)
		return err;
	watch.atoms = match_atoms(scan_match(scan), &watch.n_atoms);
	watch.met = calloc(watch.n_atoms + 1, sizeof(*watch.met));
	if (at == ALL_RULES)
		watch.n_atoms = 0;
	else
		memcpy(price->slow, match_rules(scan_match(scan), &n)->slow,
		       sizeof(price->slow));
	frames_reset(c->frames);
	price->places = price->read_bytes = price->matches = 0;
	if (watch.met) {
		look_at_all(c, scan, price);
		blame_string(scan_match(scan), &watch);
	}
	free(watch.met);
	scan_free(scan);
	return watch.met ? 0 : -ENOMEM;
}

/* ---- all of them ----------------------------------------------------- */

static int name_rules(struct cost *c, struct why *why)
{
	struct match_options o = options(c, c->w.only);
	const struct rule *rules;
	struct match *m = NULL;
	size_t n;
	int err = match_new(&o, &m, why);

	if (err)
		return err;
	rules = match_rules(m, &n);
	c->prices = calloc(n + FIRST_RULE, sizeof(*c->prices));
	if (!c->prices) {
		match_free(m);
		return -ENOMEM;
	}
	strcpy(c->prices[NO_RULE].name, "(no rule)");
	strcpy(c->prices[ALL_RULES].name, "(all rules)");
	c->n = FIRST_RULE;
	for (size_t i = 0; i < n; i++) {
		/* Of one name in several files: all of them at once. */
		bool again = false;

		for (size_t k = FIRST_RULE; k < c->n; k++)
			again |= !strcmp(c->prices[k].name, rules[i].name);
		if (!again)
			strcpy(c->prices[c->n++].name, rules[i].name);
	}
	match_free(m);
	return 0;
}

static int measure_round(struct cost *c, size_t i, unsigned round,
			 struct why *why)
{
	struct price *p = &c->prices[i];
	int err = measure(c, NO_RULE, &p->none[round], why);

	if (!err)
		err = measure(c, i, &p->more[round], why);
	p->more[round] -= p->none[round];
	c->progress.done = ++c->progress.done_bytes;
	show_progress(&c->progress);
	return err;
}

static int measure_all(struct cost *c, struct why *why)
{
	double first; /* pays for what a cache then holds */
	int err = measure(c, NO_RULE, &first, why);

	c->progress.all = (c->n - 1) * (c->w.rounds + 1);
	c->progress.all_bytes = c->progress.all;
	for (unsigned round = 0; round < c->w.rounds && !err; round++)
		for (size_t i = ALL_RULES; i < c->n && !err; i++)
			err = measure_round(c, i, round, why);
	for (size_t i = ALL_RULES; i < c->n && !err; i++) {
		err = inspect(c, i, why);
		c->progress.done = ++c->progress.done_bytes;
		show_progress(&c->progress);
	}
	show_progress_end(&c->progress);
	return err;
}

/* ---- start ----------------------------------------------------------- */

static int open_all(struct cost *c, struct why *why)
{
	int err = 0;

	c->procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->procfs < 0)
		return why_set(why, -errno, "/proc: %s", strerror(errno));
	c->pids = c->w.pids;
	c->n_pids = c->w.n_pids;
	if (!c->w.n_pids && !c->w.n_captures)
		err = proc_list(c->procfs, &c->pids, &c->n_pids);
	c->captures = calloc(c->w.n_captures + 1, sizeof(struct capture *));
	while (!err && c->captures && c->n_captures < c->w.n_captures) {
		err = capture_open(c->w.captures[c->n_captures],
				   &c->captures[c->n_captures], why);
		c->n_captures += !err;
	}
	return err ?: frames_new(&c->frames);
}

static int run(struct cost *c)
{
	struct why why = { "" };
	int err = open_all(c, &why);

	if (!err)
		err = name_rules(c, &why);
	if (!err)
		err = measure_all(c, &why);
	if (err) {
		fprintf(stderr, "davylamp rules cost: %s\n",
			why.text[0] ? why.text : strerror(-err));
		return err == -EINVAL || err == -EBADMSG || err == -ENOENT
			       ? EXIT_USAGE
			       : EXIT_UNABLE;
	}
	if (c->w.json)
		cost_print_json(c->prices, c->n, c->w.rounds);
	else
		cost_show(c->prices, c->n, c->w.rounds);
	return c->partial ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

int cmd_rules_cost(int argc, char **argv)
{
	struct cost c = { .procfs = -1 };
	int status = cmd_rules_words(argc, argv, false, &c.w);

	if (status == -1)
		fputs(cost_help, stdout);
	show_progress_init(&c.progress, stderr);
	c.progress.unit = "looks";
	if (!status)
		status = run(&c);
	for (size_t i = 0; i < c.n_captures; i++)
		capture_free(c.captures[i]);
	free(c.captures);
	free(c.prices);
	frames_free(c.frames);
	if (c.pids != c.w.pids)
		free(c.pids);
	if (c.procfs >= 0)
		close(c.procfs);
	cmd_rules_words_free(&c.w);
	return status == -1 ? EXIT_CLEAN : status;
}
