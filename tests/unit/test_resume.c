#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "resume.h"

static char dir[64], path[80];
static struct queue *q;

static int make(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_resume.%d.d", getpid());
	snprintf(path, sizeof(path), "%s/resume", dir);
	return mkdir(dir, 0700) || queue_new(&q);
}

static int drop(void **state)
{
	(void)state;
	queue_free(q);
	unlink(path);
	return rmdir(dir);
}

/* Three processes as they are after a restart: known, never looked at. */
static void know(void)
{
	queue_free(q);
	assert_int_equal(queue_new(&q), 0);
	for (pid_t pid = 1; pid <= 3; pid++)
		queue_add(q, pid, (uint64_t)pid * 100);
}

static void what_was_seen_is_known_again(void **state)
{
	(void)state;
	know();
	queue_find(q, 1)->full_ns = 11;
	queue_find(q, 3)->full_ns = 33;
	assert_int_equal(resume_save(dir, "r-s", q), 0);
	know();
	assert_int_equal(resume_load(dir, "r-s", q), 0);
	assert_int_equal(queue_find(q, 1)->full_ns, 11);
	assert_int_equal(queue_find(q, 2)->full_ns, 0);
	assert_int_equal(queue_find(q, 3)->full_ns, 33);
}

static void a_pid_that_is_used_again_was_not_seen(void **state)
{
	(void)state;
	know();
	queue_find(q, 1)->full_ns = 11;
	assert_int_equal(resume_save(dir, "r-s", q), 0);
	know();
	queue_add(q, 1, 101);
	assert_int_equal(resume_load(dir, "r-s", q), 0);
	assert_int_equal(queue_find(q, 1)->full_ns, 0);
}

static void other_rules_have_seen_nothing(void **state)
{
	(void)state;
	know();
	queue_find(q, 1)->full_ns = 11;
	assert_int_equal(resume_save(dir, "r-s", q), 0);
	know();
	assert_int_equal(resume_load(dir, "r2-s", q), -ESTALE);
	assert_int_equal(queue_find(q, 1)->full_ns, 0);
}

static void no_file_is_no_harm(void **state)
{
	(void)state;
	know();
	assert_int_equal(resume_load(dir, "r-s", q), -ENOENT);
	assert_int_equal(resume_load("/nonexistent", "r-s", q), -ENOENT);
	assert_int_equal(resume_save("/nonexistent", "r-s", q), -ENOENT);
}

static size_t read_file(char *text, size_t cap)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, cap - 1, f) : 0;

	assert_non_null(f);
	fclose(f);
	text[n] = '\0';
	return n;
}

/* Whatever stands in it, nothing is believed of a time to come, and nothing
 * breaks. */
static void damage_is_refused(void **state)
{
	static char good[4096], bad[4096];
	size_t n;

	(void)state;
	know();
	for (pid_t pid = 1; pid <= 3; pid++)
		queue_find(q, pid)->full_ns = 5;
	assert_int_equal(resume_save(dir, "r-s", q), 0);
	n = read_file(good, sizeof(good));
	for (size_t i = 0; i < n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			memcpy(bad, good, n + 1);
			bad[i] = (char)(bad[i] ^ 1 << bit);
			know();
			(void)resume_parse(bad, "r-s", q);
			for (pid_t pid = 1; pid <= 3; pid++)
				assert_true(queue_find(q, pid)->full_ns <
					    UINT64_MAX / 2);
		}
		memcpy(bad, good, n + 1);
		bad[i] = '\0';
		know();
		(void)resume_parse(bad, "r-s", q);
	}
	strcpy(bad, good);
	strcat(bad, "2 200 18446744073709551615\n");
	assert_int_equal(resume_parse(bad, "r-s", q), -EBADMSG);
	assert_true(queue_find(q, 2)->full_ns < 6);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(what_was_seen_is_known_again),
		TEST(a_pid_that_is_used_again_was_not_seen),
		TEST(other_rules_have_seen_nothing),
		TEST(no_file_is_no_harm),
		TEST(damage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
