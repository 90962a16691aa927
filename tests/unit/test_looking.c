#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "looking.c"

static const struct looking_at nobody, one = { 5, 1, 0 }, two = { 6, 2, 0 };
static char dir[] = "/tmp/test_looking.XXXXXX", beside[64], path[64];

static struct looking *begin(struct looking_at *died)
{
	struct looking *l = NULL;

	assert_int_equal(looking_open(beside, &l, died), 0);
	return l;
}

/* It ends without a word. */
static void die(struct looking *l)
{
	munmap(l, sizeof(*l));
}

static void whom_it_did_not_survive_is_refused(void **state)
{
	struct looking_at died;
	struct looking *l = begin(&died);

	(void)state;
	assert_int_equal(died.pid, 0);
	assert_null(looking_refused(l, 0));
	assert_int_equal(looking_at(l, one).pid, 0);
	assert_int_equal(looking_at(l, two).pid, 1);
	die(l);
	l = begin(&died); /* once may be chance */
	assert_int_equal(died.pid, 0);
	assert_false(looking_refuses(l, 2, 6));
	looking_at(l, two);
	die(l);
	for (int i = 0; i < 2; i++) { /* and stays so */
		l = begin(&died);
		assert_int_equal(died.pid, i ? 0 : 2);
		assert_true(looking_refuses(l, 2, 6));
		assert_false(looking_refuses(l, 2, 7));
		assert_false(looking_refuses(l, 1, 5));
		assert_null(looking_refused(l, 1));
		die(l);
	}
	l = begin(&died);
	looking_at(l, one);
	looking_close(l); /* an end like any other */
	l = begin(&died);
	assert_int_equal(died.pid, 0);
	looking_at(l, one);
	looking_at(l, nobody);
	die(l);
	l = begin(&died);
	assert_int_equal(died.pid, 0);
	assert_false(looking_refuses(l, 1, 5));
	looking_close(l);
}

static void the_oldest_goes(void **state)
{
	struct looking_at died;

	(void)state;
	for (int i = 1; i <= LOOKING_REFUSED + 1; i++) {
		struct looking *l = begin(&died);

		looking_at(l, (struct looking_at){ 9, i, 0 });
		die(l);
		l = begin(&died);
		looking_at(l, (struct looking_at){ 9, i, 0 });
		die(l);
	}
	struct looking *l = begin(&died);

	assert_false(looking_refuses(l, 1, 9));
	assert_true(looking_refuses(l, 2, 9));
	assert_true(looking_refuses(l, LOOKING_REFUSED + 1, 9));
	looking_close(l);
}

static void of_another_boot_it_says_nothing(void **state)
{
	struct looking_at died;
	struct looking *l = begin(&died);

	(void)state;
	looking_at(l, one);
	l->boot[3] ^= 1;
	die(l);
	l = begin(&died);
	assert_int_equal(died.pid, 0);
	assert_null(looking_refused(l, 0));
	looking_at(l, one);
	l->n = 1U << 31;
	die(l);
	l = begin(&died);
	assert_int_equal(died.pid, 0);
	assert_null(looking_refused(l, 0));
	looking_close(l);
}

static void what_is_not_ours_is_not_taken(void **state)
{
	struct looking_at died;
	struct looking *l = NULL;

	(void)state;
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(looking_open(beside, &l, &died), -ELOOP);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(looking_open(beside, &l, &died), -EPERM);
	unlink(path);
	assert_int_equal(looking_open("/nowhere/status", &l, &died), -ENOENT);
	/* And without a file all goes on. */
	assert_int_equal(looking_at(NULL, one).pid, 0);
	assert_false(looking_refuses(NULL, 1, 5));
	looking_close(NULL);
}

static int make(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(beside, sizeof(beside), "%s/status", dir);
	snprintf(path, sizeof(path), "%s/looking", dir);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(whom_it_did_not_survive_is_refused),
		TEST(the_oldest_goes),
		TEST(of_another_boot_it_says_nothing),
		TEST(what_is_not_ours_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
