#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/syscall.h>
#include "capture_save.h"
#include "exec.h"
#include "procpages.h"
#include "scan_fixture.h"

/* Another program begins between the two files of which one says what is
 * mapped and the other holds it. */

static struct proc target;
static size_t n_opened; /* of these two, of any process */
static bool armed;

/* In place of the C library's, for what is linked with this test. */
int openat(int dir, const char *name, int flags, ...)
{
	bool is_either = !strcmp(name, "maps") || !strcmp(name, "mem");
	int fd;

	if (armed && is_either && ++n_opened == 2)
		exec_another(target.pid);
	fd = (int)syscall(SYS_openat, dir, name, flags, 0);
	return fd;
}

static int start(void **state)
{
	(void)state;
	target = child_proc(exec_start(NULL, NULL));
	n_opened = 0;
	armed = true;
	return 0;
}

static int end(void **state)
{
	(void)state;
	armed = false;
	proc_close(&target);
	child_end(target.pid);
	return 0;
}

/* It is the next program that is looked at then. */
static void a_look(void **state)
{
	struct scan *s;
	struct look l;

	(void)state;
	armed = false;
	s = new_scan();
	armed = true;
	scan_look(s, &target, SCAN_FULL, 0, NULL, NULL, &l);
	assert_true(n_opened > 2);
	assert_int_equal(l.state, SCAN_COMPLETE);
	assert_int_not_equal(l.read_bytes, 0);
}

static void a_capture(void **state)
{
	struct capture_sum sum;
	struct why why = { "" };
	FILE *f = tmpfile();

	(void)state;
	assert_int_equal(
		capture_save(fileno(f), &target, NULL, NULL, &sum, &why),
		-ESRCH);
	fclose(f);
}

static void the_pages_of_its_program(void **state)
{
	struct digestlist list = { 0 };
	struct why why = { "" };

	(void)state;
	assert_int_equal(procpages_read(&target, &list, &why), -ESRCH);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_look, start, end),
		cmocka_unit_test_setup_teardown(a_capture, start, end),
		cmocka_unit_test_setup_teardown(the_pages_of_its_program, start,
						end),
	};

	exec_main(argc, argv);
	if (child_emulated() || child_unwatched() || child_in_valgrind())
		return child_skip_group();
	return cmocka_run_group_tests(tests, make_scan, drop_scan);
}
