#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "notify.h"

static char got[256];

static void receive(int fd)
{
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	got[n > 0 ? n : 0] = '\0';
}

/* The address is learned once, so all of it is one test. */
static void a_manager_is_told(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@davylamp-test-%d", getpid());
	memcpy(a.sun_path, name, strlen(name));
	a.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un,
						   sun_path) +
					  strlen(name))),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_send("READY=1");
	receive(fd);
	assert_string_equal(got, "READY=1");
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_reloading();
	receive(fd);
	assert_memory_equal(got, "RELOADING=1\nMONOTONIC_USEC=", 27);
	close(fd);
	notify_send("STOPPING=1"); /* nobody listens: no matter */
}

static void the_watchdog_is_ours_or_not(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_ns(), 0);
	setenv("WATCHDOG_USEC", "3000000", 1);
	assert_int_equal(notify_watchdog_ns(), 3000000000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ns(), 0);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ns(), 3000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manager_is_told),
		cmocka_unit_test(the_watchdog_is_ours_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
