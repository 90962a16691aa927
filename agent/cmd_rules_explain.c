/* cmd_rules_explain.c - `davylamp rules explain`: why does a rule hold for a
 * process, or not?
 *
 * Two looks: one as a scan would, which says whether the rule holds, and one
 * for its strings in all memory: what stands where the rule does not look
 * explains as much as what it saw. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd_rules.h"
#include "commands.h"
#include "maps.h"
#include "proc.h"
#include "scan.h"
#include "show.h"
#include "text.h"
#include "verdict.h"

#define CONTEXT 16 /* bytes before and behind a match */
#define ROW	16 /* bytes of one line */

static const char explain_help[] =
	"usage: davylamp rules explain [OPTION...] RULE PID\n"
	"       davylamp rules explain [OPTION...] RULE --capture FILE\n\n"
	"Says for each string of RULE where the process has it, in which region,\n"
	"and what stands around it; whether it counts there (the rule's meta\n"
	"`where`); and whether the rule holds.\n\n"
	"  -r, --rules PATH        also from these rules (may be repeated)\n"
	"      --no-default-rules  without the built-in ones\n"
	"      --json              as JSON\n\n"
	"Exit status: 0 it does not hold, 1 it holds, 2 wrong words or rules,\n"
	"3 the process could not be read to the end, 4 unable.\n";

static const char *const wheres[WHERE_COUNT] = { "executable memory",
						 "images", "JIT code",
						 "any memory" };
static const char *const where_names[WHERE_COUNT] = { "code", "image", "jit",
						      "any" };

struct explain {
	struct cmd_rules_words w;
	struct proc proc;
	struct capture *capture;
	struct scan *scan;  /* in all memory */
	struct look look;   /* likewise */
	const struct rule *rule;
	struct rule rule_copy;
	bool holds;
	struct show show;
	json_object *json; /* NULL: text */
};

/* ---- the looks ------------------------------------------------------- */

static int look(struct explain *e, bool anywhere, struct scan **ret_scan,
		struct look *ret, struct why *why)
{
	struct scan_options o = { .rules = {
					  .paths = e->w.rules,
					  .n_paths = e->w.n_rules,
					  .no_default_rules =
						  e->w.no_default_rules,
					  .only = e->w.only,
					  .anywhere = anywhere,
				  } };
	int err = scan_new(&o, ret_scan, why);

	if (!err)
		scan_look(*ret_scan, &e->proc, SCAN_FULL, 0, NULL, NULL,
			  ret);
	return err;
}

static int look_twice(struct explain *e, struct why *why)
{
	struct scan *as_scanned = NULL;
	struct look l;
	size_t n;
	int err = look(e, false, &as_scanned, &l, why);

	if (!err) {
		e->holds = l.n_hits > 0;
		e->rule_copy = *match_rules(scan_match(as_scanned), &n);
		e->rule = &e->rule_copy;
	}
	scan_free(as_scanned);
	return err ?: look(e, true, &e->scan, &e->look, why);
}

static int open_proc(struct explain *e, struct why *why)
{
	int procfs, err;

	if (e->w.n_captures) {
		err = capture_open(e->w.captures[0], &e->capture, why);
		if (!err && proc_of_capture(e->capture, &e->proc))
			err = why_set(why, -EBADMSG,
				      "the capture's texts are damaged");
		return err;
	}
	procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (procfs < 0)
		return why_set(why, -errno, "/proc: %s", strerror(errno));
	err = proc_open(procfs, e->w.pids[0], &e->proc);
	close(procfs);
	return err ? why_set(why, err, "process %d: %s", e->w.pids[0],
			     strerror(-err))
		   : 0;
}

/* ---- text ------------------------------------------------------------ */

static bool counts(const struct explain *e, const struct region *r)
{
	return r && r->where & 1 << e->rule->where;
}

/* "  0x7f3a0010  20 20 [6d 69]..  mi" in rows, the match's bytes marked. */
static void show_context(const struct explain *e, uint64_t from, uint64_t to,
			 const uint8_t *bytes, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i += ROW) {
		char text[16], hex[3 * ROW + 2], *h = hex;
		size_t k;

		for (k = 0; k < ROW && i + k < n; k++) {
			uint8_t c = bytes[i + k];
			uint64_t here = at + i + k;

			h += sprintf(h, "%c%02x",
				     here == from ? '['
				     : here == to ? ']'
						  : ' ',
				     c);
			text[k] = c >= 0x20 && c < 0x7f ? (char)c : '.';
		}
		*h++ = at + i + k == to ? ']' : ' ';
		*h = '\0';
		fprintf(e->show.out, "      %012" PRIx64 " %-*s |%.*s|\n",
			at + i, 3 * ROW + 1, hex, (int)k, text);
	}
}

static const char *place(const struct explain *e, const struct region *r,
			 char *ret, size_t cap)
{
	const char *file = r ? maps_name(e->look.maps, r) : "";
	char permissions[5];

	if (!r)
		return "unmapped now";
	maps_permissions(r, permissions);
	snprintf(ret, cap, "%s ", permissions);
	text_escape_str(*file ? file : "anonymous", ret + 5, cap - 5);
	return ret;
}

static size_t read_context(struct explain *e, const struct hit_string *m,
			   uint8_t *buf, size_t cap, uint64_t *ret_at)
{
	uint64_t len = m->length < cap - 2 * CONTEXT - ROW ? m->length
						: cap - 2 * CONTEXT - ROW;
	uint64_t from = (m->address - CONTEXT) / ROW * ROW;
	uint64_t to = m->address + len + CONTEXT;
	ssize_t n = scan_read(e->scan, from, to, buf, cap, ret_at);

	return n > 0 && *ret_at <= m->address ? (size_t)n : 0;
}

static void show_match(struct explain *e, const struct hit_string *m)
{
	const struct region *r = e->look.maps
					 ? maps_find(e->look.maps, m->address)
					 : NULL;
	uint8_t bytes[160];
	char where[256];
	uint64_t at = 0;
	size_t n = read_context(e, m, bytes, sizeof(bytes), &at);

	fprintf(e->show.out, "    0x%" PRIx64 ", %u bytes, in %s%s\n",
		m->address, m->length, place(e, r, where, sizeof(where)),
		counts(e, r) ? "" : " (does not count here)");
	show_context(e, m->address, m->address + m->length, bytes, n, at);
}

static size_t n_counting(const struct explain *e,
			 const struct match_string *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_kept && e->look.maps; i++)
		n += counts(e, maps_find(e->look.maps, s->kept[i].address));
	return n;
}

static void show_string(struct explain *e, const struct match_string *s)
{
	size_t shown = s->n_kept < 3 ? s->n_kept : 3, n = n_counting(e, s);
	char name[64];

	text_escape_str(s->name, name, sizeof(name));
	if (!s->n_matches) {
		fprintf(e->show.out, "  %s: not found\n", name);
		return;
	}
	fprintf(e->show.out, "  %s: %zu match%s", name, s->n_matches,
		s->n_matches == 1 ? "" : "es");
	if (n < s->n_kept)
		fprintf(e->show.out, ", of the first %zu count %zu", s->n_kept,
			n);
	fputc('\n', e->show.out);
	for (size_t i = 0; i < shown; i++)
		show_match(e, &s->kept[i]);
	if (s->n_matches > shown)
		fprintf(e->show.out, "    and %zu more\n",
			s->n_matches - shown);
}

static void show(struct explain *e)
{
	char name[160], family[80], comm[PROC_COMM * 4];
	size_t n;
	const struct match_string *s = match_strings(scan_match(e->scan), &n);

	text_escape_str(e->rule->family, family, sizeof(family));
	printf("%s%s%s%s, which looks in %s: ",
	       text_escape_str(e->rule->name, name, sizeof(name)),
	       *family ? " (" : "", family, *family ? ")" : "",
	       wheres[e->rule->where]);
	printf("%s for %d %s\n", e->holds ? "holds" : "does not hold",
	       e->proc.pid,
	       text_escape_str(e->proc.comm, comm, sizeof(comm)));
	for (size_t i = 0; i < n; i++)
		show_string(e, &s[i]);
	if (e->look.state != SCAN_COMPLETE)
		printf("not all was looked at: %s: %s\n",
		       verdict_state(e->look.state), e->look.why);
}

/* ---- JSON ------------------------------------------------------------ */

static void put(json_object *o, const char *key, json_object *value)
{
	json_object_object_add(o, key, value);
}

static json_object *text(const char *s)
{
	char shown[512];

	return json_object_new_string(text_escape_str(s, shown, sizeof(shown)));
}

static json_object *hexadecimal(const uint8_t *bytes, size_t n)
{
	char hex[2 * 160 + 1] = "";

	for (size_t i = 0; i < n && i < 160; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
	return json_object_new_string(hex);
}

static json_object *match_json(struct explain *e, const struct hit_string *m)
{
	const struct region *r = e->look.maps
					 ? maps_find(e->look.maps, m->address)
					 : NULL;
	json_object *o = json_object_new_object();
	uint8_t bytes[160];
	char where[256], address[32];
	uint64_t at = 0;
	size_t n = read_context(e, m, bytes, sizeof(bytes), &at);

	snprintf(address, sizeof(address), "0x%" PRIx64, m->address);
	put(o, "address", json_object_new_string(address));
	put(o, "length", json_object_new_int64(m->length));
	put(o, "region",
	    json_object_new_string(place(e, r, where, sizeof(where))));
	put(o, "counts", json_object_new_boolean(counts(e, r)));
	snprintf(address, sizeof(address), "0x%" PRIx64, at);
	put(o, "contextAddress", json_object_new_string(address));
	put(o, "context", hexadecimal(bytes, n));
	return o;
}

static void print_json(struct explain *e)
{
	json_object *o = json_object_new_object();
	json_object *strings = json_object_new_array();
	size_t n;
	const struct match_string *s = match_strings(scan_match(e->scan), &n);

	put(o, "rule", text(e->rule->name));
	put(o, "family", text(e->rule->family));
	put(o, "where", json_object_new_string(where_names[e->rule->where]));
	put(o, "holds", json_object_new_boolean(e->holds));
	put(o, "pid", json_object_new_int(e->proc.pid));
	put(o, "process", text(e->proc.comm));
	put(o, "state",
	    json_object_new_string(verdict_state(e->look.state)));
	for (size_t i = 0; i < n; i++) {
		json_object *one = json_object_new_object();
		json_object *kept = json_object_new_array();

		put(one, "string", text(s[i].name));
		put(one, "matches",
		    json_object_new_int64((int64_t)s[i].n_matches));
		for (size_t k = 0; k < s[i].n_kept; k++)
			json_object_array_add(kept,
					      match_json(e, &s[i].kept[k]));
		put(one, "first", kept);
		json_object_array_add(strings, one);
	}
	put(o, "strings", strings);
	puts(json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

/* ---- start ----------------------------------------------------------- */

static int run(struct explain *e)
{
	struct why why = { "" };
	int err = open_proc(e, &why);

	if (err) {
		fprintf(stderr, "davylamp rules explain: %s\n", why.text);
		return err == -ESRCH || err == -EACCES ? EXIT_INCOMPLETE
						       : EXIT_USAGE;
	}
	err = look_twice(e, &why);
	if (err) {
		fprintf(stderr, "davylamp rules explain: %s\n", why.text);
		return err == -EINVAL ? EXIT_USAGE : EXIT_UNABLE;
	}
	if (e->w.json)
		print_json(e);
	else
		show(e);
	if (e->holds)
		return EXIT_FINDINGS;
	return e->look.state == SCAN_COMPLETE ? EXIT_CLEAN : EXIT_INCOMPLETE;
}

int cmd_rules_explain(int argc, char **argv)
{
	static struct explain e; /* large */
	int status = cmd_rules_words(argc, argv, true, &e.w);

	e.proc.dir = -1;
	if (status == -1)
		fputs(explain_help, stdout);
	if (!status && (!e.w.only || e.w.n_pids + e.w.n_captures != 1)) {
		fputs("davylamp rules explain: give a rule, and one process id "
		      "or --capture FILE\n",
		      stderr);
		status = EXIT_USAGE;
	}
	show_init(&e.show, stdout);
	if (!status)
		status = run(&e);
	scan_free(e.scan);
	proc_close(&e.proc);
	capture_free(e.capture);
	cmd_rules_words_free(&e.w);
	return status == -1 ? EXIT_CLEAN : status;
}
