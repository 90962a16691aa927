#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include "child.h"
#include "peers.h"

static const char tcp[] =
	"   0: 0100007F:8BD4 076433C6:1F90 01 00000000:00000000 00:00000000 "
	"00000000  1000        0 31337 1 0000000000000000 20 4 30 10 -1";
static const char tcp6[] =
	"  12: 00000000000000000000000001000000:1538 "
	"B80D0120000000000000000001000000:01BB 01 00000000:00000000 "
	"02:000A7D18 00000000     0        0 4711 2 0000000000000000 20 4 0 10 "
	"-1";

static const char *shown(const struct peer *p)
{
	static char text[46];

	return peers_address(p->family, p->address, text);
}

static void test_parse(void **state)
{
	struct peer p;
	uint64_t inode;
	unsigned st;

	(void)state;
	assert_int_equal(peers_parse(tcp, AF_INET, &p, &inode, &st), 0);
	assert_int_equal(p.port, 8080);
	assert_int_equal(p.local_port, 0x8bd4);
	assert_int_equal(inode, 31337);
	assert_int_equal(st, 1);
	assert_string_equal(shown(&p), "198.51.100.7");
	assert_int_equal(peers_parse(tcp6, AF_INET6, &p, &inode, &st), 0);
	assert_string_equal(shown(&p), "2001:db8::1");
	assert_int_equal(p.port, 443);
	assert_int_equal(inode, 4711);
	/* The other family's line is none. */
	assert_int_equal(peers_parse(tcp, AF_INET6, &p, &inode, &st), -EBADMSG);
	assert_int_equal(peers_parse(tcp6, AF_INET, &p, &inode, &st), -EBADMSG);
	assert_int_equal(peers_parse("  sl  local_address rem_address   st",
				     AF_INET, &p, &inode, &st),
			 -EBADMSG);
}

static void test_mutations(void **state)
{
	const char *const lines[] = { tcp, tcp6 };
	const uint16_t families[] = { AF_INET, AF_INET6 };
	struct peer p;
	uint64_t inode;
	unsigned st;

	(void)state;
	for (size_t l = 0; l < 2; l++)
		for (size_t len = 0; len <= strlen(lines[l]); len++) {
			char *text = strndup(lines[l], len);

			peers_parse(text, families[l], &p, &inode, &st);
			for (size_t bit = 0; bit < 8 * len; bit++) {
				text[bit / 8] ^= (char)(1 << bit % 8);
				peers_parse(text, families[l], &p, &inode, &st);
				text[bit / 8] ^= (char)(1 << bit % 8);
			}
			free(text);
		}
}

static void test_list(void **state)
{
	struct peers *all = calloc(1, sizeof(*all));
	struct peer p = { .family = AF_INET,
			  .port = 3333,
			  .protocol = IPPROTO_TCP,
			  .address = { 192, 0, 2, 1 } };

	(void)state;
	assert_int_equal(peers_add(all, &p), 0);
	p.local_port = 40000; /* the same, seen later */
	assert_int_equal(peers_add(all, &p), 0);
	assert_int_equal(all->n, 1);
	assert_int_equal(all->list[0].local_port, 40000);
	p.port = 4444;
	assert_int_equal(peers_add(all, &p), 1);
	peers_name(all, &p, "pool.example.org");
	assert_string_equal(all->name[0], "pool.example.org");
	assert_string_equal(all->name[1], "pool.example.org");
	p.address[3] = 2;
	peers_name(all, &p, "another");
	assert_string_equal(all->name[0], "pool.example.org");
	for (uint16_t i = 0; i < 100; i++) {
		p.port = (uint16_t)(5000 + i);
		peers_add(all, &p);
	}
	assert_int_equal(all->n, PEERS_MAX);
	assert_int_equal(all->more, 102 - PEERS_MAX);
	free(all);
}

static void test_normalize(void **state)
{
	struct peer p = { .family = AF_INET6,
			  .address = { [10] = 0xff, 0xff, 192, 0, 2, 1 } };

	(void)state;
	peers_normalize(&p);
	assert_int_equal(p.family, AF_INET);
	assert_string_equal(shown(&p), "192.0.2.1");
	p = (struct peer){ .family = AF_INET6, .address = { 1 } };
	peers_normalize(&p);
	assert_int_equal(p.family, AF_INET6);
}

/* Both ends of a connection and a connected UDP socket, of this process; not
 * the listener, nor a UDP socket that waits for anybody. */
static void test_own(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct peers *all = calloc(1, sizeof(*all));
	struct proc self = child_proc(getpid());
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0), c, d, u, w;
	size_t tcps = 0, udps = 0;
	uint16_t port;

	(void)state;
	assert_int_equal(bind(listener, (void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 1), 0);
	getsockname(listener, (void *)&a, &len);
	port = ntohs(a.sin_port);
	c = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(c, (void *)&a, sizeof(a)), 0);
	d = accept(listener, NULL, NULL);
	w = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(w, (void *)&a, sizeof(a)), 0);
	u = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(connect(u, (void *)&a, sizeof(a)), 0);
	peers_read(&self, all);
	for (size_t i = 0; i < all->n; i++) {
		const struct peer *p = &all->list[i];
		bool ours = p->port == port || p->local_port == port;

		tcps += ours && p->protocol == IPPROTO_TCP;
		udps += ours && p->protocol == IPPROTO_UDP;
		assert_int_not_equal(p->port, 0);
	}
	assert_int_equal(tcps, 2);
	assert_int_equal(udps, 1);
	for (int fds[] = { listener, c, d, u, w }, i = 0; i < 5; i++)
		close(fds[i]);
	proc_close(&self);
	free(all);
}

/* A process that has ended has none. */
static void test_gone(void **state)
{
	struct peers *all = calloc(1, sizeof(*all));
	pid_t pid = child_start(NULL, NULL);
	struct proc p = child_proc(pid);

	(void)state;
	child_end(pid);
	peers_read(&p, all);
	assert_int_equal(all->n, 0);
	proc_close(&p);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse), cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_list),  cmocka_unit_test(test_normalize),
		cmocka_unit_test(test_own),   cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
