#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "status.h"

static char path[80];
static struct status *status;
static char answer[STATUS_MAX + 1];

static int make(void **state)
{
	struct why why = { "" };

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_status.%d", getpid());
	return status_open(path, &status, &why);
}

static int drop(void **state)
{
	(void)state;
	status_close(status);
	status_close(NULL);
	return access(path, F_OK) == 0; /* it took the socket away */
}

/* A child that asks and says with its status whether the answer was right. */
static pid_t asker(const char *want)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	_exit(status_ask(path, answer, NULL) == (ssize_t)strlen(want) &&
			      !strcmp(answer, want)
		      ? 0
		      : 1);
}

static int result(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void who_asks_is_answered(void **state)
{
	struct pollfd p = { .fd = status_fd(status), .events = POLLIN };
	pid_t pid = asker("{\"a\":1}");

	(void)state;
	assert_int_equal(poll(&p, 1, 5000), 1);
	status_answer(status, "{\"a\":1}", 7);
	assert_int_equal(result(pid), 0);
}

static void a_long_answer_arrives(void **state)
{
	struct pollfd p = { .fd = status_fd(status), .events = POLLIN };
	static char text[STATUS_MAX];
	pid_t pid;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	pid = asker(text);
	assert_int_equal(poll(&p, 1, 5000), 1);
	status_answer(status, text, sizeof(text) - 1);
	assert_int_equal(result(pid), 0);
}

static void it_is_not_for_all(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

static void two_can_not_have_it(void **state)
{
	struct status *other = NULL;
	struct why why = { "" };

	(void)state;
	assert_int_equal(status_open(path, &other, &why), -EADDRINUSE);
	assert_non_null(strstr(why.text, path));
}

static void what_a_killed_one_left_is_replaced(void **state)
{
	struct why why = { "" };
	pid_t pid;

	(void)state;
	status_close(status);
	pid = fork();
	if (pid == 0)
		_exit(status_open(path, &status, &why) != 0);
	assert_int_equal(result(pid), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(status_ask(path, answer, &why), -ECONNREFUSED);
	assert_int_equal(status_open(path, &status, &why), 0);
}

static void no_service_is_said(void **state)
{
	struct why why = { "" };
	char longest[200];

	(void)state;
	assert_int_equal(status_ask("/nonexistent/s", answer, &why), -ENOENT);
	assert_non_null(strstr(why.text, "/nonexistent/s"));
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(status_ask(longest, answer, &why), -ENAMETOOLONG);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(who_asks_is_answered),
		TEST(a_long_answer_arrives),
		TEST(it_is_not_for_all),
		TEST(two_can_not_have_it),
		TEST(what_a_killed_one_left_is_replaced),
		TEST(no_service_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
