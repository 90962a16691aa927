/* cmd_status.c - `davylamp status`: how the service does. */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "config.h"
#include "show.h"
#include "status.h"
#include "text.h"

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void usage(FILE *out)
{
	fputs("usage: davylamp status [--json] [--config FILE]\n\n"
	      "How the service does: what it learns of, what it has looked at "
	      "and has still to,\nwhat that cost, what it found.\n\n"
	      "  --json         as one JSON object\n"
	      "  --config FILE  where [run] status says which socket to ask\n\n"
	      "Exit status: 0 it runs, 2 wrong use, 3 it runs with a defect "
	      "(sensors are not\nall there, events or findings were lost, "
	      "rules "
	      "are off, a reload failed), 4 it\ndoes not run; with --json, "
	      "too\n",
	      out);
}

/* ---- reading --------------------------------------------------------- */

/* The value at "part.key"; NULL: there is none. */
static json_object *at(json_object *o, const char *part, const char *key)
{
	json_object *p = o, *value = NULL;

	if (part && !json_object_object_get_ex(o, part, &p))
		return NULL;
	json_object_object_get_ex(p, key, &value);
	return value;
}

/* What is no list has no elements. */
static json_object *list(json_object *o, const char *part, const char *key,
			 size_t *ret_n)
{
	json_object *all = at(o, part, key);

	*ret_n = json_object_is_type(all, json_type_array)
			 ? json_object_array_length(all)
			 : 0;
	return all;
}

static long long number(json_object *o, const char *part, const char *key)
{
	return json_object_get_int64(at(o, part, key));
}

static double real(json_object *o, const char *part, const char *key)
{
	return json_object_get_double(at(o, part, key));
}

static bool truth(json_object *o, const char *part, const char *key)
{
	return json_object_get_boolean(at(o, part, key));
}

/* Escaped, in a buffer of its own for a few calls. */
static const char *text(json_object *o, const char *part, const char *key)
{
	static char shown[4][512];
	static unsigned next;
	const char *s = json_object_get_string(at(o, part, key));

	next = (next + 1) % 4;
	return text_escape_str(s ? s : "", shown[next], sizeof(shown[next]));
}

/* ---- judging --------------------------------------------------------- */

#define DEFECTS_MAX 32

/* Whatever keeps it from being all it could be. */
struct defects {
	size_t n;
	char text[DEFECTS_MAX][512];
};

__attribute__((format(printf, 2, 3))) static void defect(struct defects *d,
							 const char *format,
							 ...)
{
	va_list ap;

	if (d->n == DEFECTS_MAX)
		return;
	va_start(ap, format);
	vsnprintf(d->text[d->n++], sizeof(d->text[0]), format, ap);
	va_end(ap);
}

static void judge_sensors(json_object *o, struct defects *d)
{
	size_t n;
	json_object *all = list(o, "sensors", "programs", &n);

	if (!n)
		defect(d, "no BPF: %s", text(o, "sensors", "whyNoBpf"));
	if (text(o, "sensors", "whyNoNetlink")[0])
		defect(d, "no netlink: %s", text(o, "sensors", "whyNoNetlink"));
	for (size_t i = 0; i < n; i++) {
		json_object *p = json_object_array_get_idx(all, i);

		if (!text(p, NULL, "how")[0])
			defect(d, "BPF program %s: %s", text(p, NULL, "name"),
			       text(p, NULL, "why"));
	}
}

/* What was lost since it began. */
static void judge_counts(json_object *o, struct defects *d)
{
	static const struct {
		const char *part, *key, *what;
	} losses[] = {
		{ "sensors", "lost",
		  "events were lost; looks at every process made up for them" },
		{ "processes", "beyondLimit",
		  "times a process was one too many to be known" },
		{ "processes", "refused",
		  "processes are not looked at until they end: the service did "
		  "not survive it" },
		{ "findings", "refused",
		  "findings were not opened, for too many are open" },
		{ "findings", "displaced",
		  "findings were closed to make room for higher ones" },
		{ "findings", "spoolDropped",
		  "events were dropped for want of room in the spool; "
		  "[spool] max_bytes" },
		{ "findings", "spoolAside",
		  "events can not be delivered and lie in the spool's aside/" },
	};

	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		long long n = number(o, losses[i].part, losses[i].key);

		if (n)
			defect(d, "%lld %s", n, losses[i].what);
	}
}

static void judge_rules(json_object *o, struct defects *d)
{
	size_t n;
	json_object *off = list(o, "rules", "off", &n);

	if (text(o, "rules", "matcherDown")[0])
		defect(d,
		       "nothing is found by rules: davylamp-match can not be "
		       "started: %s",
		       text(o, "rules", "matcherDown"));
	for (size_t i = 0; i < n; i++) {
		char name[160];

		text_escape_str(json_object_get_string(
					json_object_array_get_idx(off, i))
					?: "",
				name, sizeof(name));
		defect(d,
		       "rule %s is off: davylamp-match failed at it in several "
		       "processes",
		       name);
	}
	if (text(o, "rules", "reloadFailed")[0])
		defect(d, "the last reload failed: %s",
		       text(o, "rules", "reloadFailed"));
}

static void judge(json_object *o, struct defects *d)
{
	judge_sensors(o, d);
	judge_counts(o, d);
	judge_rules(o, d);
}

/* ---- showing --------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void
line(const struct show *show, const char *label, const char *format, ...)
{
	char words[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(words, sizeof(words), format, ap);
	va_end(ap);
	show_field(show, label, words);
}

static const char *duration(double seconds, char ret[static 32])
{
	if (seconds < 120)
		snprintf(ret, 32, "%.0f s", seconds);
	else if (seconds < 7200)
		snprintf(ret, 32, "%.0f min", seconds / 60);
	else if (seconds < 172800)
		snprintf(ret, 32, "%.1f h", seconds / 3600);
	else
		snprintf(ret, 32, "%.1f days", seconds / 86400);
	return ret;
}

static void show_pass(const struct show *show, json_object *o)
{
	char a[32], b[32];
	long long done = number(o, "pass", "completed");

	if (truth(o, "pass", "running"))
		line(show, "pass", "running for %s, %lld of %lld processes to go",
		     duration(real(o, "pass", "runningSeconds"), a),
		     number(o, "pass", "toGo"), number(o, "pass", "processes"));
	else
		line(show, "pass", "the next one within %s",
		     duration(real(o, "pass", "nextSeconds"), a));
	if (done)
		line(show, "", "%lld completed, the last one in %s", done,
		     duration(real(o, "pass", "lastSeconds"), b));
}

static void show_exclusions(const struct show *show, json_object *o)
{
	size_t n;
	json_object *all = list(o, NULL, "exclusions", &n);

	for (size_t i = 0; i < n; i++) {
		json_object *e = json_object_array_get_idx(all, i);
		const char *note = text(e, NULL, "note");

		line(show, i ? "" : "excluded",
		     "%s: %lld processes in this pass, until %s: %s%s%s",
		     text(e, NULL, "name"), number(e, NULL, "processes"),
		     text(e, NULL, "until"), text(e, NULL, "reason"),
		     note[0] ? "; " : "", note);
	}
}

static void show_status(json_object *o, const struct defects *d)
{
	struct show show;
	char a[32], read[16];

	show_init(&show, stdout);
	printf("davylamp %s, process %lld, for %s\n", text(o, NULL, "version"),
	       number(o, NULL, "pid"), duration(real(o, NULL, "upSeconds"), a));
	line(&show, "sensors", "%s: %lld programs begun, %lld events lost",
	     text(o, "sensors", "mode"), number(o, "sensors", "execs"),
	     number(o, "sensors", "lost"));
	line(&show, "processes", "%lld, %lld of them to be looked at soon, %lld hidden",
	     number(o, "processes", "known"), number(o, "processes", "due"),
	     number(o, "processes", "hidden"));
	show_pass(&show, o);
	line(&show, "looks", "%lld for a trigger, %lld in passes; %lld not "
			     "complete, %lld forbidden",
	     number(o, "looks", "urgent"), number(o, "looks", "steady"),
	     number(o, "looks", "partial"), number(o, "looks", "denied"));
	line(&show, "cost", "%.2f %% of a core in the last ten minutes, of %.4g "
			    "%% allowed; %s read",
	     100 * real(o, "budget", "used"), 100 * real(o, "budget", "share"),
	     text_bytes((uint64_t)number(o, "looks", "readBytes"), read));
	line(&show, "findings", "%lld open, %lld since it began",
	     number(o, "findings", "open"), number(o, "findings", "opened"));
	line(&show, "rules", "%lld, version %s, by %s; %lld page digests, "
			     "version %s",
	     number(o, "rules", "rules"), text(o, "rules", "ruleSetVersion"),
	     text(o, "rules", "engine"), number(o, "rules", "pageDigests"),
	     text(o, "rules", "hashSetVersion"));
	show_exclusions(&show, o);
	for (size_t i = 0; i < d->n; i++)
		line(&show, "defect", "%s", d->text[i]);
}

static int ask(const char *file, bool json)
{
	static char answer[STATUS_MAX + 1];
	static struct defects d; /* large */
	struct why why = { "" };
	struct config config;
	json_object *o;
	int status;

	if (config_load(file, &config, &why)) {
		fprintf(stderr, "davylamp status: %s\n", why.text);
		return EXIT_USAGE;
	}
	status = status_ask(config.run.status, answer, &why) < 0;
	config_free(&config);
	o = status ? NULL : json_tokener_parse(answer);
	if (!status && !o)
		why_set(&why, 0, "the answer is not JSON");
	if (!o) {
		fprintf(stderr, "davylamp status: %s\n", why.text);
		return EXIT_UNABLE;
	}
	if (json)
		puts(json_object_to_json_string_ext(
			o, JSON_C_TO_STRING_PLAIN |
				   JSON_C_TO_STRING_NOSLASHESCAPE));
	judge(o, &d);
	if (!json)
		show_status(o, &d);
	json_object_put(o);
	return d.n ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

int cmd_status(int argc, char **argv)
{
	const char *file = NULL;
	bool json = false;
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "c:jh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			file = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_CLEAN;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return ask(file, json);
}
