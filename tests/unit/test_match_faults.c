/* The matcher fails: what it was shown is shown to a fresh one, and a rule at
 * which it fails again is switched off and named.  This program is then the
 * matcher, too; the last of its arguments says what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include "confine.h"
#include "match.c"
#include "match_fixture.h"

#define RULES 11
#define WORDS "what is looked for"

static char counter[128]; /* a file with a byte for each that was started */

/* ---- the matcher ----------------------------------------------------- */

static struct wire_message out, in;
static const char *memory;
static bool off[RULES];
static uint64_t seen; /* matches so far */

static void say(uint32_t type, size_t len)
{
	if (wire_send(WIRE_SOCKET, &out, type, len))
		_exit(0);
}

static void introduce(void)
{
	memset(&out, 0, sizeof(out));
	out.rules.n = RULES;
	for (int i = 0; i < RULES; i++)
		snprintf(out.rules.rule[i].name, 128, "rule_%d", i);
	say(WIRE_RULES_PART, wire_rules_size(RULES));
	memset(&out, 0, sizeof(out));
	out.ready.n_rules = RULES;
	strcpy(out.ready.version, "0123456789abcdef");
	say(WIRE_READY, sizeof(out.ready));
}

static void spin(void)
{
	for (volatile int i = 0;; i++)
		;
}

static void stop_self(void)
{
	raise(SIGSTOP);
	_exit(9);
}

static void crash(void)
{
	raise(SIGSEGV);
}

static void killed(void)
{
	raise(SIGKILL);
}

static void no_memory(void)
{
	const struct rlimit r = { 1 << 20, 1 << 20 };
	void *volatile p; /* else no compiler need call malloc */

	setrlimit(RLIMIT_DATA, &r);
	do
		p = malloc(65536);
	while (p);
	abort();
}

static void wrong_word(void)
{
	say(WIRE_READY, sizeof(out.ready));
}

static const struct {
	const char *name;
	void (*act)(void);
} ways[] = {
	{ "killed", killed }, { "crash", crash },    { "no_memory", no_memory },
	{ "spin", spin },     { "stop", stop_self }, { "wrong", wrong_word },
};

static void take_only(void)
{
	for (uint32_t i = 0; i < RULES; i++)
		off[i] = i < in.only.from || i >= in.only.to;
	for (uint32_t i = 0; i < in.only.n; i++)
		off[in.only.skipped[i]] = true;
}

static void count_matches(void)
{
	for (uint32_t i = 0; i < in.look.n; i++) {
		const char *at = memory + in.look.window[i].offset;
		const char *end = at + in.look.window[i].len;

		while ((at = memmem(at, (size_t)(end - at), WORDS,
				    sizeof(WORDS) - 1))) {
			seen++;
			at++;
		}
	}
}

static void tell(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < RULES && seen; i++) {
		if (off[i])
			continue;
		memset(&out, 0, sizeof(out));
		out.hit.rule = i;
		out.hit.n_matches = seen;
		say(WIRE_HIT, sizeof(out.hit));
		n++;
	}
	seen = 0;
	memset(&out, 0, sizeof(out));
	out.done.n_hits = n;
	say(WIRE_DONE, sizeof(out.done));
}

static void count_life(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0 || write(fd, "x", 1) != 1)
		_exit(10);
	close(fd);
}

/* @how is WAY:WHEN:RULE:COUNTER: fails at a LOOK or at the END with RULE on, or
 * at the second process that it is shown (-2), or always (-3). */
static void be_matcher(char *how)
{
	char *way = strtok(how, ":"), *when = strtok(NULL, ":");
	int rule = atoi(strtok(NULL, ":"));
	size_t w = 0, served = 0;

	count_life(strtok(NULL, ":"));
	while (strcmp(ways[w].name, way))
		w++;
	memory = mmap(NULL, WIRE_BYTES, PROT_READ, MAP_SHARED, WIRE_MEMORY, 0);
	introduce();
	for (;;) {
		bool at_end, ill = false;

		if (wire_receive(WIRE_SOCKET, &in, -1) != 1)
			_exit(0);
		if (in.type == WIRE_ONLY) {
			take_only();
			continue;
		}
		at_end = in.type == WIRE_END;
		for (int i = 0; i < RULES; i++)
			ill |= !off[i] && rule == i;
		if (rule == -2)
			ill = served;
		if (rule == -3)
			ill = true;
		if (ill && at_end == !strcmp(when, "end"))
			ways[w].act();
		if (at_end) {
			tell();
			served++;
		} else {
			count_matches();
			say(WIRE_LOOKED, 0);
		}
	}
}

/* ---- the tests ------------------------------------------------------- */

static struct target target;
static const struct hit *hits;
static size_t n_hits;
static struct why why;

static struct match *start_ill(const char *way, const char *when, int rule)
{
	static char how[256];
	struct match *m;
	int err;

	if (truncate(counter, 0))
		abort();
	snprintf(how, sizeof(how), "%s:%s:%d:%s", way, when, rule, counter);
	m = start_match(how, &err, &why);
	if (!m)
		fail_msg("%s: %s", how, why.text);
	/* Only those are waited for; the others may be slow on a busy machine.
	 */
	if (!strcmp(way, "spin") || !strcmp(way, "stop"))
		m->answer_ms = 500;
	return m;
}

static int look(struct match *m)
{
	int err, end;

	why.text[0] = '\0';
	err = match_look(m, target.mem, &target.all, &why);
	end = match_end(m, &hits, &n_hits, err ? &(struct why){ "" } : &why);
	return err ?: end;
}

static void check_all_found(size_t n)
{
	assert_int_equal(n_hits, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(hits[i].n_matches, 3);
}

/* A thousand in all: each look but the first begins with one that fails.  With
 * sanitizers, which take a while to start, a tenth. */
static void chance_costs_nothing(void **state)
{
	static const int rounds[] = { 201, 201, 59, 7, 7, 19 };
	int times = 1;

	(void)state;
#ifdef CONFINE_SANITIZED
	times = 10;
#endif
	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++)
		for (int at_end = 0; at_end < 2; at_end++) {
			const char *when = at_end ? "end" : "look";
			struct match *m = start_ill(ways[w].name, when, -2);

			for (int i = 0; i < 1 + rounds[w] / times; i++) {
				if (look(m))
					fail_msg("%s at %s: %s", ways[w].name,
						 when, why.text);
				check_all_found(RULES);
			}
			match_free(m);
		}
}

/* Whatever it does, it is tried but a few times, and the look says so. */
static void one_that_always_fails(void **state)
{
	(void)state;
	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++)
		for (int at_end = 0; at_end < 2; at_end++) {
			const char *when = at_end ? "end" : "look";
			struct match *m = start_ill(ways[w].name, when, -3);
			struct stat st;

			assert_true(look(m) < 0);
			assert_non_null(strstr(why.text, "davylamp-match"));
			assert_int_equal(n_hits, 0);
			assert_int_equal(stat(counter, &st), 0);
			assert_in_range(st.st_size, 3, 40);
			match_free(m);
		}
}

/* One rule at which it fails: off in this process, and named; the others
 * find what there is. */
static void the_rule_is_found(void **state)
{
	static const int rules[] = { 0, 5, RULES - 1 };

	(void)state;
	for (size_t w = 0; w < 3; w++)
		for (int at_end = 0; at_end < 2; at_end++)
			for (size_t i = 0; i < 3; i++) {
				struct match *m = start_ill(
					ways[w].name, at_end ? "end" : "look",
					rules[i]);
				char name[32];

				snprintf(name, sizeof(name), "rule rule_%d was",
					 rules[i]);
				assert_true(look(m) < 0);
				if (!strstr(why.text, name))
					fail_msg("%s", why.text);
				check_all_found(RULES - 1);
				match_free(m);
			}
}

/* In a third process it is off before it does harm, and each look says so. */
static void a_rule_in_quarantine(void **state)
{
	struct match *m = start_ill("crash", "look", 7);
	struct target others[4];
	static const size_t at[] = { 5, 1 << 20, (2 << 20) + 77 };
	struct target was = target;
	struct stat st[2];

	(void)state;
	for (int i = 0; i < 3; i++) /* the same process counts once */
		assert_int_equal(look(m), -EPIPE);
	for (int i = 0; i < 4; i++) {
		open_target(&others[i], WORDS, at, 3);
		target = others[i];
		stat(counter, &st[0]);
		if (look(m) != (i < 2 ? -EPIPE : -ENODATA))
			fail_msg("%d: %s", i, why.text);
		stat(counter, &st[1]);
		assert_non_null(strstr(why.text, "rule_7"));
		check_all_found(RULES - 1);
		if (i < 1)
			assert_null(match_off(m, 0));
		if (i >= 2)
			assert_string_equal(match_off(m, 0), "rule_7");
		assert_null(match_off(m, 1));
		if (i >= 2)
			assert_int_equal(st[0].st_size, st[1].st_size);
		close_target(&others[i]);
	}
	target = was;
	match_free(m);
}

/* It fails with any rule or with none in sight: none is blamed. */
static void no_rule_is_blamed_for_nothing(void **state)
{
	struct match *m = start_ill("crash", "look", -3);

	(void)state;
	assert_true(look(m) < 0);
	assert_null(strstr(why.text, "rule_"));
	assert_non_null(strstr(why.text, "not all was scanned"));
	match_free(m);
}

static int start(void **state)
{
	static const size_t at[] = { 5, 1 << 20, (2 << 20) + 77 };
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	(void)state;
	write_rules("counter", "");
	strcpy(counter, rules_path);
	open_target(&target, WORDS, at, 3);
	return n > 0 ? 0 : -1;
}

static int stop(void **state)
{
	close_target(&target);
	return remove_rules(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chance_costs_nothing),
		cmocka_unit_test(one_that_always_fails),
		cmocka_unit_test(the_rule_is_found),
		cmocka_unit_test(a_rule_in_quarantine),
		cmocka_unit_test(no_rule_is_blamed_for_nothing),
	};

	if (argc > 1 && !strcmp(argv[0], "davylamp-match")) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_matcher(argv[argc - 1]);
	}
	if (child_emulated() || child_unwatched())
		return child_skip_group();
	return cmocka_run_group_tests(tests, start, stop);
}
