/* cmd_scan.c - `davylamp scan`: one look at every process. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd_scan_sum.h"
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

struct run {
	struct scan_words o;
	struct hashset *set;
	struct pass *pass;
	struct finding_tools tools;
	struct show show;
	struct show_progress progress;
	struct scan_sum sum;
	struct config config;  /* its exclusions hold for this scan; */
	bool configured;       /* only with --config or --report */
	struct record *record; /* NULL without --report */
	uint64_t begin_ns;
	bool absent; /* a process that was named, or is hidden, is not there */
};

/* ---- one process ----------------------------------------------------- */

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

	scan_sum_add(&r->sum, l, v);
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
		r->sum.denied += err && err != -ESRCH; /* hidepid */
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

	r->sum.excluded++;
	r->absent |= r->o.n_pids > 0;
	if (!r->o.n_pids && !r->o.verbose)
		return;
	show_progress_end(&r->progress);
	if (r->o.json)
		s.out = stderr;
	show_exclude_process(&s, p, x);
}

/* ---- start and end --------------------------------------------------- */

static unsigned threads(const struct scan_words *o)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (o->threads)
		return o->threads;
	if (!isatty(STDERR_FILENO) || cpus < 1)
		return 1;
	return cpus < PASS_THREADS ? (unsigned)cpus : PASS_THREADS;
}

/* Of rules that can not work as whoever wrote them meant. */
static void warn_of(const char *what, size_t n, const struct rule *first)
{
	char name[160];

	if (n)
		fprintf(stderr,
			"davylamp scan: %zu rule%s %s;\n"
			"davylamp rules check names %s (%s%s)\n",
			n, n == 1 ? "" : "s", what, n == 1 ? "it" : "them",
			text_escape_str(first->name, name, sizeof(name)),
			n == 1 ? "" : ", ...");
}

static void warn_of_rules(const struct run *r)
{
	size_t n, n_slow = 0, n_undefined = 0;
	const struct rule *rules = match_rules(pass_match(r->pass), &n);
	const struct rule *slow = NULL, *undefined = NULL;

	for (size_t i = n; i-- > 0;) {
		if (rules[i].slow[0]) {
			slow = &rules[i];
			n_slow++;
		}
		if (rules[i].undefined[0]) {
			undefined = &rules[i];
			n_undefined++;
		}
	}
	if (r->o.json)
		return;
	warn_of("must see every page, which is as slow as libyara", n_slow,
		slow);
	warn_of("would need a file: uint16(0), filesize or a module",
		n_undefined, undefined);
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
	r->sum.excludes = r->config.excludes;
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
	int err = defaultset_open(r->o.hashes, &r->set, &why);

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
	r->sum.set = r->set;
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
	match_rules(pass_match(r->pass), &r->sum.n_rules);
	warn_of_rules(r);
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

	r->progress.all = pass_processes(r->pass);
	r->progress.all_bytes = r->progress.out ? pass_bytes(r->pass) : 0;
	pass_run(r->pass, &events);
	show_progress_end(&r->progress);
	r->sum.seconds = (double)(io_now_ns() - r->begin_ns) / 1e9;
	r->sum.hidden = pass_hidden(r->pass);
	if (r->o.json)
		print_json(scan_sum_json(&r->sum, &r->tools));
	else
		scan_sum_show(&r->sum, &r->show);
	if (r->record)
		deliver(r);
	if (r->sum.findings)
		return EXIT_FINDINGS;
	if (r->absent || r->sum.partial || r->sum.denied ||
	    ((r->o.n_pids || r->o.n_captures) && r->sum.vanished))
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
