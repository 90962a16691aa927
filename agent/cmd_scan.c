/* cmd_scan.c - `davylamp scan`: one look at every process. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd_scan_words.h"
#include "commands.h"
#include "confine.h"
#include "defaultset.h"
#include "finding_json.h"
#include "io.h"
#include "look_json.h"
#include "pass.h"
#include "record.h"
#include "report_start.h"
#include "show.h"
#include "show_exclude.h"
#include "text.h"

struct totals {
	size_t processes, clean, findings, carriers, partial, vanished,
		denied, excluded;
	uint64_t read_bytes, shared_bytes;
};

struct run {
	struct scan_words o;
	struct hashset *set;
	struct pass *pass;
	struct finding_tools tools;
	struct show show;
	struct show_progress progress;
	struct totals t;
	struct config config;  /* its exclusions hold for this scan; */
	bool configured;       /* only with --config or --report */
	struct record *record; /* NULL without --report */
	uint64_t begin_ns;
	size_t n_rules;
	bool absent; /* a process that was named, or is hidden, is not there */
};

/* ---- one process ---------------------------------------------------------- */

static void on_progress(void *user, size_t processes, uint64_t bytes)
{
	struct run *r = user;

	r->progress.done = processes;
	r->progress.done_bytes = bytes;
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

/* For delivery; what can not be kept is told, and the scan goes on. */
static void keep(struct run *r, const struct look *l, enum verdict v,
		 const struct finding *f, json_object *json)
{
	struct why why = { "" };

	if (!r->record || !record_look(r->record, l, v, f, json, &why))
		return;
	show_progress_end(&r->progress);
	fprintf(stderr, "davylamp scan: %s\n", why.text);
}

static void report(struct run *r, const struct finding *f)
{
	json_object *json = NULL;
	const struct who *who = f->look->who;

	show_progress_end(&r->progress);
	if (r->o.json || r->record)
		json = finding_json(f, who, &r->tools);
	keep(r, f->look, VERDICT_FINDING, f, json);
	if (r->o.json)
		print_json(json_object_get(json));
	else
		show_finding(&r->show, f, who);
	json_object_put(json);
}

static void count(struct totals *t, const struct look *l, enum verdict v)
{
	t->processes++;
	t->read_bytes += l->read_bytes;
	t->shared_bytes += l->shared_bytes;
	t->findings += v == VERDICT_FINDING;
	t->carriers += v == VERDICT_CARRIER;
	t->clean += v == VERDICT_CLEAN;
	t->denied += l->denied;
	t->partial += l->state == SCAN_PARTIAL && !l->denied;
	t->vanished += l->state == SCAN_VANISHED;
}

/* Who asks for one process wants an answer for it; else what is clean, ended
 * or forbidden is only counted. */
static bool is_worth_a_line(const struct run *r, const struct look *l,
			    enum verdict v)
{
	return r->o.verbose || r->o.n_pids || r->o.n_captures ||
	       v == VERDICT_CARRIER || l->proc->hidden ||
	       (l->state == SCAN_PARTIAL && !l->denied);
}

static void on_look(void *user, const struct look *l, enum verdict v,
		    const struct finding *f)
{
	static const char *const names[] = {
		[VERDICT_CLEAN] = "clean",
		[VERDICT_FINDING] = "finding",
		[VERDICT_CARRIER] = ("carries rules or a miner's words or file "
				     "as plain data, no finding"),
		[VERDICT_UNKNOWN] = "not complete",
	};
	struct run *r = user;

	count(&r->t, l, v);
	if (!f)
		keep(r, l, v, NULL, NULL);
	if (r->o.json && r->o.verbose)
		print_json(look_json(l, v, f));
	if (f) {
		report(r, f);
	} else if (!r->o.json && is_worth_a_line(r, l, v)) {
		show_progress_end(&r->progress);
		show_look(&r->show, l, names[v]);
	}
}

/* Known to be there, and no way in: that is told whatever else is not. */
static void hidden_and_unseen(struct run *r, pid_t pid, int err,
			      const struct proc *p)
{
	if (kill(pid, 0) && errno == ESRCH)
		return; /* it ended */
	show_progress_end(&r->progress);
	fprintf(stderr, "davylamp scan: process %d is hidden (%s) and can not "
			"be looked at: %s; as root with\nCAP_SYS_ADMIN it "
			"could\n",
		pid, verdict_hiding(p->hidden), strerror(-err));
	r->absent = true;
}

/* A pid that was named must be there to be looked at. */
static void on_absent(void *user, pid_t pid, int err, const struct proc *p)
{
	struct run *r = user;

	if (r->record && err && err != -ESRCH)
		record_absent(r->record, pid);
	if (!r->o.n_pids && p->hidden && err) {
		hidden_and_unseen(r, pid, err, p);
		return;
	}
	if (!r->o.n_pids) {
		r->t.denied += err && err != -ESRCH; /* hidepid */
		return;
	}
	r->absent = true;
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
}

static void on_excluded(void *user, const struct proc *p,
			const struct exclusion *x)
{
	struct run *r = user;
	struct show s = r->show;

	r->t.excluded++;
	r->absent |= r->o.n_pids > 0;
	if (!r->o.n_pids && !r->o.verbose)
		return;
	show_progress_end(&r->progress);
	if (r->o.json)
		s.out = stderr;
	show_exclude_process(&s, p, x);
}

/* ---- the end ---------------------------------------------------------------- */

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
		{ "excluded", r->t.excluded },
		{ "hidden", pass_hidden(r->pass) },
		{ "readBytes", r->t.read_bytes },
		{ "sharedBytes", r->t.shared_bytes },
		{ "rules", r->n_rules },
		{ "pageDigests",
		  hashset_n_pages(r->set) - hashset_n_fragments(r->set) },
		{ "fragmentDigests", hashset_n_fragments(r->set) },
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
	if (r->configured)
		json_object_object_add(s, "exclusions",
				       show_exclude_json(r->config.excludes));
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
	if (t->excluded)
		printf(", %zu excluded", t->excluded);
	if (pass_hidden(r->pass))
		printf("; %zu hidden", pass_hidden(r->pass));
	printf("\n%s read in %.1f s (%s more shared, looked at once); %zu "
	       "rules,\n%u digests of %u known binaries\n",
	       text_bytes(t->read_bytes, read), seconds,
	       text_bytes(t->shared_bytes, shared), r->n_rules,
	       hashset_n_pages(r->set), hashset_n_binaries(r->set));
	if (r->configured)
		show_exclude(&r->show, r->config.excludes);
}

/* ---- start ------------------------------------------------------------------ */

static int open_set(struct run *r, struct why *why)
{
	return defaultset_open(r->o.hashes, &r->set, why);
}

static unsigned threads(const struct scan_words *o)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (o->threads)
		return o->threads;
	if (!isatty(STDERR_FILENO) || cpus < 1)
		return 1;
	return cpus < PASS_THREADS ? (unsigned)cpus : PASS_THREADS;
}

static void warn_of_slow_rules(const struct run *r)
{
	char name[160];
	size_t n, slow = 0, which = 0;
	const struct rule *rules = match_rules(pass_match(r->pass), &n);

	for (size_t i = n; i-- > 0;)
		if (rules[i].slow[0]) {
			slow++;
			which = i;
		}
	if (slow && !r->o.json)
		fprintf(stderr, "davylamp scan: %zu rule%s must see every page, "
				"which takes as long as libyara\ndoes; why: "
				"davylamp rules check (%s%s)\n",
			slow, slow == 1 ? "" : "s",
			text_escape_str(rules[which].name, name, sizeof(name)),
			slow == 1 ? "" : ", ...");
}

static int read_config(struct run *r)
{
	struct why why = { "" };

	if (!r->o.report && !r->o.config)
		return 0;
	if (config_load(r->o.config, &r->config, &why)) {
		fprintf(stderr, "davylamp scan: %s\n", why.text);
		return EXIT_USAGE;
	}
	r->configured = true;
	r->tools.environment = r->config.findings.environment;
	if (r->o.report && record_open(&r->config, &r->record, &why)) {
		fprintf(stderr, "davylamp scan: %s\nNothing was scanned.\n",
			why.text);
		return EXIT_UNABLE;
	}
	return 0;
}

static int prepare(struct run *r)
{
	struct why why = { "" };
	struct pass_options po;
	int err = open_set(r, &why);

	if (err) {
		fprintf(stderr, "davylamp scan: %s\n", why.text);
		return EXIT_USAGE;
	}
	po = (struct pass_options){
		.rules = { .paths = r->o.rules,
			   .n_paths = r->o.n_rules,
			   .no_default_rules = r->o.no_default_rules },
		.set = r->set,
		.pids = r->o.pids,
		.n_pids = r->o.n_pids,
		.captures = r->o.captures,
		.n_captures = r->o.n_captures,
		.excludes = r->configured ? r->config.excludes : NULL,
		.threads = threads(&r->o),
	};
	if (r->o.timeout_s)
		po.deadline_ns = r->begin_ns + r->o.timeout_s * 1000000000ULL;
	err = pass_new(&po, &r->pass, &why) ?: confine_started(&why);
	if (err) {
		fprintf(stderr, "davylamp scan: %s\nNothing was scanned.\n",
			why.text);
		return err == -EINVAL || r->o.n_captures ? EXIT_USAGE
							 : EXIT_UNABLE;
	}
	r->tools = (struct finding_tools){
		match_engine(pass_match(r->pass)),
		match_version(pass_match(r->pass)),
		hashset_version(r->set),
		r->tools.environment,
	};
	match_rules(pass_match(r->pass), &r->n_rules);
	warn_of_slow_rules(r);
	return 0;
}

/* --report: what the pass means for findings that were open before, and then
 * all of it to where it should go. */
static void deliver(struct run *r)
{
	struct why why = { "" };
	/* Others' processes may be hidden from who is not root. */
	bool listed_all = !r->o.n_pids && !geteuid();

	if (record_end(r->record, listed_all, &why))
		fprintf(stderr, "davylamp scan: %s\n", why.text);
	record_close(r->record);
	r->record = NULL;
	fflush(stdout);
	if (report_start("--once", NULL, r->o.config, &why) < 0)
		fprintf(stderr, "davylamp scan: %s\nThe findings wait in the "
				"spool: davylamp report\n",
			why.text);
}

static int run(struct run *r)
{
	const struct pass_events events = { r, on_look, on_absent, on_excluded,
					    on_progress };
	double seconds;

	r->progress.all = pass_processes(r->pass);
	r->progress.all_bytes = r->progress.out ? pass_bytes(r->pass) : 0;
	pass_run(r->pass, &events);
	show_progress_end(&r->progress);
	seconds = (double)(io_now_ns() - r->begin_ns) / 1e9;
	if (r->o.json)
		summarize_json(r, seconds);
	else
		summarize(r, seconds);
	if (r->record)
		deliver(r);
	if (r->t.findings)
		return EXIT_FINDINGS;
	if (r->absent || r->t.partial || r->t.denied ||
	    ((r->o.n_pids || r->o.n_captures) && r->t.vanished))
		return EXIT_INCOMPLETE;
	return EXIT_CLEAN;
}

int cmd_scan(int argc, char **argv)
{
	static struct run r; /* large */
	int status = scan_words_take(&r.o, argc, argv);

	if (status)
		return status < 0 ? EXIT_CLEAN : status;
	confine_begin();
	r.begin_ns = io_now_ns();
	show_init(&r.show, stdout);
	r.show.verbose = r.o.verbose;
	show_progress_init(&r.progress, stderr);
	status = read_config(&r);
	if (!status)
		status = prepare(&r);
	if (!status)
		status = run(&r);
	record_close(r.record);
	pass_free(r.pass);
	hashset_free(r.set);
	if (r.configured)
		config_free(&r.config);
	scan_words_free(&r.o);
	return status;
}
