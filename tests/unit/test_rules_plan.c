#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "prefilter.h"
#include "rules_plan.h"

static YR_RULES *set;
static struct rules_plan plan;

static void complain(int level, const char *file, int line,
		     const YR_RULE *rule, const char *message, void *user)
{
	(void)file;
	(void)rule;
	(void)user;
	if (level == YARA_ERROR_LEVEL_ERROR)
		print_error("line %d: %s\n", line, message);
}

/* Plans for @text, all of whose rules are for WHERE_IMAGE. */
static void make_plan(const char *text)
{
	YR_COMPILER *compiler;
	uint8_t where[16];

	assert_int_equal(yr_compiler_create(&compiler), ERROR_SUCCESS);
	yr_compiler_set_callback(compiler, complain, NULL);
	assert_int_equal(yr_compiler_add_string(compiler, text, NULL), 0);
	assert_int_equal(yr_compiler_get_rules(compiler, &set), ERROR_SUCCESS);
	yr_compiler_destroy(compiler);
	for (uint32_t i = 0; i < set->num_rules; i++)
		where[i] = RULE_IS_PRIVATE(&set->rules_table[i])
				   ? WHERE_COUNT
				   : WHERE_IMAGE;
	assert_int_equal(rules_plan_make(set, where, &plan), 0);
}

static void drop_plan(void)
{
	rules_plan_free(&plan);
	rules_plan_free(&plan); /* harmless */
	yr_rules_destroy(set);
}

static void plan_string(const char *string)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "rule r { strings: $a = %s condition: $a }", string);
	make_plan(text);
}

/* ---- literals -------------------------------------------------------- */

static void a_literal_is_its_own_atom(void **state)
{
	(void)state;
	plan_string("\"abcdefghij\"");
	assert_int_equal(plan.n, 1);
	assert_int_equal(plan.atoms[0].len, 10);
	assert_memory_equal(plan.atoms[0].bytes, "abcdefghij", 10);
	assert_int_equal(plan.atoms[0].where, 1 << WHERE_IMAGE);
	assert_int_equal(plan.atoms[0].before, 2);
	assert_int_equal(plan.atoms[0].after, 12);
	assert_null(plan.rules[0].why);
	drop_plan();
	plan_string("{ 01 02 03 04 05 06 07 08 09 }");
	assert_int_equal(plan.n, 1);
	assert_memory_equal(plan.atoms[0].bytes, "\1\2\3\4\5\6\7\10\11", 9);
	drop_plan();
}

static void wide_ones_have_zeros(void **state)
{
	(void)state;
	plan_string("\"abcd\" wide");
	assert_int_equal(plan.n, 1);
	assert_int_equal(plan.atoms[0].len, 8);
	assert_memory_equal(plan.atoms[0].bytes, "a\0b\0c\0d\0", 8);
	drop_plan();
	plan_string("\"abcd\" wide ascii");
	assert_int_equal(plan.n, 2);
	assert_int_equal(plan.atoms[0].len + plan.atoms[1].len, 12);
	drop_plan();
}

/* Of a long one, a piece that is not the dull one. */
static void a_long_literal_gives_a_slice(void **state)
{
	static const char literal[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"bcdefghijklmnopqrstuvwxyz0123456789BCDEFGHIJKLMNOPQRSTUVWX";
	char quoted[sizeof(literal) + 2];
	const struct atom *a;
	const char *where;

	(void)state;
	snprintf(quoted, sizeof(quoted), "\"%s\"", literal);
	plan_string(quoted);
	assert_int_equal(plan.n, 1);
	a = &plan.atoms[0];
	assert_int_equal(a->len, ATOM_BYTES);
	where = memmem(literal, strlen(literal), a->bytes, a->len);
	assert_non_null(where);
	assert_int_equal(a->before, where - literal + 2);
	assert_int_equal(a->after, literal + strlen(literal) - where + 2);
	assert_true(a->bytes[1] != 'a');
	drop_plan();
}

/* ---- runs ------------------------------------------------------------ */

static const struct {
	const char *string;
	const char *run; /* of its only atom */
	size_t len;
} runs[] = {
	{ "{ 01 02 03 04 05 06 07 08 09 ?? 0b 0c }", "\1\2\3\4\5\6\7\10\11",
	  9 },
	{ "{ 0b ?? 01 02 03 04 05 06 07 08 09 }", "\1\2\3\4\5\6\7\10\11", 9 },
	{ "{ 0b ?1 02 03 04 05 06 07 08 [2-9] 0c }", "\2\3\4\5\6\7\10", 7 },
	{ "/\"mining\\.notify\",\\[\"[^\"]{1,9}/", "\"mining.notify\",[\"",
	  18 },
	{ "/[0-9]+ hashes a second/", " hashes a second", 16 },
	{ "/(abcdefgh)+[0-9]/", "abcdefgh", 8 },
};

static void a_run_is_longer_than_the_automaton_knows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		plan_string(runs[i].string);
		assert_int_equal(plan.n, 1);
		assert_int_equal(plan.atoms[0].len, runs[i].len);
		assert_memory_equal(plan.atoms[0].bytes, runs[i].run,
				    runs[i].len);
		drop_plan();
	}
}

/* The automaton's atom is in the first of them, or in the last. */
static void the_best_run_of_all_and_its_reach(void **state)
{
	static const char *const strings[] = {
		"{ 55 66 77 88 ?? 01 02 03 04 05 06 07 08 [2-4] 9a ab bc cd }",
		"{ 9a ab bc cd 4? 01 02 03 04 05 06 07 08 ?? [1-3] de ef }",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		plan_string(strings[i]);
		assert_int_equal(plan.n, 1);
		assert_int_equal(plan.atoms[0].len, 8);
		assert_memory_equal(plan.atoms[0].bytes,
				    "\1\2\3\4\5\6\7\10", 8);
		assert_int_equal(plan.atoms[0].before, 5 + 2);
		assert_int_equal(plan.atoms[0].after, (i ? 14 : 16) + 2);
		drop_plan();
	}
}

static void either_case_is_one_atom(void **state)
{
	static const char *const strings[] = {
		"\"Proof of \" nocase",
		"/[0-9]Proof of /i",
		"/Proof of [0-9]/ nocase",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		plan_string(strings[i]);
		assert_int_equal(plan.n, 1);
		assert_true(plan.atoms[0].nocase);
		assert_int_equal(plan.atoms[0].len, 9);
		assert_memory_equal(plan.atoms[0].bytes, "proof of ", 9);
		drop_plan();
	}
}

/* Their bytes are not the code's. */
static void modifiers_leave_four_bytes(void **state)
{
	static const char *const strings[] = {
		"/proof of [0-9]/ wide",
		"/proof of [0-9]/ wide ascii",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		plan_string(strings[i]);
		for (size_t k = 0; k < plan.n; k++)
			assert_in_range(plan.atoms[k].len, ATOM_MIN, 4);
		drop_plan();
	}
}

/* ---- whatever matches is marked -------------------------------------- */

#define TEXT(s) s, sizeof(s) - 1

static const struct {
	const char *string;
	const char *match;
	size_t len;
} marked[] = {
	{ "\"abc\"", TEXT("abc") },
	{ "\"proof of work\"", TEXT("proof of work") },
	{ "\"proof of work\" fullword", TEXT("proof of work") },
	{ "\"proof of work\" nocase", TEXT("pRoOF Of wORK") },
	{ "\"proof of work\" nocase", TEXT("PROOF OF WORK") },
	{ "\"work\" nocase wide", TEXT("W\0o\0R\0k\0") },
	{ "\"proof\" wide ascii", TEXT("proof") },
	{ "\"proof\" wide ascii", TEXT("p\0r\0o\0o\0f\0") },
	{ "\"constants\" xor(0x20-0x22)", TEXT("BNORU@OUR") },
	{ "\"This program cannot\" base64", TEXT("VGhpcyBwcm9ncmFtIGNhbm5vd") },
	{ "\"This program cannot\" base64", TEXT("RoaXMgcHJvZ3JhbSBjYW5ub3") },
	{ "\"This program cannot\" base64", TEXT("UaGlzIHByb2dyYW0gY2Fubm90") },
	{ "{ 01 02 03 04 ?? 06 07 08 }", TEXT("\1\2\3\4Z\6\7\10") },
	{ "{ aa ?? bb ?? cc }", TEXT("\xaaZ\xbbY\xcc") },
	{ "{ ?? ?? ?? 6a 09 e6 67 }", TEXT("xyz\x6a\x09\xe6\x67") },
	{ "{ 6a 09 e6 6? }", TEXT("\x6a\x09\xe6\x6f") },
	{ "{ 6a 09 e6 [2-8] bb 67 ae 85 }",
	  TEXT("\x6a\x09\xe6 1234567\xbb\x67\xae\x85") },
	{ "{ ( aa bb cc | 11 22 33 ) 44 55 66 }",
	  TEXT("\xaa\xbb\xcc\x44\x55\x66") },
	{ "{ ( aa bb cc | 11 22 33 ) 44 55 66 }",
	  TEXT("\x11\x22\x33\x44\x55\x66") },
	{ "/mine(rs|d) [0-9]{3,8} now/", TEXT("mined 31415926 now") },
	{ "/mine(rs|d) [0-9]{3,8} now/", TEXT("miners 314 now") },
	{ "/[0-9]{1,3} (kilo|mega)hashes a second/",
	  TEXT("17 kilohashes a second") },
	{ "{ 41 [4-8] 6a 09 e6 67 bb 67 ae 85 ?? 3c 6e f3 72 a5 4f f5 3a }",
	  TEXT("A12345\x6a\x09\xe6\x67\xbb\x67\xae\x85?\x3c\x6e\xf3\x72"
	       "\xa5\x4f\xf5\x3a") },
	{ "/--donate-level=[0-9]+/i", TEXT("--DONATE-Level=5") },
	{ "/stratum\\+(tcp|ssl):\\/\\/[a-z.]{1,99}/ wide",
	  TEXT("s\0t\0r\0a\0t\0u\0m\0+\0t\0c\0p\0:\0/\0/\0x\0") },
};

static bool is_marked(const struct prefilter *pf, const char *match,
		      size_t len, size_t at)
{
	static uint8_t page[FLOW_PAGE];
	struct prefilter_mark mark;

	memset(page, 0xdb, sizeof(page));
	memcpy(page + at, match, len);
	mark = prefilter_page(pf, page);
	/* With the bytes around it, which fullword wants to see. */
	return mark.where & 1 << WHERE_IMAGE && mark.start < (int32_t)at &&
	       mark.end > (int32_t)(at + len);
}

static void what_matches_is_marked(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(marked) / sizeof(marked[0]); i++) {
		struct prefilter *pf;

		plan_string(marked[i].string);
		if (plan.every_page)
			fail_msg("%s sees every page", marked[i].string);
		assert_int_equal(prefilter_new(plan.atoms, plan.n, &pf, NULL),
				 0);
		for (size_t at = 100; at < 140; at++)
			if (!is_marked(pf, marked[i].match, marked[i].len, at))
				fail_msg("%s is not marked at %zu",
					 marked[i].string, at);
		prefilter_free(pf);
		drop_plan();
	}
}

static void every_atom_can_be_filtered(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(marked) / sizeof(marked[0]); i++) {
		plan_string(marked[i].string);
		for (size_t k = 0; k < plan.n; k++) {
			assert_in_range(plan.atoms[k].len, ATOM_MIN,
					ATOM_BYTES);
			assert_int_equal(plan.atoms[k].where,
					 1 << WHERE_IMAGE);
		}
		drop_plan();
	}
}

/* ---- who must see every page ----------------------------------------- */

#define OTHER "rule other { strings: $o = \"something\" condition: $o } "

static const struct {
	const char *rules; /* it is the last of them */
	bool every_page;
} conditions[] = {
	{ "rule r { strings: $a = \"abcdef\" condition: $a }", false },
	{ "rule r { strings: $a = \"abcdef\" $b = \"ghijkl\" "
	  "condition: any of them }",
	  false },
	{ "rule r { strings: $a = \"abcdef\" condition: #a > 3 }", false },
	{ "rule r { strings: $a = \"abcdef\" condition: $a in (0..99) }",
	  false },
	{ "rule r { strings: $a = \"abcdef\" condition: @a[1] < 99 }", false },
	/* It can hold without a string. */
	{ "rule r { condition: true }", true },
	{ "rule r { strings: $a = \"abcdef\" condition: not $a }", true },
	{ "rule r { strings: $a = \"abcdef\" condition: #a == 0 }", true },
	{ "rule r { strings: $a = \"abcdef\" condition: $a or true }", true },
	{ "rule r { strings: $a = \"abcdef\" $b = \"ghijkl\" "
	  "condition: $a or not $b }",
	  true },
	/* Its strings have no atom of three bytes that are not zero. */
	{ "rule r { strings: $a = \"ab\" condition: $a }", true },
	{ "rule r { strings: $a = { 00 00 00 00 00 00 } condition: $a }",
	  true },
	{ "rule r { strings: $a = { aa ?? ?? ?? cc } condition: $a }", true },
	{ "rule r { strings: $a = { 00 00 00 00 ?? 00 00 } condition: $a }",
	  true },
	{ "rule r { strings: $a = /[a-z]+/ condition: $a }", true },
	{ "rule r { strings: $a = \"abcdef\" $b = \"xy\" condition: $a and $b "
	  "}",
	  true },
	{ "rule r { strings: $a = { 01 02 03 04 [0-300] 05 06 07 08 } "
	  "condition: $a }",
	  true },
	/* It reads memory, or asks a module: in vain, whatever it sees. */
	{ "rule r { strings: $a = \"abcdef\" "
	  "condition: $a and uint16(0) == 0x5a4d }",
	  false },
	{ "rule r { strings: $a = \"abcdef\" "
	  "condition: $a and int8be(@a[1]) == 1 }",
	  false },
	{ "rule r { strings: $a = \"abcdef\" "
	  "condition: not defined uint16(0) or $a }",
	  true },
	{ "import \"math\" rule r { strings: $a = \"abcdef\" "
	  "condition: $a and math.min(1, 2) == 1 }",
	  false },
	{ "import \"math\" rule r { strings: $a = \"abcdef\" "
	  "condition: $a or math.min(1, 2) == 1 }",
	  true },
	{ "import \"time\" rule r { strings: $a = \"abcdef\" "
	  "condition: $a or time.now() > 9999999999 }",
	  true },
	/* It rests on another. */
	{ OTHER "rule r { condition: other }", false },
	{ OTHER "rule r { condition: not other }", true },
	{ "rule o { condition: true } rule r { strings: $a = \"abcdef\" "
	  "condition: $a and o }",
	  false }, /* needs its own string */
	{ "private rule o { strings: $o = \"ab\" condition: $o } "
	  "rule r { strings: $a = \"abcdef\" condition: $a and o }",
	  true },
	{ "private rule o { strings: $o = \"abcd\" condition: $o } "
	  "rule r { strings: $a = \"abcdef\" condition: $a and o }",
	  false },
	{ "global rule o { strings: $o = \"ab\" condition: $o } "
	  "rule r { strings: $a = \"abcdef\" condition: $a }",
	  true },
};

static void who_must_see_every_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]);
	     i++) {
		const struct plan_rule *r;

		make_plan(conditions[i].rules);
		r = &plan.rules[set->num_rules - 1];
		if ((r->why != NULL) != conditions[i].every_page)
			fail_msg("every page: \"%s\": %s", r->why ? r->why : "",
				 conditions[i].rules);
		if (r->why)
			assert_int_equal(plan.every_page, 1 << WHERE_IMAGE);
		assert_int_equal(r->where, 1 << WHERE_IMAGE);
		drop_plan();
	}
}

/* A private rule is judged where those are that rest on it. */
static void private_rules_go_with_others(void **state)
{
	(void)state;
	make_plan("private rule p { strings: $p = \"private\" condition: $p } "
		  "rule r { condition: p } "
		  "private rule q { strings: $q = \"unused\" condition: $q }");
	assert_int_equal(plan.rules[0].where, 1 << WHERE_IMAGE);
	assert_int_equal(plan.rules[2].where, 0);
	assert_int_equal(plan.n, 1); /* of the first alone */
	assert_memory_equal(plan.atoms[0].bytes, "private", 7);
	drop_plan();
}

static void no_rules_are_no_plan(void **state)
{
	(void)state;
	make_plan("");
	assert_int_equal(plan.n, 0);
	drop_plan();
}

static int start(void **state)
{
	(void)state;
	return yr_initialize() != ERROR_SUCCESS;
}

static int stop(void **state)
{
	(void)state;
	return yr_finalize() != ERROR_SUCCESS;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_literal_is_its_own_atom),
		cmocka_unit_test(wide_ones_have_zeros),
		cmocka_unit_test(a_long_literal_gives_a_slice),
		cmocka_unit_test(a_run_is_longer_than_the_automaton_knows),
		cmocka_unit_test(the_best_run_of_all_and_its_reach),
		cmocka_unit_test(either_case_is_one_atom),
		cmocka_unit_test(modifiers_leave_four_bytes),
		cmocka_unit_test(what_matches_is_marked),
		cmocka_unit_test(every_atom_can_be_filtered),
		cmocka_unit_test(who_must_see_every_page),
		cmocka_unit_test(private_rules_go_with_others),
		cmocka_unit_test(no_rules_are_no_plan),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
