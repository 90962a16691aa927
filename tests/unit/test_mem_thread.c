#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mem_fixture.h"
#include "threads.h"

static void write_in_threads(void *user)
{
	write_some(user);
	threads_start(NULL);
}

/* A thread's number may be another process's by the time it is used. */
static void no_copy_goes_by_a_thread(void **state)
{
	uint8_t **at = child_shared(sizeof(*at));
	pid_t pid;
	struct target t;

	(void)state;
	if (child_skip_emulated())
		skip();
	pid = child_start(write_in_threads, at);
	aim(&t, pid, *at, NULL);
	assert_int_equal(collect(t.mem), 0);
	assert_true(t.mem->fast[0]);
	miss(&t);
	threads_end(pid, pid);
	aim(&t, pid, *at, NULL);
	assert_int_not_equal(t.proc.tid, pid);
	assert_int_equal(collect(t.mem), 0);
	assert_int_equal(t.mem->n_pages, BATCH_PAGES);
	for (size_t i = 0; i < BATCH_PAGES; i++)
		assert_false(t.mem->fast[i]);
	miss(&t);
	child_end(pid);
	munmap(at, sizeof(*at));
}

static void memory_outlives_the_thread(void **state)
{
	uint8_t **at = child_shared(sizeof(*at)), count[PAGES] = { 0 };
	pid_t pid;
	struct target t;

	(void)state;
	if (child_skip_emulated())
		skip();
	pid = child_start(write_in_threads, at);
	threads_end(pid, pid);
	aim(&t, pid, *at, NULL);
	threads_end(pid, t.proc.tid);
	assert_true(mem_is_its_own(t.mem));
	assert_int_equal(read_all(&t, count), 0);
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(count[i], is_touched(i));
	child_end(pid);
	assert_false(mem_is_its_own(t.mem));
	miss(&t);
	munmap(at, sizeof(*at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_copy_goes_by_a_thread),
		cmocka_unit_test(memory_outlives_the_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
