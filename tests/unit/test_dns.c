#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "dns.h"

/* ---- messages -------------------------------------------------------- */

struct message {
	uint8_t bytes[512];
	size_t len;
};

static void put(struct message *m, const void *bytes, size_t len)
{
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void put16(struct message *m, unsigned n)
{
	uint8_t b[2] = { (uint8_t)(n >> 8), (uint8_t)n };

	put(m, b, 2);
}

/* "a.b" without compression. */
static void put_name(struct message *m, const char *name)
{
	while (*name) {
		uint8_t len = (uint8_t)strcspn(name, ".");

		put(m, &len, 1);
		put(m, name, len);
		name += len;
		name += *name == '.';
	}
	put(m, "", 1);
}

static struct message question(const char *name, unsigned answers)
{
	struct message m = { .len = 0 };

	put16(&m, 0x1234);
	put16(&m, 0x8180);
	put16(&m, 1);
	put16(&m, answers);
	put16(&m, 0);
	put16(&m, 0);
	put_name(&m, name);
	put16(&m, 1);
	put16(&m, 1);
	return m;
}

static void record(struct message *m, const char *name, unsigned type,
		   const void *data, size_t len)
{
	put_name(m, name);
	put16(m, type);
	put16(m, 1);
	put16(m, 0);
	put16(m, 60);
	put16(m, (unsigned)len);
	put(m, data, len);
}

static void alias(struct message *m, const char *name, const char *other)
{
	struct message data = { .len = 0 };

	put_name(&data, other);
	record(m, name, 5, data.bytes, data.len);
}

/* "name=address name=address " */
static char heard[4096];

static void take(void *user, const char *name, int family,
		 const uint8_t *address)
{
	char text[INET6_ADDRSTRLEN];
	size_t n = strlen(heard);

	(void)user;
	inet_ntop(family, address, text, sizeof(text));
	snprintf(heard + n, sizeof(heard) - n, "%s=%s ", name, text);
}

static const char *answers(const struct message *m)
{
	heard[0] = '\0';
	dns_answers(m->bytes, m->len, take, NULL);
	return heard;
}

/* ---- tests ----------------------------------------------------------- */

static const uint8_t v4[] = { 192, 0, 2, 1 },
		     v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };

static void test_addresses(void **state)
{
	struct message m = question("Pool.Example.ORG", 3);

	(void)state;
	record(&m, "pool.example.org", 1, v4, 4);
	record(&m, "POOL.example.org", 28, v6, 16);
	record(&m, "other.org", 1, v4, 4); /* nobody asked */
	assert_string_equal(answers(&m), "pool.example.org=192.0.2.1 "
					 "pool.example.org=2001:db8::1 ");
}

static void test_aliases(void **state)
{
	struct message m = question("a", 4), loop = question("a", 2);

	(void)state;
	/* In any order. */
	record(&m, "d", 1, v4, 4);
	alias(&m, "b", "c.c");
	alias(&m, "a", "b");
	alias(&m, "c.c", "d");
	assert_string_equal(answers(&m), "a=192.0.2.1 ");
	alias(&loop, "a", "b");
	alias(&loop, "b", "a");
	assert_string_equal(answers(&loop), "");
}

/* As servers send: the owner is a pointer to the question. */
static void test_compression(void **state)
{
	struct message m = question("pool.example.org", 1);
	static const uint8_t rest[] = { 0xc0, 12, 0, 1, 0,   1, 0, 0,
					0,    60, 0, 4, 192, 0, 2, 9 };

	(void)state;
	put(&m, rest, sizeof(rest));
	assert_string_equal(answers(&m), "pool.example.org=192.0.2.9 ");
	/* To itself, ahead, outside. */
	for (unsigned to = 34; to < 512; to += 2) {
		m.bytes[34] = (uint8_t)(0xc0 | to >> 8);
		m.bytes[35] = (uint8_t)to;
		assert_string_equal(answers(&m), "");
	}
}

static void test_no_answers(void **state)
{
	struct message m = question("a.b", 1), bad;

	(void)state;
	record(&m, "a.b", 1, v4, 4);
	assert_string_equal(answers(&m), "a.b=192.0.2.1 ");
	bad = m;
	bad.bytes[2] = 1; /* a query */
	assert_string_equal(answers(&bad), "");
	bad = m;
	bad.bytes[3] |= 3; /* no such name */
	assert_string_equal(answers(&bad), "");
	bad = m;
	bad.bytes[5] = 2; /* questions */
	assert_string_equal(answers(&bad), "");
	bad = m;
	bad.bytes[bad.len - 5] = 3; /* an address of 3 bytes */
	assert_string_equal(answers(&bad), "");
	bad = question("", 1);
	record(&bad, "", 1, v4, 4);
	assert_string_equal(answers(&bad), "");
}

static void test_hostile_names(void **state)
{
	struct message m = question("a\x1b[2J b\xff", 1), longest = { 0 };
	char name[300];

	(void)state;
	record(&m, "A\x1b[2J B\xff", 1, v4, 4);
	assert_string_equal(answers(&m), "a\\027\\0912j\\032b\\255=192.0.2.1 ");
	/* 250 bytes that are written as four characters each. */
	for (int i = 0; i < 250; i++)
		name[i] = i % 50 == 49 ? '.' : '\x01';
	name[250] = '\0';
	longest = question(name, 1);
	record(&longest, "a", 1, v4, 4);
	assert_string_equal(answers(&longest), "");
}

/* Every cut, every bit flipped, before a page that must not be touched. */
static void test_mutations(void **state)
{
	struct message m = question("pool.example.org", 3);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *guard = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	alias(&m, "pool.example.org", "x.y");
	record(&m, "x.y", 1, v4, 4);
	record(&m, "x.y", 28, v6, 16);
	assert_int_equal(mprotect(guard + page, page, PROT_NONE), 0);
	for (size_t len = 0; len <= m.len; len++) {
		uint8_t *at = guard + page - len;

		memcpy(at, m.bytes, len);
		heard[0] = '\0';
		dns_answers(at, len, take, NULL);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			at[bit / 8] ^= (uint8_t)(1 << bit % 8);
			heard[0] = '\0';
			dns_answers(at, len, take, NULL);
			at[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	munmap(guard, 2 * page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_compression),
		cmocka_unit_test(test_no_answers),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
