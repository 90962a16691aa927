#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "hash_fixture.h"
#include "maps.h"
#include "match_fixture.h"
#include "scan.h"

/* A process with a heap of some MiB and memory that it may execute. */
#define HEAP (8UL << 20)
#define CODE (1UL << 16)

/* What the rule looks for is nowhere in this program, which the process is a
 * fork of. */
#define PLANT_BYTES 24
#define PLANT(i)    ((uint8_t)((i)*37 + 11))

static void put_plant(uint8_t *at)
{
	for (size_t i = 0; i < PLANT_BYTES; i++)
		at[i] = PLANT(i);
}

static void write_rule(void)
{
	char text[256] = "rule planted { meta: where = \"any\" "
			 "strings: $a = {";
	size_t n = strlen(text);

	for (size_t i = 0; i < PLANT_BYTES; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %02x",
				      PLANT(i));
	snprintf(text + n, sizeof(text) - n, " } condition: $a }");
	write_rules("scan.yar", text);
}

static uint8_t *set_bytes;
static struct hashset *set;

struct memory {
	bool in_heap, in_code;
};

static void fill_memory(void *user)
{
	const struct memory *m = user;
	uint8_t *heap = child_map(HEAP, PROT_READ | PROT_WRITE);
	uint8_t *code = child_map(CODE, PROT_READ | PROT_WRITE);

	memset(heap, 0x5a, HEAP);
	memset(code, 0x5b, CODE);
	if (m->in_heap)
		put_plant(heap + HEAP / 2 + 3);
	if (m->in_code)
		put_plant(code + 5001);
	if (mprotect(code, CODE, PROT_READ | PROT_EXEC))
		_exit(1);
}

static size_t ticks, enough = SIZE_MAX;
static uint64_t largest, ticked;

static bool on_tick(void *user, uint64_t bytes)
{
	(void)user;
	ticks++;
	ticked += bytes;
	if (bytes > largest)
		largest = bytes;
	return ticks < enough;
}

static void look_at(const struct memory *memory, enum scan_depth depth,
		    uint64_t deadline_ns, struct look *ret)
{
	static const char *paths[1];
	static struct scan *scan;
	struct scan_options o = { .rules = { .paths = paths,
					     .n_paths = 1,
					     .no_default_rules = true }, .set = set };
	struct why why = { "" };
	pid_t pid = child_start(fill_memory, (void *)memory);
	struct proc proc = child_proc(pid);

	scan_free(scan);
	scan = NULL;
	write_rule();
	paths[0] = rules_path;
	if (scan_new(&o, &scan, &why))
		fail_msg("%s", why.text);
	ticks = largest = ticked = 0;
	scan_look(scan, &proc, depth, deadline_ns, on_tick, NULL, ret);
	ret->proc = NULL;
	proc_close(&proc);
	child_end(pid);
}

static void a_full_look_sees_plain_data(void **state)
{
	struct look l;

	(void)state;
	look_at(&(struct memory){ .in_heap = true }, SCAN_FULL, 0, &l);
	assert_int_equal(l.state, SCAN_COMPLETE);
	assert_false(l.shallow);
	assert_int_equal(l.n_hits, 1);
	assert_true(l.read_bytes > HEAP);
}

static void a_shallow_look_leaves_plain_data_out(void **state)
{
	struct look l;

	(void)state;
	look_at(&(struct memory){ .in_heap = true }, SCAN_PROGRAM, 0, &l);
	assert_int_equal(l.state, SCAN_COMPLETE);
	assert_true(l.shallow);
	assert_int_equal(l.n_hits, 0);
	assert_true(l.read_bytes > 0 && l.read_bytes < HEAP);
}

static void a_shallow_look_sees_what_can_be_executed(void **state)
{
	struct look l;

	(void)state;
	look_at(&(struct memory){ .in_code = true }, SCAN_PROGRAM, 0, &l);
	assert_int_equal(l.state, SCAN_COMPLETE);
	assert_true(l.shallow);
	assert_int_equal(l.n_hits, 1);
}

static void each_batch_ticks(void **state)
{
	struct look l;

	(void)state;
	look_at(&(struct memory){ 0 }, SCAN_FULL, 0, &l);
	assert_true(ticks >= HEAP >> 20);
	assert_true(largest <= BATCH_PAGES * FLOW_PAGE);
	assert_int_equal(ticked, l.read_bytes);
}

static void a_tick_can_end_a_look(void **state)
{
	struct look l;

	(void)state;
	enough = 3;
	look_at(&(struct memory){ .in_code = true }, SCAN_FULL, 0, &l);
	enough = SIZE_MAX;
	assert_int_equal(ticks, 3);
	assert_int_equal(l.state, SCAN_PARTIAL);
	assert_non_null(strstr(l.why, "told to stop"));
}

static void a_look_out_of_time_is_partial(void **state)
{
	struct look l;

	(void)state;
	look_at(&(struct memory){ 0 }, SCAN_PROGRAM, 1, &l);
	assert_int_equal(l.state, SCAN_PARTIAL);
	assert_true(l.shallow);
}

static int make(void **state)
{
	size_t len;

	(void)state;
	use_real_matcher();
	set_bytes = fixture_set(&len);
	return hashset_from_memory(set_bytes, len, &set, NULL);
}

static int drop(void **state)
{
	hashset_free(set);
	free(set_bytes);
	return remove_rules(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_look_sees_plain_data),
		cmocka_unit_test(a_shallow_look_leaves_plain_data_out),
		cmocka_unit_test(a_shallow_look_sees_what_can_be_executed),
		cmocka_unit_test(each_batch_ticks),
		cmocka_unit_test(a_tick_can_end_a_look),
		cmocka_unit_test(a_look_out_of_time_is_partial),
	};

	if (child_emulated() || child_unwatched())
		return child_skip_group();
	return cmocka_run_group_tests(tests, make, drop);
}
