/* bench.c - the stages of a look, each by itself, over a region of a process.
 *
 *	bench --pid PID --start N --end N [--modes LIST] [--repeat N]
 *	      [--rules PATH] [--no-default-rules] [--hashes FILE]
 *	      [--variant NAME]
 *	bench --variants
 *
 * The modes run one after the other, all of them --repeat times, so that what
 * the machine does meanwhile meets all alike.  Prints a line of JSON for each:
 * CPU time (the program's own, and the matcher's), wall time, bytes, and what
 * was seen.  bench/run asks it and makes sense of it. */
#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "kernel.h"
#include "maps.h"
#include "stages.h"

extern const unsigned char builtin_set[], builtin_set_end[];

/* ---- variants ------------------------------------------------------------ */

static void list_variants(void)
{
	const struct kernel *k;

	for (size_t i = 0; (k = kernel_variant(i)) != NULL; i++)
		if (!k->usable || k->usable())
			puts(k->name);
}

static void select_variant(const char *name)
{
	int err = kernel_choose(name);

	if (err)
		errx(2, "variant '%s': %s; see bench --variants", name,
		     strerror(-err));
}

/* ---- one stage ----------------------------------------------------------- */

static bool is_wanted(const struct bench *b, const struct stage *m)
{
	size_t len = strlen(m->name);

	for (const char *p = b->modes; p && *p; p += strcspn(p, ",")) {
		p += *p == ',';
		if (!strncmp(p, m->name, len) && !isalnum(p[len]))
			return true;
	}
	return !b->modes;
}

static void measure(struct bench *b, const struct stage *m)
{
	struct figure f = { 0 };
	double cpu, wall;
	int err;

	if (m->prepare)
		m->prepare(b);
	cpu = stages_clock_s(CLOCK_PROCESS_CPUTIME_ID);
	wall = stages_clock_s(CLOCK_MONOTONIC);
	err = m->run(b, &f);
	if (f.cpu_s == 0) /* it has not clocked itself */
		f.cpu_s = stages_clock_s(CLOCK_PROCESS_CPUTIME_ID) - cpu +
			  f.matcher_s;
	f.wall_s = stages_clock_s(CLOCK_MONOTONIC) - wall;
	if (err)
		errx(1, "%s: process %d: %s", m->name, b->pid, strerror(-err));
	printf("{\"mode\": \"%s\", \"cpu_s\": %.6f, \"matcher_s\": %.6f, "
	       "\"wall_s\": %.6f, \"bytes\": %lu, \"zero_pages\": %lu, "
	       "\"known\": %lu, \"suspects\": %lu, \"suspect_bytes\": %lu, "
	       "\"hits\": %lu}\n",
	       m->name, f.cpu_s, f.matcher_s, f.wall_s, f.bytes, f.zero_pages,
	       f.known, f.suspects, f.suspect_bytes, f.hits);
	fflush(stdout);
}

/* ---- start --------------------------------------------------------------- */

static void find_region(struct bench *b)
{
	int procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct region *r;
	struct maps *maps;
	int err = proc_open(procfs, b->pid, &b->proc);

	if (!err)
		err = maps_read(&b->proc, 0, &maps);
	if (err)
		errx(1, "process %d: %s", b->pid, strerror(-err));
	r = maps_find(maps, b->start);
	if (!r || b->end > r->end || b->end <= b->start)
		errx(1, "process %d has no mapping from %#lx to %#lx", b->pid,
		     b->start, b->end);
	b->region = *r;
	b->region.start = b->start;
	b->region.end = b->end;
	maps_free(maps);
	close(procfs);
}

static void open_set(struct bench *b)
{
	struct why why = { "" };
	size_t len = (size_t)(builtin_set_end - builtin_set);

	if (b->hashes ? hashset_open(b->hashes, &b->set, &why)
		      : hashset_from_memory(builtin_set, len, &b->set, &why))
		errx(1, "%s", why.text);
}

/* As scan.c does: of the atoms whose rules look at some of @where. */
static struct prefilter *make_filter(struct bench *b, uint8_t where)
{
	struct prefilter *ret;
	struct why why = { "" };
	size_t n, n_own = 0;
	const struct atom *atoms = match_atoms(b->match, &n);
	struct atom *own = calloc(n + 1, sizeof(*own));

	if (!own)
		err(1, "atoms");
	for (size_t i = 0; i < n; i++)
		if (atoms[i].where & where)
			own[n_own++] = atoms[i];
	if (prefilter_new(own, n_own, &ret, &why))
		errx(1, "%s", why.text);
	free(own);
	return ret;
}

static void make_filters(struct bench *b)
{
	struct match_options o = { .paths = &b->rules,
				   .n_paths = b->rules ? 1 : 0,
				   .no_default_rules = b->no_default_rules };
	struct why why = { "" };
	char text[512];
	size_t n;

	if (match_new(&o, &b->match, &why))
		errx(1, "%s", why.text);
	for (size_t i = 0; i < SWEEP_FILTERS; i++)
		b->filter[i] = make_filter(b, sweep_where[i]);
	match_rules(b->match, &n);
	prefilter_describe(b->filter[sweep_filter(&b->region)], text,
			   sizeof(text));
	printf("{\"mode\": \"about\", \"rules\": %zu, \"engine\": \"%s\", "
	       "\"filter\": \"%s\", \"every_page\": %u}\n",
	       n, match_engine(b->match), text, match_every_page(b->match));
}

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "start", required_argument, NULL, 's' },
	{ "end", required_argument, NULL, 'e' },
	{ "modes", required_argument, NULL, 'm' },
	{ "repeat", required_argument, NULL, 'n' },
	{ "rules", required_argument, NULL, 'r' },
	{ "no-default-rules", no_argument, NULL, 'd' },
	{ "hashes", required_argument, NULL, 'H' },
	{ "variant", required_argument, NULL, 'v' },
	{ "variants", no_argument, NULL, 'l' },
	{ 0 },
};

static void take_options(struct bench *b, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 'p':
			b->pid = (pid_t)atoi(optarg);
			break;
		case 's':
			b->start = strtoul(optarg, NULL, 0);
			break;
		case 'e':
			b->end = strtoul(optarg, NULL, 0);
			break;
		case 'm':
			b->modes = optarg;
			break;
		case 'n':
			b->repeat = (unsigned)atoi(optarg);
			break;
		case 'r':
			b->rules = optarg;
			break;
		case 'd':
			b->no_default_rules = true;
			break;
		case 'H':
			b->hashes = optarg;
			break;
		case 'v':
			b->variant = optarg;
			break;
		case 'l':
			list_variants();
			exit(0);
		default:
			exit(2);
		}
	}
	if (b->pid <= 0 || optind < argc)
		errx(2, "the words are in bench/bench.c; bench/run knows them");
}

int main(int argc, char **argv)
{
	static struct bench b = { .repeat = 1 };
	bool rules = false;

	take_options(&b, argc, argv);
	if (b.variant)
		select_variant(b.variant);
	find_region(&b);
	open_set(&b);
	for (const struct stage *m = stages; m->name; m++)
		rules |= m->rules && is_wanted(&b, m);
	if (rules)
		make_filters(&b);
	for (unsigned n = 0; n < b.repeat; n++)
		for (const struct stage *m = stages; m->name; m++)
			if (is_wanted(&b, m))
				measure(&b, m);
	scan_free(b.scan);
	match_free(b.match);
	for (size_t i = 0; i < SWEEP_FILTERS; i++)
		prefilter_free(b.filter[i]);
	hashset_free(b.set);
	proc_close(&b.proc);
	return 0;
}
