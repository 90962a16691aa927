#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "service_net.h"

static struct service_net *net;

static int make(void **state)
{
	(void)state;
	return service_net_new(&net);
}

static int drop(void **state)
{
	(void)state;
	service_net_free(net);
	service_net_free(NULL);
	return 0;
}

static struct event event(enum event_kind kind, pid_t pid, uint8_t last)
{
	return (struct event){
		.kind = kind,
		.pid = pid,
		.start_ticks = 7,
		.peer = { .family = AF_INET,
			  .port = kind == EVENT_CONNECT ? 3333 : 0,
			  .protocol = IPPROTO_TCP,
			  .address = { 192, 0, 2, last } },
	};
}

static bool call(pid_t pid, uint8_t last)
{
	struct event e = event(EVENT_CONNECT, pid, last);

	return service_net_call(net, &e);
}

static void name(uint8_t last, const char *text)
{
	struct event e = event(EVENT_NAME, 0, last);

	snprintf(e.name, sizeof(e.name), "%s", text);
	service_net_name(net, &e);
}

static void peers_of(pid_t pid, uint64_t start_ticks, struct peers *ret)
{
	struct proc p = { .pid = pid, .start_ticks = start_ticks };

	memset(ret, 0, sizeof(*ret));
	service_net_add(net, &p, ret);
}

static void calls_are_told_of_their_process_alone(void **state)
{
	struct peers peers;

	(void)state;
	call(1, 10);
	call(2, 20);
	call(1, 30);
	peers_of(1, 7, &peers);
	assert_int_equal(peers.n, 2);
	assert_int_equal(peers.list[0].address[3], 10);
	assert_int_equal(peers.list[0].port, 3333);
	peers_of(1, 8, &peers); /* the pid, used again */
	assert_int_equal(peers.n, 0);
}

static void an_address_has_its_latest_name(void **state)
{
	struct peers peers;

	(void)state;
	name(10, "old.example");
	name(10, "new.example");
	call(1, 10);
	peers_of(1, 7, &peers);
	assert_string_equal(peers.name[0], "new.example");
}

static void a_pool_is_known_by_its_name(void **state)
{
	static const char *const pools[] = {
		"pool.supportxmr.com", "gulf.moneroocean.stream",
		"xmr-eu1.nanopool.org", "stratum+ssl.EXAMPLE-Mining.net",
	};
	static const char *const others[] = { "0.debian.pool.ntp.org",
					      "example.com", "" };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_true(service_net_is_pool(pools[i]));
	for (size_t i = 0; i < 3; i++)
		assert_false(service_net_is_pool(others[i]));
	name(10, "pool.supportxmr.com");
	name(20, "0.debian.pool.ntp.org");
	assert_true(call(1, 10));
	assert_false(call(1, 20));
	assert_false(call(1, 30));
}

/* Whoever calls without end drives others out, and no more. */
static void the_rings_are_bounded(void **state)
{
	struct peers peers;

	(void)state;
	call(1, 10);
	for (int i = 0; i < 5000; i++) {
		char text[32];

		call(2, (uint8_t)i);
		snprintf(text, sizeof(text), "n%d.example", i);
		name((uint8_t)i, text);
	}
	peers_of(1, 7, &peers);
	assert_int_equal(peers.n, 0);
	peers_of(2, 7, &peers);
	assert_int_equal(peers.n, PEERS_MAX);
	assert_true(peers.more > 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(calls_are_told_of_their_process_alone),
		TEST(an_address_has_its_latest_name),
		TEST(a_pool_is_known_by_its_name),
		TEST(the_rings_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
