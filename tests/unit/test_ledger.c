#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ledger.h"
#include "torture.h"

#define HOUR (LEDGER_DAY_NS / 24)

static char base[64], state_dir[80], spool_dir[80];
static struct spool *spool;
static struct ledger *ledger;
static uint64_t clock_ns;

static uint64_t fake_clock(void)
{
	return clock_ns;
}

static void open_both(void)
{
	struct why why = { "" };

	if (spool_open(spool_dir, 64 << 20, &spool, &why) ||
	    ledger_open(state_dir, "vm-1", &ledger, &why))
		fail_msg("%s", why.text);
	ledger_set_clock(ledger, fake_clock);
}

static void close_both(void)
{
	ledger_close(ledger);
	spool_close(spool);
	ledger = NULL;
	spool = NULL;
}

static int begin(void **state)
{
	(void)state;
	clock_ns = 1000 * HOUR;
	snprintf(base, sizeof(base), "%s/test_ledger.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(base))
		return -1;
	snprintf(state_dir, sizeof(state_dir), "%s/state", base);
	snprintf(spool_dir, sizeof(spool_dir), "%s/spool", base);
	open_both();
	return 0;
}

static void wipe(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", base);
	assert_int_equal(system(command), 0);
}

static int end(void **state)
{
	(void)state;
	close_both();
	wipe();
	return 0;
}

static json_object *finding_of(const char *rule)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"description\":\"saw %s\",\"processes\":[{\"args\":[\"a\"]}"
		 "],\"indicator\":{\"signatures\":[{\"yaraRuleSignature\":"
		 "{\"yaraRule\":\"%s\"}}]},\"sourceProperties\":{\"%s\":1}}",
		 rule, rule, rule);
	return json_tokener_parse(text);
}

static struct ledger_process process(pid_t pid)
{
	return (struct ledger_process){ pid, 77, "8:1:42" };
}

static int see_as(enum category category, enum severity severity, pid_t pid)
{
	struct ledger_process p = process(pid);
	json_object *f = finding_of(category == CATEGORY_YARA ? "Y" : "H");
	int err = ledger_seen(ledger, spool, category, severity, &p, f, NULL);

	json_object_put(f);
	return err;
}

static int see(enum category category, pid_t pid)
{
	return see_as(category, SEVERITY_HIGH, pid);
}

static void look(pid_t pid, enum ledger_outcome outcome)
{
	struct ledger_process p = process(pid);

	ledger_look(ledger, &p, outcome);
}

static void pass(void)
{
	assert_int_equal(ledger_end_pass(ledger, spool, true, NULL), 0);
}

/* Takes the events out of the spool: "open:Y ..." with what they hold. */
static const char *events(void)
{
	static char text[4096];
	static char body[SPOOL_EVENT_MAX + 1];
	struct spool_entry *list;
	size_t n, len, at = 0;

	text[0] = 0;
	assert_int_equal(spool_list(spool, &list, &n), 0);
	for (size_t i = 0; i < n; i++) {
		json_object *o, *v, *f;

		assert_int_equal(spool_read(spool, &list[i], body, &len), 0);
		o = json_tokener_parse(body);
		assert_true(json_object_object_get_ex(o, "event", &v));
		assert_true(json_object_object_get_ex(o, "finding", &f));
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "%s:", json_object_get_string(v));
		assert_true(json_object_object_get_ex(f, "category", &v));
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%c%s ",
				       json_object_get_string(v)[33],
				       strstr(body, "INACTIVE") ? "-" : "");
		json_object_put(o);
		spool_remove(spool, &list[i]);
	}
	free(list);
	if (at)
		text[at - 1] = 0;
	return text;
}

static size_t n_open(void)
{
	struct ledger_counts c;

	ledger_counts(ledger, &c);
	return c.open;
}

static void ids_are_what_they_are_made_of(void **state)
{
	struct ledger_process p = process(1), q = process(2), r = p;
	char a[33], b[33];

	(void)state;
	r.exe = "8:1:43";
	ledger_id(ledger, CATEGORY_YARA, &p, a);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(strspn(a, "0123456789abcdef"), 32);
	ledger_id(ledger, CATEGORY_HASH, &p, b);
	assert_string_not_equal(a, b);
	ledger_id(ledger, CATEGORY_YARA, &q, b);
	assert_string_not_equal(a, b);
	ledger_id(ledger, CATEGORY_YARA, &r, b);
	assert_string_not_equal(a, b);
	q = p;
	q.start_ticks++;
	ledger_id(ledger, CATEGORY_YARA, &q, b);
	assert_string_not_equal(a, b);
	close_both();
	open_both();
	ledger_id(ledger, CATEGORY_YARA, &p, b);
	assert_string_equal(a, b);
}

static void opens_once_and_refreshes_once_a_day(void **state)
{
	(void)state;
	for (int hour = 0; hour < 50; hour++) {
		assert_int_equal(see(CATEGORY_YARA, 1), 0);
		pass();
		clock_ns += HOUR;
		if (hour == 30) { /* also over a restart */
			close_both();
			open_both();
		}
	}
	assert_string_equal(events(), "open:Y refresh:Y refresh:Y");
	assert_int_equal(n_open(), 1);
}

static void worse_is_told_at_once(void **state)
{
	(void)state;
	see_as(CATEGORY_YARA, SEVERITY_LOW, 1);
	clock_ns += HOUR;
	see_as(CATEGORY_YARA, SEVERITY_HIGH, 1);
	clock_ns += HOUR;
	see_as(CATEGORY_YARA, SEVERITY_HIGH, 1);
	see_as(CATEGORY_YARA, SEVERITY_LOW, 1);
	pass();
	assert_string_equal(events(), "open:Y refresh:Y");
}

/* With its directory gone it refuses whatever comes. */
static void break_spool(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", spool_dir);
	assert_int_equal(system(command), 0);
}

static void mend_spool(void)
{
	spool_close(spool);
	assert_int_equal(spool_open(spool_dir, 64 << 20, &spool, NULL), 0);
}

static void worse_is_told_again_if_the_spool_refused(void **state)
{
	(void)state;
	see_as(CATEGORY_YARA, SEVERITY_LOW, 1);
	assert_string_equal(events(), "open:Y");
	break_spool();
	assert_true(see_as(CATEGORY_YARA, SEVERITY_HIGH, 1) < 0);
	mend_spool();
	see_as(CATEGORY_YARA, SEVERITY_HIGH, 1);
	see_as(CATEGORY_YARA, SEVERITY_HIGH, 1);
	assert_string_equal(events(), "refresh:Y");
}

static bool is_odd(void *user, pid_t pid, uint64_t start_ticks)
{
	++*(int *)user;
	assert_int_equal(start_ticks, 77);
	return pid % 2;
}

static void closes_between_passes(void **state)
{
	int asked = 0;

	(void)state;
	see(CATEGORY_YARA, 1);
	see(CATEGORY_HASH, 2);
	assert_int_equal(ledger_end_gone(ledger, spool, is_odd, &asked, NULL),
			 0);
	assert_string_equal(events(), "open:Y open:H close:H-");
	assert_int_equal(asked, 2);
	assert_int_equal(n_open(), 1);
}

static void closes_when_the_process_ends(void **state)
{
	(void)state;
	see(CATEGORY_YARA, 1);
	see(CATEGORY_HASH, 2);
	see(CATEGORY_YARA, 3);
	pass();
	assert_string_equal(events(), "open:Y open:H open:Y");
	/* 1 ended, 2 is not listed, 3 was not looked at to the end */
	look(1, LEDGER_ENDED);
	look(3, LEDGER_PARTIAL);
	pass();
	assert_string_equal(events(), "close:Y- close:H-");
	assert_int_equal(n_open(), 1);
}

static void a_pass_that_was_cut_short_closes_nothing(void **state)
{
	(void)state;
	see(CATEGORY_YARA, 1);
	pass();
	events();
	assert_int_equal(ledger_end_pass(ledger, spool, false, NULL), 0);
	assert_string_equal(events(), "");
}

static void closes_after_two_complete_clean_scans(void **state)
{
	(void)state;
	see(CATEGORY_YARA, 1);
	pass();
	look(1, LEDGER_CLEAN);
	pass();
	see(CATEGORY_YARA, 1); /* back again: start over */
	pass();
	look(1, LEDGER_CLEAN);
	pass();
	look(1, LEDGER_PARTIAL); /* says nothing */
	pass();
	close_both();
	open_both();
	assert_string_equal(events(), "open:Y");
	look(1, LEDGER_CLEAN);
	pass();
	assert_string_equal(events(), "close:Y-");
	assert_int_equal(n_open(), 0);
}

static void both_kinds_within_a_day_are_combined(void **state)
{
	struct ledger_counts c;

	(void)state;
	see(CATEGORY_YARA, 1);
	pass();
	clock_ns += 23 * HOUR;
	see(CATEGORY_HASH, 1);
	pass();
	assert_string_equal(events(), "open:Y open:C close:Y-");
	clock_ns += HOUR;
	see(CATEGORY_YARA, 1);
	see(CATEGORY_HASH, 1);
	pass();
	assert_string_equal(events(), "");
	ledger_counts(ledger, &c);
	assert_int_equal(c.open, 1);
	look(1, LEDGER_CLEAN);
	pass();
	look(1, LEDGER_CLEAN);
	pass();
	assert_string_equal(events(), "close:C-");
}

static void kinds_a_day_apart_stay_single(void **state)
{
	(void)state;
	see(CATEGORY_YARA, 1);
	pass();
	look(1, LEDGER_PARTIAL);
	clock_ns += 25 * HOUR;
	see(CATEGORY_HASH, 1);
	pass();
	assert_string_equal(events(), "open:Y open:H");
	see(CATEGORY_YARA, 1); /* now they meet */
	pass();
	assert_string_equal(events(), "open:C close:Y- close:H-");
}

static void another_process_is_not_combined_with(void **state)
{
	(void)state;
	see(CATEGORY_YARA, 1);
	see(CATEGORY_HASH, 2);
	pass();
	assert_string_equal(events(), "open:Y open:H");
}

static void combined_at_once_replaces_single(void **state)
{
	(void)state;
	see(CATEGORY_HASH, 1);
	see(CATEGORY_COMBINED, 1);
	pass();
	assert_string_equal(events(), "open:H open:C close:H-");
}

static void a_combined_finding_holds_both(void **state)
{
	static char body[SPOOL_EVENT_MAX + 1];
	struct spool_entry *list;
	size_t n, len;

	(void)state;
	see(CATEGORY_YARA, 1);
	see(CATEGORY_HASH, 1);
	assert_int_equal(spool_list(spool, &list, &n), 0);
	assert_int_equal(spool_read(spool, &list[1], body, &len), 0);
	assert_non_null(strstr(body, "\"yaraRule\":\"Y\""));
	assert_non_null(strstr(body, "\"yaraRule\":\"H\""));
	assert_non_null(strstr(body, "\"Y\":1"));
	assert_non_null(strstr(body, "\"H\":1"));
	assert_non_null(strstr(body, "saw H Within the same day: saw Y"));
	free(list);
}

/* What the last event in the spool says. */
static const char *last_event(void)
{
	static char body[SPOOL_EVENT_MAX + 1];
	struct spool_entry *list;
	size_t n, len;

	assert_int_equal(spool_list(spool, &list, &n), 0);
	assert_true(n > 0);
	assert_int_equal(spool_read(spool, &list[n - 1], body, &len), 0);
	free(list);
	return body;
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void a_combined_finding_does_not_grow(void **state)
{
	(void)state;
	see(CATEGORY_YARA, 1);
	see(CATEGORY_HASH, 1);
	for (int day = 0; day < 4; day++) {
		clock_ns += LEDGER_DAY_NS;
		see(day & 1 ? CATEGORY_YARA : CATEGORY_HASH, 1);
		assert_int_equal(times(last_event(), "Within the same"), 1);
		assert_int_equal(times(last_event(), "\"yaraRule\":\"Y\""), 1);
		assert_int_equal(times(last_event(), "\"yaraRule\":\"H\""), 1);
	}
	clock_ns += LEDGER_DAY_NS;
	see(CATEGORY_COMBINED, 1);
	assert_int_equal(times(last_event(), "Within the same"), 0);
	assert_string_equal(events(), "open:Y open:C close:Y- refresh:C "
				      "refresh:C refresh:C refresh:C "
				      "refresh:C");
}

/* exec: same process, another program. */
static void another_program_closes_the_old_one(void **state)
{
	struct ledger_process p = process(1);
	json_object *f = finding_of("Y");

	(void)state;
	see(CATEGORY_YARA, 1);
	pass();
	p.exe = "8:1:99";
	assert_int_equal(ledger_seen(ledger, spool, CATEGORY_YARA,
				     SEVERITY_HIGH, &p, f, NULL),
			 0);
	pass();
	assert_string_equal(events(), "open:Y open:Y close:Y-");
	json_object_put(f);
}

static void see_program(const char *exe)
{
	struct ledger_process p = process(1);
	json_object *f = finding_of("Y");

	p.exe = exe;
	assert_int_equal(ledger_seen(ledger, spool, CATEGORY_YARA,
				     SEVERITY_HIGH, &p, f, NULL),
			 0);
	json_object_put(f);
}

/* exec, and exec back before anyone has closed the first one's. */
static void a_program_that_comes_back_stays_open(void **state)
{
	(void)state;
	see_program("8:1:1");
	see_program("8:1:2");
	see_program("8:1:1");
	pass();
	assert_string_equal(events(), "open:Y open:Y close:Y-");
	assert_int_equal(n_open(), 1);
	look(1, LEDGER_ENDED);
	pass();
	assert_string_equal(events(), "close:Y-");
	assert_int_equal(n_open(), 0);
}

static void a_reboot_closes(void **state)
{
	char command[400];

	(void)state;
	see(CATEGORY_YARA, 1);
	pass();
	close_both();
	/* Another boot wrote this file: change every boot, and with it ids
	 * and digests, as that boot would have. */
	snprintf(command, sizeof(command),
		 "cd %s && python3 - <<'E'\nimport re,hashlib\n"
		 "o=''\nfor l in open('findings'):\n"
		 " j=re.sub('\"boot\":\"[^\"]*','\"boot\":\"old',l[17:-1])\n"
		 " j=re.sub('\"id\":\"[^\"]*','\"id\":\"'+32*'a',j)\n"
		 " o+=hashlib.sha256(j.encode()).hexdigest()[:16]+' '+j+'\\n'\n"
		 "open('findings','w').write(o)\nE",
		 state_dir);
	assert_int_equal(system(command), 0);
	open_both();
	see(CATEGORY_YARA, 1);
	pass();
	assert_string_equal(events(), "open:Y open:Y close:Y-");
}

static void damage_loses_only_what_is_damaged(void **state)
{
	char file[128], text[8192];
	size_t n;
	FILE *f;

	(void)state;
	see(CATEGORY_YARA, 1);
	see(CATEGORY_YARA, 2);
	pass();
	close_both();
	snprintf(file, sizeof(file), "%s/findings", state_dir);
	f = fopen(file, "r+");
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	for (char *at = text; (at = strstr(at, "\"pid\":1,")); at++) {
		fseek(f, at - text + 6, SEEK_SET);
		fputc('3', f);
	}
	fseek(f, 0, SEEK_END);
	fputs("0123456789abcdef {\"id\":\"torn", f);
	fclose(f);
	open_both();
	assert_int_equal(n_open(), 1);
}

static void only_one_may_keep_it(void **state)
{
	struct ledger *second = NULL;
	struct why why;

	(void)state;
	assert_int_equal(ledger_open(state_dir, "vm-1", &second, &why), -EBUSY);
	assert_non_null(strstr(why.text, "another davylamp"));
	assert_int_equal(chmod(state_dir, 0777), 0);
	assert_int_equal(ledger_open(state_dir, "vm-1", &second, &why), -EPERM);
	assert_int_equal(chmod(state_dir, 0700), 0);
}

static void endless_arguments_are_cut(void **state)
{
	static const char *const members[] = { "files", "containers",
					       "kubernetes", "connections" };
	struct ledger_process p = process(1);
	json_object *f = finding_of("Y"), *v;
	char *args = malloc(100001);

	(void)state;
	memset(args, 'x', 100000);
	args[100000] = 0;
	json_object_object_get_ex(f, "processes", &v);
	v = json_object_array_get_idx(v, 0);
	json_object_object_add(v, "args", json_object_new_string(args));
	assert_int_equal(ledger_seen(ledger, spool, CATEGORY_YARA,
				     SEVERITY_HIGH, &p, f, NULL),
			 0);
	json_object_object_get_ex(f, "sourceProperties", &v);
	json_object_object_add(v, "x", json_object_new_string(args));
	p.pid = 2;
	assert_int_equal(ledger_seen(ledger, spool, CATEGORY_YARA,
				     SEVERITY_HIGH, &p, f, NULL),
			 0);
	assert_string_equal(events(), "open:Y open:Y");
	/* Nor can a container's labels keep a finding from being told. */
	for (size_t i = 0; i < 4; i++) {
		json_object_object_add(f, members[i],
				       json_object_new_string(args));
		p.pid++;
		assert_int_equal(ledger_seen(ledger, spool, CATEGORY_YARA,
					     SEVERITY_HIGH, &p, f, NULL),
				 0);
		assert_string_equal(events(), "open:Y");
	}
	json_object_put(f);
	free(args);
}

/* A program that holds what a thousand rules look for, somewhere deep. */
static void endless_rules_and_paths_are_cut(void **state)
{
	struct ledger_process p = process(1);
	json_object *f = finding_of("Y"), *v, *list, *binary;
	char path[4096];

	(void)state;
	memset(path, '\\', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	json_object_object_get_ex(f, "processes", &v);
	binary = json_object_new_object();
	json_object_object_add(binary, "path", json_object_new_string(path));
	json_object_object_add(json_object_array_get_idx(v, 0), "binary",
			       binary);
	json_object_object_get_ex(f, "indicator", &v);
	json_object_object_get_ex(v, "signatures", &list);
	for (int i = 0; i < 1000; i++) {
		char name[64];
		json_object *rule = json_object_new_object();

		snprintf(name, sizeof(name), "A_rule_with_a_long_name_%d", i);
		json_object_object_add(rule, "yaraRule",
				       json_object_new_string(name));
		v = json_object_new_object();
		json_object_object_add(v, "yaraRuleSignature", rule);
		json_object_array_add(list, v);
	}
	assert_int_equal(ledger_seen(ledger, spool, CATEGORY_YARA,
				     SEVERITY_HIGH, &p, f, NULL),
			 0);
	assert_true(strlen(last_event()) < LEDGER_FINDING + 1024);
	assert_non_null(strstr(last_event(), "\"truncated\":true"));
	assert_non_null(strstr(last_event(), "\"yaraRule\":\"Y\""));
	assert_string_equal(events(), "open:Y");
	json_object_put(f);
}

static void a_full_ledger_prefers_the_high(void **state)
{
	struct ledger_process p = process(0);
	json_object *f = finding_of("Y");
	struct ledger_counts c;

	(void)state;
	for (pid_t pid = 1; pid <= LEDGER_MAX; pid++) {
		p.pid = pid;
		clock_ns++;
		assert_int_equal(ledger_seen(ledger, spool, CATEGORY_YARA,
					     SEVERITY_LOW, &p, f, NULL),
				 0);
	}
	p.pid = 9999;
	assert_int_equal(ledger_seen(ledger, spool, CATEGORY_YARA, SEVERITY_LOW,
				     &p, f, NULL),
			 -ENOSPC);
	assert_int_equal(ledger_seen(ledger, spool, CATEGORY_YARA,
				     SEVERITY_HIGH, &p, f, NULL),
			 0);
	ledger_counts(ledger, &c);
	assert_int_equal(c.open, LEDGER_MAX);
	assert_int_equal(c.refused, 1);
	assert_int_equal(c.displaced, 1);
	json_object_put(f);
}

static void the_file_does_not_grow_without_end(void **state)
{
	char file[128];
	struct stat st;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		see(CATEGORY_YARA, i % 50);
		look(i % 50, LEDGER_CLEAN);
		ledger_end_pass(ledger, spool, false, NULL);
	}
	snprintf(file, sizeof(file), "%s/findings", state_dir);
	assert_int_equal(stat(file, &st), 0);
	assert_true(st.st_size < 6 << 20);
}

static void nor_does_it_while_the_spool_refuses(void **state)
{
	char file[128];
	struct stat st;

	(void)state;
	break_spool();
	for (pid_t pid = 1; pid < 30000; pid++)
		assert_true(see(CATEGORY_YARA, pid) < 0);
	snprintf(file, sizeof(file), "%s/findings", state_dir);
	assert_int_equal(stat(file, &st), 0);
	assert_true(st.st_size < 6 << 20);
	assert_int_equal(n_open(), 0);
}

/* ---- torture --------------------------------------------------------- */

/* Two processes are seen, one is combined, one ends. */
static int live(void *arg)
{
	struct ledger_process p = process(1), q = process(2);
	json_object *y = finding_of("Y"), *h = finding_of("H");

	(void)arg;
	if (spool_open(spool_dir, 64 << 20, &spool, NULL) ||
	    ledger_open(state_dir, "vm-1", &ledger, NULL))
		return 1;
	ledger_seen(ledger, spool, CATEGORY_YARA, SEVERITY_HIGH, &p, y, NULL);
	ledger_seen(ledger, spool, CATEGORY_YARA, SEVERITY_HIGH, &q, y, NULL);
	ledger_end_pass(ledger, spool, true, NULL);
	ledger_seen(ledger, spool, CATEGORY_HASH, SEVERITY_HIGH, &p, h, NULL);
	ledger_end_pass(ledger, spool, true, NULL);
	close_both();
	json_object_put(y);
	json_object_put(h);
	return 0;
}

/* What a consumer that applies the events by id ends up with. */
static void check_world(void)
{
	static char body[SPOOL_EVENT_MAX + 1];
	struct spool_entry *list;
	struct {
		char id[33];
		bool active;
		int opens;
	} world[16];
	size_t n, len, known = 0, active = 0, twice = 0;

	assert_int_equal(spool_list(spool, &list, &n), 0);
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		assert_int_equal(spool_read(spool, &list[i], body, &len), 0);
		while (k < known && strcmp(world[k].id, list[i].id))
			k++;
		if (k == known) {
			assert_true(known < 16);
			memset(&world[known], 0, sizeof(world[0]));
			memcpy(world[known++].id, list[i].id, 33);
		}
		world[k].active = !strstr(body, "INACTIVE");
		world[k].opens += strstr(body, "\"event\":\"open\"") != NULL;
	}
	free(list);
	for (size_t k = 0; k < known; k++) {
		active += world[k].active;
		twice += world[k].opens > 1;
	}
	assert_int_equal(active, 1); /* the combined one */
	assert_true(twice <= 1);
}

static void kill_and_failure_leave_one_truth(void **state)
{
	static const struct {
		enum torture_how how;
		int error;
	} harms[] = {
		{ TORTURE_KILL_BEFORE, 0 },
		{ TORTURE_KILL_AFTER, 0 },
		{ TORTURE_FAIL, ENOSPC },
		{ TORTURE_FAIL, EIO },
	};
	int rounds = 0;

	(void)state;
	close_both();
	for (size_t h = 0; h < sizeof(harms) / sizeof(harms[0]); h++) {
		for (int nth = 1, rc = 0; rc != -2; nth++, rounds++) {
			wipe();
			assert_int_equal(mkdir(base, 0700), 0);
			rc = torture(live, NULL, harms[h].how, nth,
				     harms[h].error);
			if (rc == -3)
				skip();
			/* The service comes back and sees it all again. */
			open_both();
			ledger_set_clock(ledger, NULL);
			see(CATEGORY_YARA, 1);
			see(CATEGORY_HASH, 1);
			pass();
			check_world();
			close_both();
		}
	}
	printf("torture: %d rounds\n", rounds);
	open_both();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(ids_are_what_they_are_made_of),
		TEST(opens_once_and_refreshes_once_a_day),
		TEST(worse_is_told_at_once),
		TEST(worse_is_told_again_if_the_spool_refused),
		TEST(closes_between_passes),
		TEST(closes_when_the_process_ends),
		TEST(a_pass_that_was_cut_short_closes_nothing),
		TEST(closes_after_two_complete_clean_scans),
		TEST(both_kinds_within_a_day_are_combined),
		TEST(kinds_a_day_apart_stay_single),
		TEST(another_process_is_not_combined_with),
		TEST(combined_at_once_replaces_single),
		TEST(a_combined_finding_holds_both),
		TEST(a_combined_finding_does_not_grow),
		TEST(another_program_closes_the_old_one),
		TEST(a_program_that_comes_back_stays_open),
		TEST(a_reboot_closes),
		TEST(damage_loses_only_what_is_damaged),
		TEST(only_one_may_keep_it),
		TEST(endless_arguments_are_cut),
		TEST(endless_rules_and_paths_are_cut),
		TEST(a_full_ledger_prefers_the_high),
		TEST(the_file_does_not_grow_without_end),
		TEST(nor_does_it_while_the_spool_refuses),
		TEST(kill_and_failure_leave_one_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
