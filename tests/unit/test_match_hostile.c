/* The matcher reads hostile memory with a large library: here it has been
 * taken over.  This program is then the matcher, too, and lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include "match_fixture.h"

static struct wire_message out, in;

static void say(uint32_t type, size_t len)
{
	if (wire_send(WIRE_SOCKET, &out, type, len))
		_exit(7);
}

static void say_rule(void)
{
	memset(&out, 0, sizeof(out));
	out.rules.n = 1;
	strcpy(out.rules.rule[0].name, "fake");
	say(WIRE_RULES_PART, wire_rules_size(1));
}

static void say_ready(uint32_t n_rules, uint32_t n_atoms, uint32_t every)
{
	memset(&out, 0, sizeof(out));
	out.ready.n_rules = n_rules;
	out.ready.n_atoms = n_atoms;
	out.ready.every_page = every;
	strcpy(out.ready.version, "0123456789abcdef");
	say(WIRE_READY, sizeof(out.ready));
}

static void introduce(void)
{
	say_rule();
	say_ready(1, 0, 1);
}

static void expect(uint32_t type)
{
	if (wire_receive(WIRE_SOCKET, &in, -1) != 1 || in.type != type)
		_exit(8);
}

/* Takes all windows, and is asked for what it found. */
static void take_windows(void)
{
	for (;;) {
		if (wire_receive(WIRE_SOCKET, &in, -1) != 1)
			_exit(0);
		if (in.type == WIRE_END)
			break;
		say(WIRE_LOOKED, 0);
	}
	memset(&out, 0, sizeof(out));
}

static void serve_to_end(void)
{
	introduce();
	take_windows();
}

static void say_done(uint32_t incomplete)
{
	memset(&out, 0, sizeof(out));
	out.done.incomplete = incomplete;
	memset(out.done.text, incomplete ? '\x1b' : 0, sizeof(out.done.text));
	say(WIRE_DONE, sizeof(out.done));
}

/* ---- what it does instead of its work -------------------------------- */

static void exits(void) { _exit(3); }
static void crashes(void) { kill(getpid(), SIGXCPU); }

static void sends_noise(void)
{
	memset(&out, 0xa5, sizeof(out));
	send(WIRE_SOCKET, &out, 100, 0);
}

static void bad_where(void)
{
	memset(&out, 0, sizeof(out));
	out.rules.n = 2;
	out.rules.rule[1].where = WHERE_COUNT;
	say(WIRE_RULES_PART, wire_rules_size(2));
}

static void bad_severity(void)
{
	memset(&out, 0, sizeof(out));
	out.rules.n = 2;
	out.rules.rule[0].severity = SEVERITY_HIGH + 1;
	say(WIRE_RULES_PART, wire_rules_size(2));
}

static void too_few_rules(void) { say_rule(); say_ready(2, 0, 1); }
static void too_few_atoms(void) { say_rule(); say_ready(1, 9, 1); }
static void bad_every(void)
{
	say_rule();
	say_ready(1, 0, 1 << WHERE_COUNT);
}
static void out_of_turn(void) { say(WIRE_HIT, sizeof(out.hit)); }
static void done_at_once(void) { say(WIRE_DONE, sizeof(out.done)); }
static void looked_at_once(void) { say(WIRE_LOOKED, 0); }

static void rules_for_ever(void)
{
	for (;;)
		say_rule();
}

static void atoms_for_ever(void)
{
	memset(&out, 0, sizeof(out));
	out.atoms.n = WIRE_ATOMS;
	for (;;)
		say(WIRE_ATOMS_PART, wire_atoms_size(WIRE_ATOMS));
}

static void refuses_loudly(void)
{
	memset(&out, '\x1b', sizeof(out)); /* and no end */
	say(WIRE_REFUSED, sizeof(out.refused));
}

static void answers_wrongly(void)
{
	introduce();
	expect(WIRE_LOOK);
	memset(&out, 0, sizeof(out));
	say(WIRE_DONE, sizeof(out.done));
}

static void answers_noise(void)
{
	introduce();
	expect(WIRE_LOOK);
	sends_noise();
}

static void dies_looking(void)
{
	introduce();
	expect(WIRE_LOOK);
	kill(getpid(), SIGABRT);
}

static void hits_no_rule(void)
{
	serve_to_end();
	out.hit.rule = 1;
	say(WIRE_HIT, sizeof(out.hit));
}

static void hits_too_many_strings(void)
{
	serve_to_end();
	out.hit.n_strings = HIT_STRINGS + 1;
	say(WIRE_HIT, sizeof(out.hit));
}

static void hits_too_many_bytes(void)
{
	serve_to_end();
	out.hit.n_strings = HIT_STRINGS;
	out.hit.string[HIT_STRINGS - 1].n_bytes = HIT_BYTES + 1;
	say(WIRE_HIT, sizeof(out.hit));
}

static void hits_for_ever(void)
{
	serve_to_end();
	for (;;)
		say(WIRE_HIT, sizeof(out.hit));
}

static void ends_with_looked(void)
{
	serve_to_end();
	say(WIRE_LOOKED, 0);
}

static void dies_telling(void)
{
	serve_to_end();
	say(WIRE_HIT, sizeof(out.hit));
	_exit(5);
}

static void no_end_of_text(void)
{
	memset(&out, 'A', sizeof(out));
	out.rules.n = 1;
	out.rules.rule[0].where = WHERE_ANY;
	out.rules.rule[0].severity = 0;
	say(WIRE_RULES_PART, wire_rules_size(1));
	memset(&out, 'A', sizeof(out));
	out.ready.n_rules = 1;
	out.ready.n_atoms = 0;
	out.ready.every_page = 8;
	say(WIRE_READY, sizeof(out.ready));
	take_windows();
	memset(&out, 'A', sizeof(out));
	out.hit.rule = 0;
	out.hit.n_strings = HIT_STRINGS;
	for (int i = 0; i < HIT_STRINGS; i++)
		out.hit.string[i].n_bytes = HIT_BYTES;
	say(WIRE_HIT, sizeof(out.hit));
	say_done(1);
}

/* The memory that it shares can neither be written nor cut, nor, once it is
 * ready, the text of the rules. */
static void grabs_the_memory(void)
{
	bool can = ftruncate(WIRE_MEMORY, 0) == 0 ||
		   ftruncate(WIRE_MEMORY, WIRE_BYTES * 2) == 0 ||
		   write(WIRE_MEMORY, "x", 1) == 1 ||
		   mmap(NULL, WIRE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			WIRE_MEMORY, 0) != MAP_FAILED ||
		   fcntl(WIRE_MEMORY, F_ADD_SEALS, F_SEAL_WRITE) == 0;

	if (can)
		_exit(66);
	introduce();
	expect(WIRE_LOOK);
	_exit(write(WIRE_KEPT, "x", 1) == 1 ? 66 : 55);
}

/* What it inherits: a socket, the memory, the rules' text and three streams; no
 * variable. */
static void looks_around(void)
{
	extern char **environ;

	for (int fd = 6; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			_exit(66);
	if (environ && *environ)
		_exit(67);
	introduce();
	expect(WIRE_LOOK);
	_exit(55);
}

/* ---- and what comes of it -------------------------------------------- */

#define START 0	/* match_new() fails */
#define LOOK  1	/* match_look() or match_end() */

static const struct {
	const char *name;
	void (*act)(void);
	int when, err;
	const char *says;
} lies[] = {
#define LIE(act, when, err, says) { #act, act, when, err, says }
	LIE(exits, START, -EPIPE, "ended with status 3"),
	LIE(crashes, START, -EPIPE, "SIGXCPU"),
	LIE(sends_noise, START, -EBADMSG, "does not belong"),
	LIE(bad_where, START, -EBADMSG, "does not belong"),
	LIE(bad_severity, START, -EBADMSG, "does not belong"),
	LIE(too_few_rules, START, -EBADMSG, "does not belong"),
	LIE(too_few_atoms, START, -EBADMSG, "does not belong"),
	LIE(bad_every, START, -EBADMSG, "does not belong"),
	LIE(out_of_turn, START, -EBADMSG, "does not belong"),
	LIE(done_at_once, START, -EBADMSG, "does not belong"),
	LIE(looked_at_once, START, -EBADMSG, "does not belong"),
	LIE(rules_for_ever, START, -EBADMSG, "does not belong"),
	LIE(atoms_for_ever, START, -EBADMSG, "does not belong"),
	LIE(refuses_loudly, START, -EIO, "\\x1b\\x1b"),
	LIE(answers_wrongly, LOOK, -EBADMSG, "does not belong"),
	LIE(answers_noise, LOOK, -EBADMSG, "does not belong"),
	LIE(dies_looking, LOOK, -EPIPE, "SIGABRT"),
	LIE(hits_no_rule, LOOK, -EBADMSG, "does not belong"),
	LIE(hits_too_many_strings, LOOK, -EBADMSG, "does not belong"),
	LIE(hits_too_many_bytes, LOOK, -EBADMSG, "does not belong"),
	LIE(hits_for_ever, LOOK, -EBADMSG, "does not belong"),
	LIE(ends_with_looked, LOOK, -EBADMSG, "does not belong"),
	LIE(dies_telling, LOOK, -EPIPE, "ended with status 5"),
	LIE(no_end_of_text, LOOK, -ENODATA, "\\x1b\\x1b"),
	LIE(grabs_the_memory, LOOK, -EPIPE, "ended with status 55"),
	LIE(looks_around, LOOK, -EPIPE, "ended with status 55"),
};

static struct target target;

static void check_strings(const struct hit *hits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(hits[i].rule->name) < 128);
		assert_true(strlen(hits[i].rule->description) < 200);
		assert_in_range(hits[i].n_strings, 0, HIT_STRINGS);
		for (size_t k = 0; k < hits[i].n_strings; k++) {
			assert_true(strlen(hits[i].strings[k].name) < 48);
			assert_in_range(hits[i].strings[k].n_bytes, 0,
					HIT_BYTES);
		}
	}
}

static int look(struct match *m, struct why *why)
{
	const struct hit *hits;
	size_t n;
	int err = match_look(m, target.mem, &target.all, why);

	err = err ?: match_end(m, &hits, &n, why);
	if (err == -ENODATA)
		check_strings(hits, n);
	return err;
}

static void lies_are_seen_through(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct why why;
		int err;
		struct match *m = start_match(lies[i].name, &err, &why);

		if (lies[i].when == LOOK && !err)
			err = look(m, &why);
		else if (!err)
			err = 1;
		if (err != lies[i].err || !strstr(why.text, lies[i].says))
			fail_msg("%s: %d, %s", lies[i].name, err, why.text);
		for (const char *s = why.text; *s; s++)
			assert_in_range((unsigned char)*s, 0x20, 0x7e);
		if (m)
			match_drop(m);
		match_free(m);
	}
}

static int start(void **state)
{
	static const size_t at[] = { 5 };
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	(void)state;
	open_target(&target, "x", at, 1);
	return n > 0 ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	close_target(&target);
	return 0;
}

static void lie(const char *name)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (!strcmp(name, lies[i].name))
			lies[i].act();
	for (;;) /* waits to be killed */
		pause();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lies_are_seen_through),
	};

	if (argc > 1 && !strcmp(argv[0], "davylamp-match")) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		lie(argv[argc - 1]);
	}
	if (child_emulated() || child_unwatched())
		return child_skip_group();
	return cmocka_run_group_tests(tests, start, stop);
}
