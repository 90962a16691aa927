#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include "match_fixture.h"

#define WORDS "proof of work, planted here"

static const char rules[] =
	"rule planted : test\n"
	"{\n"
	"  meta:\n"
	"    family = \"Family\"\n"
	"    algorithm = \"Algorithm\"\n"
	"    where = \"any\"\n"
	"    severity = \"MEDIUM\"\n"
	"  strings:\n"
	"    $words = \"" WORDS "\"\n"
	"    $never = \"these words are nowhere at all\"\n"
	"  condition:\n"
	"    $words or $never\n"
	"}\n"
	"rule code_only\n"
	"{\n"
	"  meta:\n"
	"    where = \"code\"\n"
	"  strings:\n"
	"    $words = \"" WORDS "\"\n"
	"  condition:\n"
	"    $words\n"
	"}\n";

static struct match *m;
static struct why why;
static const struct hit *hits;
static size_t n_hits;

static int start(void **state)
{
	int err;

	(void)state;
	use_real_matcher();
	write_rules("a.yar", rules);
	m = start_match(rules_path, &err, &why);
	if (err)
		fprintf(stderr, "%s\n", why.text);
	return err;
}

static int stop(void **state)
{
	(void)state;
	match_free(m);
	match_free(NULL);
	return 0;
}

static int look_at(struct target *t, uint8_t where)
{
	struct suspect s = t->all;
	int err;

	s.where = where;
	why.text[0] = '\0';
	err = match_look(m, t->mem, &s, &why);
	return err ?: match_end(m, &hits, &n_hits, &why);
}

#define ANY  (1U << WHERE_ANY)
#define CODE (1U << WHERE_CODE)

static void what_it_knows(void **state)
{
	const struct atom *atoms;
	const struct rule *r;
	size_t n;

	(void)state;
	r = match_rules(m, &n);
	assert_int_equal(n, 2);
	assert_string_equal(r[0].name, "planted");
	assert_string_equal(r[0].family, "Family");
	assert_string_equal(r[0].algorithm, "Algorithm");
	assert_int_equal(r[0].where, WHERE_ANY);
	assert_int_equal(r[0].severity, SEVERITY_MEDIUM);
	assert_string_equal(r[1].name, "code_only");
	assert_int_equal(r[1].where, WHERE_CODE);
	atoms = match_atoms(m, &n);
	assert_int_equal(n, 3);
	assert_int_equal(atoms[0].len, strlen(WORDS));
	assert_memory_equal(atoms[0].bytes, WORDS, atoms[0].len);
	assert_int_equal(match_every_page(m), 0);
	assert_memory_equal(match_engine(m), "libyara 4.", 10);
	assert_int_equal(strlen(match_version(m)), 16);
	assert_int_equal(strspn(match_version(m), "0123456789abcdef"), 16);
}

static void a_planted_string_is_hit(void **state)
{
	static const size_t at[] = { 70000 };
	struct target t;

	(void)state;
	open_target(&t, WORDS, at, 1);
	assert_int_equal(look_at(&t, ANY), 0);
	assert_int_equal(n_hits, 1);
	assert_string_equal(hits[0].rule->name, "planted");
	assert_int_equal(hits[0].n_matches, 1);
	assert_int_equal(hits[0].n_strings, 1);
	assert_string_equal(hits[0].strings[0].name, "$words");
	assert_int_equal(hits[0].strings[0].address, t.all.start + 70000);
	assert_int_equal(hits[0].strings[0].length, strlen(WORDS));
	assert_int_equal(hits[0].strings[0].n_bytes, strlen(WORDS));
	assert_memory_equal(hits[0].strings[0].bytes, WORDS, strlen(WORDS));
	close_target(&t);
}

/* Rules see the memory that they are for, and no more. */
static void the_classes_are_kept_apart(void **state)
{
	static const size_t at[] = { 5 };
	struct suspect part;
	struct target t;

	(void)state;
	open_target(&t, WORDS, at, 1);
	part = t.all;
	assert_int_equal(look_at(&t, CODE), 0);
	assert_int_equal(n_hits, 1);
	assert_string_equal(hits[0].rule->name, "code_only");
	assert_int_equal(look_at(&t, CODE | ANY), 0);
	assert_int_equal(n_hits, 2);
	assert_int_equal(look_at(&t, 1U << WHERE_JIT), 0);
	assert_int_equal(n_hits, 0);
	/* Windows for both in one message. */
	part.end = part.start + 4096;
	part.where = CODE;
	assert_int_equal(match_look(m, t.mem, &part, &why), 0);
	part.start = part.end + 64;
	part.end = part.start + 4096;
	part.where = ANY;
	assert_int_equal(match_look(m, t.mem, &part, &why), 0);
	assert_int_equal(match_end(m, &hits, &n_hits, &why), 0);
	assert_int_equal(n_hits, 1);
	assert_string_equal(hits[0].rule->name, "code_only");
	close_target(&t);
}

static void each_process_begins_anew(void **state)
{
	static const size_t at[] = { 5, TARGET_BYTES - 100 };
	struct target with, without;

	(void)state;
	open_target(&with, WORDS, at, 2);
	open_target(&without, "", at, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(look_at(&with, ANY), 0);
		assert_int_equal(n_hits, 1);
		assert_int_equal(hits[0].n_matches, 2);
		/* Nothing was handed over since. */
		assert_int_equal(match_end(m, &hits, &n_hits, &why), 0);
		assert_int_equal(n_hits, 0);
		assert_int_equal(look_at(&without, ANY), 0);
		assert_int_equal(n_hits, 0);
	}
	/* What was dropped is not the next one's. */
	assert_int_equal(match_look(m, with.mem, &with.all, &why), 0);
	match_drop(m);
	assert_int_equal(match_end(m, &hits, &n_hits, &why), 0);
	assert_int_equal(n_hits, 0);
	assert_int_equal(look_at(&without, ANY), 0);
	assert_int_equal(n_hits, 0);
	close_target(&with);
	close_target(&without);
}

/* 3 MiB are cut into windows and handed over in several messages; across the
 * seams each match is found, and once. */
static void seams_lose_nothing(void **state)
{
	static const size_t at[] = {
		1, WIRE_WINDOW - 3, 2 * WIRE_WINDOW - WIRE_SPAN - 5, 3 * 65536 - 7,
		(1 << 20) - 9, (1 << 20) + 100, 2 * 1048576 - 1,
		TARGET_BYTES - sizeof(WORDS),
	};
	enum { N = sizeof(at) / sizeof(at[0]) };
	struct target t;

	(void)state;
	open_target(&t, WORDS, at, N);
	assert_int_equal(look_at(&t, ANY), 0);
	assert_int_equal(n_hits, 1);
	assert_int_equal(hits[0].n_matches, N);
	assert_int_equal(hits[0].n_strings, N);
	for (size_t i = 0; i < N; i++) {
		bool met = false;

		for (size_t k = 0; k < N; k++)
			met |= hits[0].strings[k].address ==
			       t.all.start + at[i];
		assert_true(met);
	}
	close_target(&t);
}

static void many_small_suspects(void **state)
{
	static const size_t at[] = { 4096 * 500 + 17 };
	struct target t;

	(void)state;
	open_target(&t, WORDS, at, 1);
	for (uint64_t i = 0; i < 700; i++) { /* more than one message holds */
		struct suspect s = { t.all.start + i * 4096 + 1,
				     t.all.start + i * 4096 + 99, ANY };

		assert_int_equal(match_look(m, t.mem, &s, &why), 0);
	}
	assert_int_equal(match_end(m, &hits, &n_hits, &why), 0);
	assert_int_equal(n_hits, 1);
	assert_int_equal(hits[0].strings[0].address, t.all.start + at[0]);
	close_target(&t);
}

static void one_that_ends_is_gone(void **state)
{
	static const size_t at[] = { 5 };
	struct target t;

	(void)state;
	open_target(&t, WORDS, at, 1);
	kill(t.pid, SIGKILL);
	waitpid(t.pid, NULL, 0);
	assert_int_equal(match_look(m, t.mem, &t.all, &why), -ESRCH);
	match_drop(m);
	close_target(&t);
	open_target(&t, WORDS, at, 1);
	assert_int_equal(look_at(&t, ANY), 0);
	assert_int_equal(n_hits, 1);
	close_target(&t);
}

/* It is killed before the windows, behind them, and between processes: a fresh
 * one is shown all of them, and nothing is lost. */
static void a_killed_matcher_is_replaced(void **state)
{
	static const size_t at[] = { 5, TARGET_BYTES - 99 };
	struct target t;

	(void)state;
	open_target(&t, WORDS, at, 2);
	t.all.where = ANY;
	for (int when = 0; when < 3; when++) {
		pid_t old = matcher;

		if (when == 1)
			assert_int_equal(
				match_look(m, t.mem, &t.all, &why), 0);
		if (when == 2)
			assert_int_equal(look_at(&t, ANY), 0);
		kill(old, SIGKILL);
		if (when == 1)
			assert_int_equal(match_end(m, &hits, &n_hits, &why),
					 0);
		else
			assert_int_equal(look_at(&t, ANY), 0);
		assert_int_equal(n_hits, 1);
		assert_int_equal(hits[0].n_matches, 2);
		assert_int_equal(kill(old, 0), -1); /* reaped */
		assert_int_not_equal(matcher, old);
	}
	close_target(&t);
}

/* And what it was shown is not there any more. */
static void what_can_not_be_shown_again(void **state)
{
	static const size_t at[] = { 5 };
	struct target t;

	(void)state;
	open_target(&t, WORDS, at, 1);
	assert_int_equal(match_look(m, t.mem, &t.all, &why), 0);
	kill(matcher, SIGKILL);
	kill(t.pid, SIGKILL);
	waitpid(t.pid, NULL, 0);
	assert_int_equal(match_end(m, &hits, &n_hits, &why), -ESRCH);
	match_drop(m);
	close_target(&t);
}

/* What one that takes its place looks for is what the first one did, included
 * files too, whatever became of them on disk. */
static void the_first_ones_rules_are_kept(void **state)
{
	static const size_t at[] = { 5 };
	struct target t;
	char path[64];
	int err;

	(void)state;
	match_free(m);
	open_target(&t, WORDS, at, 1);
	write_rules("more.inc", rules);
	write_rules("b.yar",
		    "include \"more.inc\" rule top { condition: true }");
	strcpy(path, rules_path);
	m = start_match(rules_path, &err, &why);
	assert_non_null(m);
	write_rules("more.inc", "rule other { condition: false }");
	kill(matcher, SIGKILL);
	assert_int_equal(look_at(&t, ANY), 0);
	assert_int_equal(n_hits, 1);
	unlink(path);
	unlink(rules_path);
	kill(matcher, SIGKILL);
	assert_int_equal(look_at(&t, ANY), 0);
	assert_int_equal(n_hits, 1);
	assert_null(match_down(m));
	close_target(&t);
}

static void one_that_can_not_be_started_is_told_of(void **state)
{
	static const size_t at[] = { 5 };
	struct target t;

	(void)state;
	open_target(&t, WORDS, at, 1);
	assert_null(match_down(m));
	strcpy(program, "/nowhere/davylamp-match");
	kill(matcher, SIGKILL);
	assert_true(look_at(&t, ANY) < 0);
	assert_non_null(strstr(why.text, "can not be started again: '/no"));
	assert_non_null(match_down(m));
	use_real_matcher();
	assert_int_equal(look_at(&t, ANY), 0);
	assert_int_equal(n_hits, 1);
	assert_null(match_down(m));
	close_target(&t);
}

static void the_matcher_is_ours(void **state)
{
	struct proc p = child_proc(matcher);
	pid_t pid = matcher;

	(void)state;
	assert_true(self_is(&p));
	match_free(m);
	m = NULL;
	assert_false(self_is(&p));
	proc_close(&p);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static size_t count_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void nothing_is_left_open(void **state)
{
	size_t before;
	int err;

	(void)state;
	match_free(m);
	before = count_fds();
	m = start_match(rules_path, &err, &why);
	assert_int_equal(err, 0);
	kill(matcher, SIGKILL);
	match_free(m);
	assert_int_equal(count_fds(), before);
	write_rules("bad.yar", "rule {");
	assert_null(start_match(rules_path, &err, &why));
	assert_int_equal(count_fds(), before);
	m = NULL;
	assert_int_equal(kill(matcher, 0), -1); /* reaped */
}

/* ---- waiting --------------------------------------------------------- */

static size_t n_waits, waits_allowed;

static bool wait_a_while(void *user, int fd, uint64_t until_ns)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	(void)user;
	assert_true(until_ns > io_now_ns());
	return n_waits++ < waits_allowed && poll(&p, 1, 10000) == 1;
}

static void who_waits_is_asked_to(void **state)
{
	static const size_t at[] = { 70000 };
	struct match *was = m;
	struct target t;
	int err;

	(void)state;
	match_wait = wait_a_while;
	n_waits = 0;
	waits_allowed = SIZE_MAX;
	m = start_match(rules_path, &err, &why);
	assert_int_equal(err, 0);
	assert_true(n_waits > 0);
	open_target(&t, WORDS, at, 1);
	n_waits = 0;
	assert_int_equal(look_at(&t, ANY), 0);
	assert_int_equal(n_hits, 1);
	assert_true(n_waits > 1);
	n_waits = waits_allowed = 0;
	assert_int_equal(look_at(&t, ANY), -ECANCELED);
	assert_non_null(strstr(why.text, "told to stop"));
	match_wait = NULL;
	close_target(&t);
	match_free(m);
	m = was;
}

#define LIMIT 4096 /* MATCH_HITS_MAX */

/* Rules enough for one hit more than is kept; the matcher is at no fault. */
static void more_hits_than_are_kept(void **state)
{
	static const size_t at[] = { 70000 };
	char *text = malloc((LIMIT + 1) * 128UL);
	struct match *saved = m;
	size_t len = 0, n_rules;
	struct target t;
	int err;

	(void)state;
	for (int i = 0; i <= LIMIT; i++)
		len += (size_t)sprintf(text + len,
				       "rule r%d { meta: where = \"any\" "
				       "strings: $w = \"" WORDS "\" "
				       "condition: $w }\n",
				       i);
	write_rules("many.yar", text);
	free(text);
	m = start_match(rules_path, &err, &why);
	assert_non_null(m);
	match_rules(m, &n_rules);
	assert_int_equal(n_rules, LIMIT + 1);
	open_target(&t, WORDS, at, 1);
	for (int i = 0; i < 2; i++) {
		pid_t before = matcher;

		assert_int_equal(look_at(&t, ANY), -ENODATA);
		assert_string_equal(why.text, "more than 4096 rules hold");
		assert_int_equal(n_hits, LIMIT);
		assert_int_equal(matcher, before);
	}
	close_target(&t);
	open_target(&t, WORDS, at, 0);
	assert_int_equal(look_at(&t, ANY), 0);
	assert_int_equal(n_hits, 0);
	close_target(&t);
	match_free(m);
	m = saved;
	unlink(rules_path);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(what_it_knows),
		TEST(a_planted_string_is_hit),
		TEST(the_classes_are_kept_apart),
		TEST(each_process_begins_anew),
		TEST(seams_lose_nothing),
		TEST(many_small_suspects),
		TEST(one_that_ends_is_gone),
		TEST(a_killed_matcher_is_replaced),
		TEST(what_can_not_be_shown_again),
		TEST(the_first_ones_rules_are_kept),
		TEST(one_that_can_not_be_started_is_told_of),
		TEST(the_matcher_is_ours),
		TEST(nothing_is_left_open),
		TEST(who_waits_is_asked_to),
		TEST(more_hits_than_are_kept),
	};

	if (child_emulated() || child_unwatched())
		return child_skip_group();
	return cmocka_run_group_tests(tests, NULL, remove_rules);
}
