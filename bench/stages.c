/* stages.c - the stages of a look, each clocked by itself. */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "io.h"
#include "mem.h"
#include "stages.h"

#define INNER_PAGES 64 /* 256 KiB */
#define INNER_TIMES 8
#define INNER_BYTES (256UL << 20)
#define EVERY_WHERE ((1U << WHERE_COUNT) - 1)

/* ---- clocks -------------------------------------------------------------- */

double stages_clock_s(clockid_t id)
{
	struct timespec t = { 0, 0 };

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The matcher is our last child. */
static double matcher_s(void)
{
	char text[256], *word;
	clockid_t id;
	pid_t child = 0;

	if (io_read_at(AT_FDCWD, "/proc/thread-self/children", text,
		       sizeof(text)) <= 0)
		return 0;
	for (word = strtok(text, " "); word; word = strtok(NULL, " "))
		child = (pid_t)atoi(word);
	if (child <= 0 || clock_getcpuclockid(child, &id))
		return 0;
	return stages_clock_s(id);
}

/* ---- stages -------------------------------------------------------------- */

/* Every batch of the region; @s may be NULL: only copied. */
static int go_over(struct bench *b, const struct region *region,
		   const struct sweep *s, struct figure *f)
{
	static struct sweep_result r; /* large */
	struct frames *frames = NULL;
	struct mem *mem = NULL;
	struct batch batch;
	int more, err = frames_new(&frames);

	if (!err)
		err = mem_new(frames, &mem);
	if (!err)
		err = mem_attach(mem, &b->proc);
	if (err)
		return err;
	mem_start(mem, region);
	while ((more = mem_next(mem, &batch)) == 1) {
		if (!s)
			continue;
		sweep_batch(s, &batch, &r);
		f->zero_pages += r.n_zero;
		f->known += r.n_known;
		f->suspects += r.n_suspects;
		for (size_t i = 0; i < r.n_suspects; i++)
			f->suspect_bytes +=
				r.suspects[i].end - r.suspects[i].start;
	}
	f->bytes = mem_counts(mem)->read_bytes;
	mem_free(mem);
	frames_free(frames);
	return more;
}

/* The limit: bytes that are copied and not looked at. */
static int run_copy(struct bench *b, struct figure *f)
{
	return go_over(b, &b->region, NULL, f);
}

/* Zero test, digest, fragments and look-up of every page, as if all were code.
 */
static int run_hash(struct bench *b, struct figure *f)
{
	struct region region = b->region;
	struct sweep s = { .set = b->set };

	region.where = EVERY_WHERE;
	region.flags |= REGION_EXEC;
	return go_over(b, &region, &s, f);
}

static struct sweep all_of_it(const struct bench *b)
{
	struct sweep s = { .set = b->set };

	for (size_t i = 0; i < SWEEP_FILTERS; i++)
		s.filter[i] = b->filter[i];
	s.every_page = match_every_page(b->match);
	return s;
}

/* All that is done to a page before libyara sees any. */
static int run_sweep(struct bench *b, struct figure *f)
{
	struct sweep s = all_of_it(b);

	return go_over(b, &b->region, &s, f);
}

/* The same without the copy: @batch in pieces that stay in cache, each once
 * before the clock runs, then INNER_TIMES. */
static void repeat_batch(const struct sweep *s, const struct batch *batch,
			 struct figure *f)
{
	static struct sweep_result r; /* large */

	for (size_t i = 0; i < batch->n_pages; i += INNER_PAGES) {
		struct batch part = *batch;
		double begin;

		part.bytes += i * FLOW_PAGE;
		part.address += i;
		part.n_pages = batch->n_pages - i;
		if (part.n_pages > INNER_PAGES)
			part.n_pages = INNER_PAGES;
		sweep_batch(s, &part, &r);
		begin = stages_clock_s(CLOCK_PROCESS_CPUTIME_ID);
		for (int n = 0; n < INNER_TIMES; n++)
			sweep_batch(s, &part, &r);
		f->cpu_s += stages_clock_s(CLOCK_PROCESS_CPUTIME_ID) - begin;
		f->bytes += part.n_pages * FLOW_PAGE * INNER_TIMES;
	}
}

static int run_inner(struct bench *b, struct figure *f)
{
	struct sweep s = all_of_it(b);
	struct mem *mem = NULL;
	struct batch batch;
	int more = 0, err = mem_new(NULL, &mem);

	if (!err)
		err = mem_attach(mem, &b->proc);
	if (err)
		return err;
	mem_start(mem, &b->region);
	while (f->bytes < INNER_BYTES && (more = mem_next(mem, &batch)) == 1)
		repeat_batch(&s, &batch, f);
	mem_free(mem);
	return more < 0 ? more : 0;
}

/* The whole process, libyara included, but not the start of the matcher. */
static int run_look(struct bench *b, struct figure *f)
{
	struct look look;
	double before = matcher_s();

	scan_look(b->scan, &b->proc, SCAN_FULL, 0, NULL, NULL, &look);
	f->matcher_s = matcher_s() - before;
	f->bytes = look.read_bytes;
	f->hits = look.n_hits;
	if (look.state != SCAN_COMPLETE)
		warnx("look: %s", look.why);
	return 0;
}

/* A scan looks at each frame once, so each look has a scan of its own. */
static void prepare_look(struct bench *b)
{
	struct scan_options so = {
		.rules = { .paths = &b->rules,
			   .n_paths = b->rules ? 1 : 0,
			   .no_default_rules = b->no_default_rules },
		.set = b->set,
	};
	struct why why = { "" };

	scan_free(b->scan);
	if (scan_new(&so, &b->scan, &why))
		errx(1, "%s", why.text);
}

const struct stage stages[] = {
	{ "copy", NULL, run_copy, false },
	{ "hash", NULL, run_hash, false },
	{ "sweep", NULL, run_sweep, true },
	{ "inner", NULL, run_inner, true },
	{ "look", prepare_look, run_look, false },
	{ NULL, NULL, NULL, false },
};
