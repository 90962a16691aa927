/* cmd_scan.c - `davylamp scan`: one look at every process. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "builtin.h"
#include "commands.h"
#include "finding_json.h"
#include "io.h"
#include "proc.h"
#include "scan.h"
#include "show.h"
#include "text.h"
#include "verdict.h"

#define UNREAD_SHOWN 5

struct options {
	const char **rules;
	size_t n_rules;
	pid_t *pids;
	size_t n_pids;
	const char *hashes;
	bool no_default_rules, json, verbose;
	unsigned timeout_s;
};

struct totals {
	size_t processes, clean, findings, carriers, partial, vanished,
		denied, swapped;
	uint64_t read_bytes, shared_bytes, begin_ns;
	enum severity worst;
};

struct run {
	struct options o;
	struct hashset *set;
	struct scan *scan;
	struct finding_tools tools;
	struct show show;
	struct show_progress progress;
	struct totals t;
	uint64_t deadline_ns;
	int procfs;
	pid_t *pids;
	size_t n_pids;
};

/* ---- words -------------------------------------------------------------------- */

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "rules", required_argument, NULL, 'r' },
	{ "no-default-rules", no_argument, NULL, 'n' },
	{ "hashes", required_argument, NULL, 'H' },
	{ "timeout", required_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void help(void)
{
	puts("usage: davylamp scan [OPTION]...\n"
	     "\n"
	     "Looks once at the memory of every process and says what mines.\n"
	     "As root it sees all processes; else only your own.\n"
	     "\n"
	     "  -p, --pid PID          only this process (may be repeated)\n"
	     "  -r, --rules PATH       also use these YARA rules: a source "
	     "file, or a\n"
	     "                         directory of *.yar and *.yara (may be "
	     "repeated)\n"
	     "      --no-default-rules without the built-in rules\n"
	     "      --hashes FILE      this hash set instead of the built-in "
	     "one\n"
	     "  -t, --timeout SECONDS  stop after that long; what was not "
	     "reached is\n"
	     "                         reported as not complete\n"
	     "      --json             JSON Lines: one finding a line, a "
	     "summary last\n"
	     "  -v, --verbose          a line for every process, and every "
	     "string of a rule\n"
	     "\n"
	     "Exit status: 0 clean, 1 findings, 2 wrong words or rules, 3 "
	     "something could\nnot be read to the end, 4 unable.");
}

/* A whole number in [least, most], or -1. */
static long number(const char *text, long least, long most)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	return errno || end == text || *end || n < least || n > most ? -1 : n;
}

static int bad_value(const char *option, const char *value,
		     const char *allowed)
{
	char shown[128];

	fprintf(stderr, "davylamp scan: %s '%s': must be %s\n", option,
		text_escape_str(value, shown, sizeof(shown)), allowed);
	return EXIT_USAGE;
}

static int take_option(struct options *o, int c, const char *value)
{
	long n;

	switch (c) {
	case 'p':
		n = number(value, 1, 1L << 22);
		if (n < 0)
			return bad_value("--pid", value, "a process id");
		o->pids[o->n_pids++] = (pid_t)n;
		return 0;
	case 'r':
		o->rules[o->n_rules++] = value;
		return 0;
	case 't':
		n = number(value, 1, 86400);
		if (n < 0)
			return bad_value("--timeout", value,
					 "seconds, 1 to 86400");
		o->timeout_s = (unsigned)n;
		return 0;
	case 'H':
		o->hashes = value;
		return 0;
	case 'n':
		o->no_default_rules = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	default:
		fputs("davylamp scan: see davylamp help scan\n", stderr);
		return EXIT_USAGE;
	}
}

/* 0: go on; -1: help was asked for; else an exit status. */
static int take_options(struct options *o, int argc, char **argv)
{
	char shown[128];
	int c, status = 0;

	o->rules = calloc((size_t)argc + 1, sizeof(*o->rules));
	o->pids = calloc((size_t)argc + 1, sizeof(*o->pids));
	if (!o->rules || !o->pids)
		return EXIT_UNABLE;
	while (!status && (c = getopt_long(argc, argv, "p:r:t:vh",
					   long_options, NULL)) != -1) {
		if (c == 'h') {
			help();
			return -1;
		}
		status = take_option(o, c, optarg);
	}
	if (!status && optind < argc) {
		fprintf(stderr, "davylamp scan: what is '%s'? see davylamp "
				"help scan\n",
			text_escape_str(argv[optind], shown, sizeof(shown)));
		status = EXIT_USAGE;
	}
	return status;
}

/* ---- what is ours -------------------------------------------------------------- */

static bool is_ours(const struct run *r, const struct proc *p)
{
	return p->pid == getpid() || match_is(scan_match(r->scan), p);
}

/* ---- one process ---------------------------------------------------------------- */

static void on_bytes(void *user, uint64_t bytes)
{
	struct run *r = user;

	r->progress.done_bytes += bytes;
	show_progress(&r->progress);
}

static void print_json(json_object *o)
{
	if (!o)
		return;
	puts(json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(stdout);
	json_object_put(o);
}

static void report(struct run *r, const struct finding *f)
{
	struct who who;

	who_read(f->look->proc, &who);
	show_progress_end(&r->progress);
	if (r->o.json)
		print_json(finding_json(f, &who, &r->tools));
	else
		show_finding(&r->show, f, &who);
	if (f->severity > r->t.worst)
		r->t.worst = f->severity;
}

static void count(struct run *r, const struct look *l, enum verdict v)
{
	r->t.processes++;
	r->t.read_bytes += l->read_bytes;
	r->t.shared_bytes += l->shared_bytes;
	r->t.findings += v == VERDICT_FINDING;
	r->t.carriers += v == VERDICT_CARRIER;
	r->t.clean += v == VERDICT_CLEAN;
	r->t.partial += l->state == SCAN_PARTIAL;
	r->t.vanished += l->state == SCAN_VANISHED;
}

static void look_at(struct run *r, const struct proc *p)
{
	static const char *const names[] = {
		[VERDICT_CLEAN] = "clean",
		[VERDICT_FINDING] = "finding",
		[VERDICT_CARRIER] = "carries rules or a miner's words or file "
				    "as plain data, no finding",
		[VERDICT_UNKNOWN] = "not complete",
	};
	struct finding f;
	struct look l;
	enum verdict v;

	scan_look(r->scan, p, r->deadline_ns, on_bytes, r, &l);
	v = verdict_judge(&l, &f);
	count(r, &l, v);
	if (l.state == SCAN_PARTIAL && l.denied)
		r->t.denied++;
	if (v == VERDICT_FINDING)
		report(r, &f);
	if (r->o.json || v == VERDICT_FINDING)
		return;
	/* Who asks for one process wants an answer for it. */
	if (r->o.verbose || r->o.n_pids || v == VERDICT_CARRIER ||
	    (v == VERDICT_UNKNOWN && l.state == SCAN_PARTIAL &&
	     (!l.denied || r->t.denied <= UNREAD_SHOWN))) {
		show_progress_end(&r->progress);
		show_look(&r->show, &l, names[v]);
	}
}

/* A pid that was named must be there to be looked at. */
static int explain_absence(pid_t pid, int err, const struct proc *p)
{
	if (err == -ESRCH)
		fprintf(stderr, "davylamp scan: there is no process %d\n",
			pid);
	else if (err)
		fprintf(stderr, "davylamp scan: process %d: %s\n", pid,
			strerror(-err));
	else if (p->kernel)
		fprintf(stderr, "davylamp scan: process %d is a kernel "
				"thread: it has no memory of its own\n",
			pid);
	else
		fprintf(stderr, "davylamp scan: process %d is a zombie: its "
				"memory is gone\n",
			pid);
	return EXIT_INCOMPLETE;
}

static int look_at_pid(struct run *r, pid_t pid)
{
	struct proc p;
	int err = proc_open(r->procfs, pid, &p), status = 0;
	bool empty = !err && (p.kernel || p.state == 'Z' || p.state == 'X');

	if (r->o.n_pids && (err || empty))
		status = explain_absence(pid, err, &p);
	else if (err && err != -ESRCH) /* hidepid */
		r->t.denied++;
	else if (!err && !empty && !is_ours(r, &p))
		look_at(r, &p);
	proc_close(&p);
	return status;
}

/* ---- all of them ------------------------------------------------------------------ */

/* Resident pages, second number of proc_pid_statm(5): for the bar. */
static uint64_t resident_bytes(int procfs, pid_t pid)
{
	unsigned long long pages = 0;
	char name[32], text[128];

	snprintf(name, sizeof(name), "%d/statm", pid);
	if (io_read_at(procfs, name, text, sizeof(text)) > 0)
		sscanf(text, "%*u %llu", &pages);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int list(struct run *r)
{
	int err;

	if (r->o.n_pids) {
		r->pids = r->o.pids;
		r->n_pids = r->o.n_pids;
		return 0;
	}
	err = proc_list(r->procfs, &r->pids, &r->n_pids);
	if (err)
		fprintf(stderr, "davylamp scan: /proc can not be read: %s\n",
			strerror(-err));
	return err;
}

static int look_at_all(struct run *r)
{
	int status = 0;

	r->progress.all = r->n_pids;
	for (size_t i = 0; r->progress.out && i < r->n_pids; i++)
		r->progress.all_bytes += resident_bytes(r->procfs, r->pids[i]);
	for (size_t i = 0; i < r->n_pids; i++) {
		int s = look_at_pid(r, r->pids[i]);

		status = s ? s : status;
		r->progress.done = i + 1;
	}
	show_progress_end(&r->progress);
	return status;
}

static void summarize_json(const struct run *r, double seconds)
{
	json_object *o = json_object_new_object();
	json_object *s = json_object_new_object();
	const struct {
		const char *key;
		uint64_t n;
	} numbers[] = {
		{ "processes", r->t.processes },
		{ "findings", r->t.findings },
		{ "clean", r->t.clean },
		{ "carriers", r->t.carriers },
		{ "partial", r->t.partial },
		{ "vanished", r->t.vanished },
		{ "denied", r->t.denied },
		{ "readBytes", r->t.read_bytes },
		{ "sharedBytes", r->t.shared_bytes },
		{ "rules", match_n_rules(scan_match(r->scan)) },
		{ "pageDigests", hashset_n_pages(r->set) },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_object_add(
			s, numbers[i].key,
			json_object_new_int64((int64_t)numbers[i].n));
	json_object_object_add(s, "seconds", json_object_new_double(seconds));
	json_object_object_add(s, "ruleSetVersion",
			       json_object_new_string(r->tools.rules_version));
	json_object_object_add(s, "hashSetVersion",
			       json_object_new_string(r->tools.set_version));
	json_object_object_add(o, "summary", s);
	print_json(o);
}

static const char *plural_es(size_t n)
{
	return n == 1 ? "" : "es";
}

static void summarize(const struct run *r, double seconds)
{
	const struct totals *t = &r->t;
	char read[16], shared[16];

	if (t->denied && geteuid())
		printf("%zu process%s of other users could not be read; to "
		       "look at all: sudo davylamp scan\n",
		       t->denied, plural_es(t->denied));
	else if (t->denied)
		printf("%zu process%s could not be read, though this is root: "
		       "a security module\nor a missing capability "
		       "(CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH) forbids it\n",
		       t->denied, plural_es(t->denied));
	printf("%zu process%s: %zu finding%s, %zu clean", t->processes,
	       plural_es(t->processes), t->findings,
	       t->findings == 1 ? "" : "s", t->clean);
	if (t->carriers)
		printf(", %zu carrying such data", t->carriers);
	if (t->partial)
		printf(", %zu not complete", t->partial);
	if (t->vanished)
		printf(", %zu ended", t->vanished);
	printf("\n%s read in %.1f s (%s more shared, looked at once); %zu "
	       "rules,\n%u page digests of %u known binaries\n",
	       text_bytes(t->read_bytes, read), seconds,
	       text_bytes(t->shared_bytes, shared),
	       match_n_rules(scan_match(r->scan)), hashset_n_pages(r->set),
	       hashset_n_binaries(r->set));
}

/* ---- start and end ------------------------------------------------------------------ */

static int open_set(struct run *r, struct why *why)
{
	if (r->o.hashes)
		return hashset_open(r->o.hashes, &r->set, why);
	return hashset_from_memory(builtin_set,
				   (size_t)(builtin_set_end - builtin_set),
				   &r->set, why);
}

static int prepare(struct run *r)
{
	struct why why = { "" };
	struct scan_options so;
	int err = open_set(r, &why);

	if (err) {
		fprintf(stderr, "davylamp scan: %s\n", why.text);
		return EXIT_USAGE;
	}
	so = (struct scan_options){
		.rules = { r->o.rules, r->o.n_rules, r->o.no_default_rules },
		.set = r->set,
	};
	err = scan_new(&so, &r->scan, &why);
	if (err) {
		fprintf(stderr, "davylamp scan: %s\nNothing was scanned.\n",
			why.text);
		return err == -EINVAL ? EXIT_USAGE : EXIT_UNABLE;
	}
	r->tools = (struct finding_tools){
		match_engine(scan_match(r->scan)),
		match_version(scan_match(r->scan)),
		hashset_version(r->set),
	};
	r->procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->procfs < 0 || list(r))
		return EXIT_UNABLE;
	if (match_slow_rule(scan_match(r->scan))[0] && !r->o.json)
		fprintf(stderr, "davylamp scan: rule %s can hold without a "
				"long string, so it must see\nevery page: "
				"this scan takes as long as libyara does\n",
			match_slow_rule(scan_match(r->scan)));
	return 0;
}

static int conclude(struct run *r, int status)
{
	double seconds = (double)(io_now_ns() - r->t.begin_ns) / 1e9;

	if (r->o.json)
		summarize_json(r, seconds);
	else
		summarize(r, seconds);
	if (r->t.findings)
		return EXIT_FINDINGS;
	if (status || r->t.partial || r->t.denied ||
	    (r->o.n_pids && r->t.vanished))
		return EXIT_INCOMPLETE;
	return EXIT_CLEAN;
}

int cmd_scan(int argc, char **argv)
{
	static struct run r; /* large */
	int status = take_options(&r.o, argc, argv);

	if (status)
		return status < 0 ? EXIT_CLEAN : status;
	r.t.begin_ns = io_now_ns();
	if (r.o.timeout_s)
		r.deadline_ns = r.t.begin_ns + r.o.timeout_s * 1000000000ULL;
	show_init(&r.show, stdout);
	r.show.verbose = r.o.verbose;
	show_progress_init(&r.progress, stderr);
	status = prepare(&r);
	if (!status)
		status = conclude(&r, look_at_all(&r));
	if (r.procfs > 0)
		close(r.procfs);
	scan_free(r.scan);
	hashset_free(r.set);
	if (r.pids != r.o.pids)
		free(r.pids);
	free(r.o.pids);
	free(r.o.rules);
	return status;
}
