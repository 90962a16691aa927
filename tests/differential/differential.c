/* differential.c - do the prefilter and its windows find what libyara finds?
 *
 *	differential [--seed N] [--cases N | --matches N | --seconds N]
 *
 * A case is a random rule set and random memory with its strings planted.
 * libyara looks at each segment of that memory as one block; beside it the
 * same rules go the way of a real scan: rules.c plans, sweep.c marks, the
 * suspects are cut into windows as match.c cuts them, match_scan.c feeds the
 * windows to libyara.  Each match (rule, string, address, length) and each
 * rule's verdict must be the same.  The first difference ends the run and is
 * shown with the seed that makes this case again.
 *
 * Left out, because it can not be the same (rules_plan.h says why), are cases
 * in which libyara alone already
 *  - finds a match of zero bytes only;
 *  - finds more matches of a string than match_scan.c takes;
 *  - gives up, as it does on some regular expressions.
 * Jumps are short enough for WIRE_SPAN, and conditions do not use uintN(),
 * modules or entrypoint, by the way rules are generated. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "generate.h"
#include "image.h"
#include "match_scan.h"
#include "rules.h"
#include "sweep.h"

#define STRING_MATCHES 20000 /* as in match_scan.c */
#define SLOW_SECONDS   10

struct found {
	uint64_t address;
	uint32_t length;
};

struct run {
	uint64_t seed;
	struct rule_set set;
	struct image image;
	YR_RULES *whole;	 /* the rules, for libyara alone */
	struct found **expected; /* per string of libyara, by address */
	uint32_t *n_expected;
	bool *counted;	   /* per string: in @matches */
	bool *holds, *hit; /* per rule of libyara */
	size_t next;	   /* segment, for its iterator */
	YR_SCANNER *scanner;
	YR_MEMORY_BLOCK block;
	const char *leave_out;

	struct rules *rules;
	struct match_scan *scan;
	struct wire_look look;
	uint8_t memory[WIRE_BYTES];
	size_t used;
	bool judged[WHERE_COUNT]; /* libyara came to its end with these */
};

static struct run run;
static struct totals {
	uint64_t cases, matches, by_suspects, verdicts, every_page;
	uint64_t rules, strings;
	uint64_t zeros, many, gave_up;
} total;

/* ---- a difference ---------------------------------------------------- */

static const uint8_t *at_address(uint64_t address, size_t *ret_left)
{
	for (size_t i = 0; i < run.image.n_segments; i++) {
		const struct segment *s = &run.image.segments[i];

		if (address < s->region.start || address >= s->region.end)
			continue;
		*ret_left = s->region.end - address;
		return s->bytes + (address - s->region.start);
	}
	return NULL;
}

__attribute__((noreturn, format(printf, 1, 2))) static void differ(
	const char *format, ...)
{
	va_list ap;

	printf("FAIL: seed %llu: ", (unsigned long long)run.seed);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	puts("\nthe rules:");
	puts(run.set.text);
	for (size_t i = 0; i < run.image.n_segments; i++)
		printf("segment 0x%llx to 0x%llx, where %x\n",
		       (unsigned long long)run.image.segments[i].region.start,
		       (unsigned long long)run.image.segments[i].region.end,
		       run.image.segments[i].region.where);
	for (size_t i = 0; i <= run.image.n_batches; i++)
		printf("%s%zu", i ? " " : "batches at page ",
		       run.image.batch[i]);
	puts("\n0 passed, 1 failed, 0 skipped");
	exit(1);
}

static void differ_at(const char *what, const YR_STRING *s, unsigned where,
		      const struct found *f)
{
	const YR_RULE *rule = &run.whole->rules_table[s->rule_idx];
	size_t left = 0;
	const uint8_t *bytes = at_address(f->address, &left);
	char hex[3 * 48 + 1] = "";

	for (size_t i = 0; i < 48 && i < left; i++)
		snprintf(hex + 3 * i, 4, "%02x ", bytes[i]);
	differ("%s: rule %s string %s for where %u, at 0x%llx, %u bytes: %s",
	       what, rule->identifier, s->identifier, where,
	       (unsigned long long)f->address, f->length, hex);
}

/* ---- libyara alone --------------------------------------------------- */

static const uint8_t *fetch(YR_MEMORY_BLOCK *block)
{
	return block->context;
}

static YR_MEMORY_BLOCK *next_segment(YR_MEMORY_BLOCK_ITERATOR *it)
{
	const struct segment *s = &run.image.segments[run.next];

	it->last_error = ERROR_SUCCESS;
	if (run.next++ >= run.image.n_segments)
		return NULL;
	/* Jumps do not reach from one segment into another, but libyara
	 * measures them by offsets, whatever the block. */
	memset(run.scanner->unconfirmed_matches, 0,
	       run.whole->num_strings * sizeof(YR_MATCHES));
	run.block.base = s->region.start;
	run.block.size = s->n_pages * FLOW_PAGE;
	run.block.context = s->bytes;
	run.block.fetch_data = fetch;
	return &run.block;
}

static YR_MEMORY_BLOCK *first_segment(YR_MEMORY_BLOCK_ITERATOR *it)
{
	run.next = 0;
	return next_segment(it);
}

static uint64_t no_file_size(YR_MEMORY_BLOCK_ITERATOR *it)
{
	(void)it;
	return YR_UNDEFINED;
}

static bool is_zeros(const struct found *f)
{
	size_t left;
	const uint8_t *bytes = at_address(f->address, &left);

	for (size_t i = 0; i < f->length; i++)
		if (bytes[i])
			return false;
	return f->length;
}

/* libyara keeps its matches wherever there is room, aligned or not. */
#define ANY_ALIGNMENT __attribute__((no_sanitize("alignment")))

ANY_ALIGNMENT static void keep_expected(YR_SCAN_CONTEXT *context)
{
	for (uint32_t i = 0; i < run.whole->num_strings; i++) {
		const YR_MATCHES *list = &context->matches[i];
		struct found *f = calloc((size_t)list->count + 1, sizeof(*f));

		if (list->count >= STRING_MATCHES)
			run.leave_out = "many";
		run.expected[i] = f;
		run.n_expected[i] = (uint32_t)list->count;
		for (const YR_MATCH *m = list->head; m; m = m->next, f++) {
			f->address = (uint64_t)(m->base + m->offset);
			f->length = (uint32_t)m->match_length;
			if (is_zeros(f))
				run.leave_out = "zeros";
		}
	}
}

static int on_expected(YR_SCAN_CONTEXT *context, int message, void *data,
		       void *user)
{
	(void)user;
	if (message == CALLBACK_MSG_RULE_MATCHING)
		run.holds[(YR_RULE *)data - run.whole->rules_table] = true;
	else if (message == CALLBACK_MSG_TOO_MANY_MATCHES)
		run.leave_out = "many";
	else if (message == CALLBACK_MSG_SCAN_FINISHED)
		keep_expected(context);
	return CALLBACK_CONTINUE;
}

static void on_error(int level, const char *file, int line, const YR_RULE *rule,
		     const char *message, void *user)
{
	(void)file, (void)rule, (void)user;
	if (level == YARA_ERROR_LEVEL_ERROR)
		differ("line %d does not compile: %s", line, message);
}

static void compile_whole(void)
{
	YR_COMPILER *compiler;

	if (yr_compiler_create(&compiler))
		abort();
	yr_compiler_set_callback(compiler, on_error, NULL);
	yr_compiler_add_string(compiler, run.set.text, "n");
	if (yr_compiler_get_rules(compiler, &run.whole))
		abort();
	yr_compiler_destroy(compiler);
	run.expected =
		calloc(run.whole->num_strings + 1, sizeof(*run.expected));
	run.n_expected =
		calloc(run.whole->num_strings + 1, sizeof(*run.n_expected));
	run.counted = calloc(run.whole->num_strings + 1, 1);
	run.holds = calloc(run.whole->num_rules + 1, 1);
	run.hit = calloc(run.whole->num_rules + 1, 1);
}

int __real_yr_scanner_set_callback(YR_SCANNER *, YR_CALLBACK_FUNC, void *);

static void scan_whole(void)
{
	YR_MEMORY_BLOCK_ITERATOR it = { .first = first_segment,
					.next = next_segment,
					.file_size = no_file_size };

	if (yr_scanner_create(run.whole, &run.scanner))
		abort();
	yr_scanner_set_flags(run.scanner,
			     SCAN_FLAGS_NO_TRYCATCH |
				     SCAN_FLAGS_PROCESS_MEMORY |
				     SCAN_FLAGS_REPORT_RULES_MATCHING);
	__real_yr_scanner_set_callback(run.scanner, on_expected, NULL);
	yr_scanner_set_timeout(run.scanner, SLOW_SECONDS);
	if (yr_scanner_scan_mem_blocks(run.scanner, &it))
		run.leave_out = "gave up";
	yr_scanner_destroy(run.scanner);
}

/* ---- comparing ------------------------------------------------------- */

/* @list: NULL if libyara was shown nothing. */
ANY_ALIGNMENT static void compare_string(const YR_STRING *s, unsigned where,
					 const YR_MATCHES *list)
{
	const struct found *want = run.expected[s->idx];
	const struct found *end = want + run.n_expected[s->idx];
	const YR_MATCH *m = list ? list->head : NULL;

	for (; want < end || m; want++, m = m->next) {
		struct found got = { 0 };

		if (m) {
			got.address = (uint64_t)(m->base + m->offset);
			got.length = (uint32_t)m->match_length;
		}
		if (!m || (want < end && got.address > want->address))
			differ_at("lost", s, where, want);
		if (want == end || got.address < want->address)
			differ_at("extra", s, where, &got);
		if (got.length != want->length) {
			printf("libyara alone has %u bytes\n", want->length);
			differ_at("other length", s, where, &got);
		}
	}
	if (!run.counted[s->idx]) {
		total.matches += run.n_expected[s->idx];
		if (!(rules_every_page(run.rules) & 1U << where))
			total.by_suspects += run.n_expected[s->idx];
	}
	run.counted[s->idx] = true;
}

static void compare_strings(unsigned where, const YR_MATCHES *lists)
{
	const YR_RULES *rules = rules_set(run.rules, where);

	for (uint32_t i = 0; i < rules->num_strings; i++) {
		const YR_STRING *s = &rules->strings_table[i];

		if (rules_judges(run.rules, where, s->rule_idx))
			compare_string(s, where, lists ? &lists[i] : NULL);
	}
}

/* match_scan.c hands on a few matches of each rule.  To see all of them, its
 * scanners report here first (the linker's --wrap). */
static struct shim {
	YR_CALLBACK_FUNC callback;
	void *user;
	unsigned where;
} shims[WHERE_COUNT];
static unsigned next_set; /* match_scan.c makes their scanners in order */

static int on_message(YR_SCAN_CONTEXT *context, int message, void *data,
		      void *user)
{
	const struct shim *shim = user;

	if (message == CALLBACK_MSG_SCAN_FINISHED) {
		run.judged[shim->where] = true;
		compare_strings(shim->where, context->matches);
	}
	return shim->callback(context, message, data, shim->user);
}

void __wrap_yr_scanner_set_callback(YR_SCANNER *, YR_CALLBACK_FUNC, void *);
void __wrap_yr_scanner_set_callback(YR_SCANNER *scanner, YR_CALLBACK_FUNC f,
				    void *user)
{
	struct shim *shim;

	while (!rules_set(run.rules, next_set))
		next_set++;
	shim = &shims[next_set];
	*shim = (struct shim){ f, user, next_set++ };
	__real_yr_scanner_set_callback(scanner, on_message, shim);
}

static int on_hit(void *user, struct wire_hit *hit)
{
	const char *name = rules_rule(run.rules, hit->rule)->name;

	(void)user;
	for (uint32_t i = 0; i < run.whole->num_rules; i++) {
		if (strcmp(run.whole->rules_table[i].identifier, name))
			continue;
		if (run.hit[i])
			differ("rule %s is reported twice", name);
		run.hit[i] = true;
	}
	return 0;
}

static void compare_verdicts(void)
{
	uint8_t where = run.image.segments[0].region.where;

	for (unsigned i = 0; i < WHERE_COUNT; i++)
		if (rules_set(run.rules, i) && !run.judged[i] &&
		    where & 1U << i)
			compare_strings(i, NULL);
	for (uint32_t i = 0; i < rules_count(run.rules); i++) {
		const struct rule *rule = rules_rule(run.rules, i);
		uint32_t k = (uint32_t)atoi(rule->name + 1);

		if (!(where & 1U << rule->where))
			continue;
		if (run.hit[k] != run.holds[k])
			differ("rule %s %s by libyara alone", rule->name,
			       run.holds[k] ? "holds" : "does not hold");
		total.verdicts++;
		total.every_page +=
			rules_every_page(run.rules) >> rule->where & 1;
	}
}

/* ---- the way of a scan ----------------------------------------------- */

static void compile_rules(void)
{
	char path[] = "/tmp/differential-XXXXXX";
	const char *paths[] = { path };
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	const struct rules_choice choice = { .no_default = true };
	struct why why = { "" };

	if (!f)
		abort();
	fputs(run.set.text, f);
	fclose(f);
	if (rules_load(paths, 1, &choice, &run.rules, &why))
		differ("rules_load: %s", why.text);
	unlink(path);
}

/* One that must see every page makes all for the same memory do so: in four of
 * five cases they have one kind of memory to themselves. */
static void part_rules(void)
{
	unsigned slow = (unsigned)(run.seed % 5);

	for (uint32_t i = 0; i < rules_count(run.rules); i++) {
		const struct rule *r = rules_rule(run.rules, i);

		if (r->slow[0])
			generate_where(&run.set, r->name, slow);
		else if (r->where == slow)
			generate_where(&run.set, r->name,
				       (slow + 1) % WHERE_COUNT);
	}
	rules_free(run.rules);
	compile_rules();
}

static void load_rules(void)
{
	const struct match_scan_tell tell = { NULL, on_hit, NULL };

	compile_rules();
	if (run.seed % 5 < WHERE_COUNT)
		part_rules();
	next_set = 0;
	if (match_scan_new(run.rules, &tell, &run.scan))
		abort();
}

static struct prefilter *make_filter(uint8_t where)
{
	struct prefilter *ret = NULL;
	struct why why = { "" };
	size_t n, kept = 0;
	const struct atom *atoms = rules_atoms(run.rules, &n);
	struct atom *copy = calloc(n + 1, sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		if (atoms[i].where & where)
			copy[kept++] = atoms[i];
	if (prefilter_new(copy, kept, &ret, &why))
		differ("prefilter_new: %s", why.text);
	free(copy);
	return ret;
}

static void flush(void)
{
	if (run.look.n && match_scan_look(run.scan, &run.look, run.memory))
		differ("match_scan_look refuses its windows");
	/* What the matcher must not rely on any more. */
	memset(run.memory, 0x5a, run.used);
	run.look.n = 0;
	run.used = 0;
}

/* As match_look() does, with the segment for the resident pages. */
static void show(const struct segment *seg, const struct suspect *s)
{
	uint64_t start = s->start, end = s->end;

	if (start < seg->region.start)
		start = seg->region.start;
	if (end > seg->region.end)
		end = seg->region.end;
	for (uint64_t from = start, to; from < end;
	     from = to < end ? to - WIRE_SPAN : to) {
		to = end - from > WIRE_WINDOW ? from + WIRE_WINDOW : end;
		if (run.look.n == WIRE_WINDOWS ||
		    run.used + WIRE_WINDOW > WIRE_BYTES)
			flush();
		memcpy(run.memory + run.used,
		       seg->bytes + (from - seg->region.start), to - from);
		run.look.window[run.look.n++] = (struct wire_window){
			.address = from,
			.offset = (uint32_t)run.used,
			.len = (uint32_t)(to - from),
			.where = s->where,
		};
		run.used += (to - from + 63) / 64 * 64;
	}
}

static const struct segment *segment_of(const uint8_t *bytes)
{
	const struct segment *s = run.image.segments;

	while (bytes >= s->bytes + s->n_pages * FLOW_PAGE)
		s++;
	return s;
}

static void sweep_all(const struct sweep *sweep)
{
	static struct sweep_result result;
	const struct image *m = &run.image;

	for (size_t i = 0; i < m->n_batches; i++) {
		const uint8_t *bytes = m->memory + m->batch[i] * FLOW_PAGE;
		const struct segment *seg = segment_of(bytes);
		struct batch b = {
			.region = &seg->region,
			.bytes = bytes,
			.address = m->address + m->batch[i],
			.n_pages = m->batch[i + 1] - m->batch[i],
		};

		sweep_batch(sweep, &b, &result);
		for (size_t k = 0; k < result.n_suspects; k++)
			show(seg, &result.suspects[k]);
	}
	flush();
}

static void scan_windows(void)
{
	struct sweep sweep = { 0 };
	struct prefilter *filter[SWEEP_FILTERS];
	struct wire_done done;

	load_rules();
	for (size_t i = 0; i < SWEEP_FILTERS; i++)
		sweep.filter[i] = filter[i] = make_filter(sweep_where[i]);
	sweep.every_page = rules_every_page(run.rules);
	sweep_all(&sweep);
	if (match_scan_end(run.scan, &done))
		differ("match_scan_end fails");
	if (done.incomplete)
		differ("incomplete: %s", done.text);
	compare_verdicts();
	for (size_t i = 0; i < SWEEP_FILTERS; i++)
		prefilter_free(filter[i]);
	match_scan_free(run.scan);
	rules_free(run.rules);
}

/* ---- cases ----------------------------------------------------------- */

static void do_case(uint64_t seed)
{
	struct rng rng = { seed };

	memset(&run, 0, offsetof(struct run, look));
	memset(run.judged, 0, sizeof(run.judged));
	run.seed = seed;
	generate_rules(&rng, &run.set);
	image_make(&rng, &run.set, &run.image);
	compile_whole();
	scan_whole();
	if (!run.leave_out) {
		scan_windows();
		total.rules += run.set.n_rules;
		total.strings += run.set.n_strings;
	} else {
		total.zeros += run.leave_out[0] == 'z';
		total.many += run.leave_out[0] == 'm';
		total.gave_up += run.leave_out[0] == 'g';
	}
	total.cases++;
	for (uint32_t i = 0; i < run.whole->num_strings; i++)
		free(run.expected[i]);
	free(run.expected);
	free(run.n_expected);
	free(run.counted);
	free(run.holds);
	free(run.hit);
	yr_rules_destroy(run.whole);
	image_free(&run.image);
	free(run.set.text);
}

/* tests/run shows what begins with "hint: " even if all is well. */
static void print_totals(uint64_t seed)
{
	const struct totals *t = &total;

	printf("hint: libyara %s: %" PRIu64 " matches compared (%" PRIu64
	       " by the prefilter) of %" PRIu64 " strings, 0 lost, 0 extra; "
	       "%" PRIu64 " verdicts (%" PRIu64 " by every page) of %" PRIu64
	       " rules; seeds %" PRIu64 " to %" PRIu64 "; left out: %" PRIu64
	       " cases for zeros, %" PRIu64 " for many matches, %" PRIu64
	       " that libyara gave up\n",
	       YR_VERSION, t->matches, t->by_suspects, t->strings, t->verdicts,
	       t->every_page, t->rules, seed, seed + t->cases - 1, t->zeros,
	       t->many, t->gave_up);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "cases", required_argument, NULL, 'c' },
		{ "matches", required_argument, NULL, 'm' },
		{ "seconds", required_argument, NULL, 't' },
		{ 0 },
	};
	uint64_t seed = 1, cases = UINT64_MAX, matches = UINT64_MAX;
	time_t end = 0;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		uint64_t n = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (opt) {
		case 's':
			seed = n;
			break;
		case 'c':
			cases = n;
			break;
		case 'm':
			matches = n;
			break;
		case 't':
			end = time(NULL) + (time_t)n;
			break;
		default:
			return 2;
		}
	}
	if (cases == UINT64_MAX && matches == UINT64_MAX && !end)
		end = time(NULL) + 5;
	setvbuf(stdout, NULL, _IOLBF, 0);
	yr_initialize();
	yr_set_configuration_uint32(YR_CONFIG_MAX_MATCH_DATA, HIT_BYTES);
	while (total.cases < cases && total.matches < matches &&
	       (!end || time(NULL) < end))
		do_case(seed + total.cases);
	yr_finalize();
	print_totals(seed);
	puts("1 passed, 0 failed, 0 skipped");
	return 0;
}
