#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "threads.h"

#define MUCH (256UL << 20)

/* Its directory shows a zombie; the threads that live have its memory. */
static void its_first_thread_has_ended(void **state)
{
	struct proc p, whole;
	pid_t pid, first;

	(void)state;
	if (child_skip_emulated())
		skip();
	pid = child_start(threads_start, NULL);
	whole = child_proc(pid);
	assert_int_equal(whole.tid, pid);
	assert_false(proc_turn(&whole));
	threads_end(pid, pid);
	p = child_proc(pid);
	first = p.tid;
	assert_int_equal(p.pid, pid);
	assert_int_not_equal(first, pid);
	assert_int_not_equal(p.state, 'Z');
	assert_false(proc_turn(&p));
	assert_int_equal(proc_refresh(&p), 0);
	assert_int_equal(p.pid, pid);
	assert_false(proc_gone(&p));
	assert_false(proc_gone(&whole));
	threads_end(pid, first);
	assert_int_equal(proc_refresh(&p), 0);
	assert_int_equal(p.threads, 2);
	assert_false(proc_is_dead(&p));
	assert_false(proc_gone(&p));
	assert_true(proc_turn(&p));
	assert_int_not_equal(p.tid, first);
	assert_int_not_equal(p.state, 'Z');
	child_end(pid);
	assert_true(proc_gone(&p));
	assert_true(proc_gone(&whole));
	assert_false(proc_turn(&p));
	proc_close(&p);
	proc_close(&whole);
}

static void have_much(void *user)
{
	(void)user;
	memset(child_map(MUCH, PROT_READ | PROT_WRITE), 1, MUCH);
}

static bool has_pages(const struct proc *p)
{
	unsigned long pages;
	char text[128];

	return io_read_at(p->dir, "statm", text, sizeof(text)) > 0 &&
	       sscanf(text, "%lu", &pages) == 1 && pages;
}

/* Its memory takes a while to go, and until then it is no zombie.  Under an
 * emulator it has a thread more, which may hear of its end later. */
static void one_that_has_no_memory_any_more_is_gone(void **state)
{
	pid_t pid = child_start(have_much, NULL);
	struct proc p = child_proc(pid);

	(void)state;
	kill(pid, SIGKILL);
	while (has_pages(&p) || proc_turn(&p))
		;
	assert_true(proc_gone(&p));
	waitpid(pid, NULL, 0);
	proc_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_first_thread_has_ended),
		cmocka_unit_test(one_that_has_no_memory_any_more_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
