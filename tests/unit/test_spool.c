#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "spool_own.h"
#include "torture.h"

#define MAX (1u << 20)

static char path[64];

static int begin(void **state)
{
	(void)state;
	/* In memory: thousands of rounds, each with its fsyncs. */
	snprintf(path, sizeof(path), "%s/test_spool.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return mkdtemp(path) ? 0 : -1;
}

static void wipe(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", path);
	assert_int_equal(system(command), 0);
}

static int end(void **state)
{
	(void)state;
	wipe();
	return 0;
}

static void id_of(unsigned n, char ret[static SPOOL_ID + 1])
{
	snprintf(ret, SPOOL_ID + 1, "%032x", n);
}

static int put(struct spool *s, enum severity severity, unsigned n, size_t len)
{
	char id[SPOOL_ID + 1], body[70000];

	id_of(n, id);
	memset(body, 'a' + (int)(n % 26), sizeof(body));
	return spool_put(s, severity, id, body, len, NULL);
}

static struct spool *open_it(void)
{
	struct spool *s = NULL;
	struct why why = { "" };

	if (spool_open(path, MAX, &s, &why))
		fail_msg("%s", why.text);
	return s;
}

static size_t count_id(struct spool *s, unsigned n)
{
	struct spool_entry *list;
	size_t len, found = 0;
	char id[SPOOL_ID + 1];

	id_of(n, id);
	assert_int_equal(spool_list(s, &list, &len), 0);
	for (size_t i = 0; i < len; i++)
		found += !strcmp(list[i].id, id);
	free(list);
	return found;
}

static void what_is_put_is_listed_in_order(void **state)
{
	struct spool *s = open_it();
	struct spool_entry *list;
	char buf[SPOOL_EVENT_MAX + 1];
	size_t n, len;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(put(s, i % 3, i, 10 + i), 0);
	spool_close(s);
	s = open_it();
	assert_int_equal(put(s, SEVERITY_LOW, 20, 30), 0);
	assert_int_equal(spool_list(s, &list, &n), 0);
	assert_int_equal(n, 21);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(strtol(list[i].id, NULL, 16), i);
		assert_int_equal(list[i].severity, i < 20 ? i % 3 : 0);
		assert_int_equal(spool_read(s, &list[i], buf, &len), 0);
		assert_int_equal(len, 10 + i);
		assert_int_equal(buf[len - 1], 'a' + (char)i);
	}
	assert_int_equal(spool_remove(s, &list[3]), 0);
	assert_int_equal(spool_remove(s, &list[3]), 0);
	assert_int_equal(spool_read(s, &list[3], buf, &len), -ENOENT);
	assert_int_equal(spool_mark(s, &list[4], 5), 0);
	free(list);
	assert_int_equal(spool_list(s, &list, &n), 0);
	assert_int_equal(n, 20);
	assert_int_equal(list[3].done, 5);
	free(list);
	spool_close(s);
}

static void write_at(const char *name, const char *text)
{
	char file[400];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	f = fopen(file, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void foreign_files_go_aside(void **state)
{
	static const char *const names[] = {
		"README",
		"x\n\x1b[31m",
		"3-0000000000000001-00000000000000000000000000000000-00000000.0"
		".json",
		"1-0000000000000001-00000000000000000000000000000000-00000000.0"
		".jso",
		"1-0000000000000001-0000000000000000000000000000000G-00000000.0"
		".json",
		"+-0000000000000001-00000000000000000000000000000000-00000000.0"
		".json",
		"1- 000000000000001-00000000000000000000000000000000-00000000.0"
		".json",
	};
	/* The right name, but empty; and a link to somewhere else. */
	static const char empty[] =
		"1-0000000000000001-00000000000000000000000000000000-00000000.0"
		".json";
	static const char link[] =
		"1-0000000000000002-00000000000000000000000000000000-00000000.0"
		".json";
	struct spool *s = open_it();
	struct spool_counts counts;
	struct spool_entry *list;
	char file[200];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		write_at(names[i], "x");
	write_at(empty, "");
	snprintf(file, sizeof(file), "%s/%s", path, link);
	assert_int_equal(symlink("/etc/passwd", file), 0);
	write_at(".new-0123456789abcdef", "left by a killed writer");
	assert_int_equal(put(s, SEVERITY_HIGH, 1, 10), 0);
	assert_int_equal(spool_list(s, &list, &n), 0);
	assert_int_equal(n, 1);
	free(list);
	assert_int_equal(spool_counts(s, &counts), 0);
	assert_int_equal(counts.aside, 9);
	snprintf(file, sizeof(file), "%s/.new-0123456789abcdef", path);
	assert_int_equal(access(file, F_OK), -1);
	snprintf(file, sizeof(file), "%s/aside/%s", path, names[1]);
	assert_int_equal(access(file, F_OK), 0);
	spool_close(s);
}

static void aside_is_bounded(void **state)
{
	struct spool_counts counts;
	struct spool *s;
	struct dirent **list;
	char name[32], aside[80];
	int n;

	(void)state;
	for (int i = 0; i < SPOOL_ASIDE + 20; i++) {
		snprintf(name, sizeof(name), "foreign%d", i);
		write_at(name, "x");
	}
	s = open_it();
	assert_int_equal(spool_counts(s, &counts), 0);
	assert_int_equal(counts.aside, SPOOL_ASIDE + 20);
	spool_close(s);
	snprintf(aside, sizeof(aside), "%s/aside", path);
	n = scandir(aside, &list, NULL, NULL);
	assert_int_equal(n, SPOOL_ASIDE + 2);
	while (n)
		free(list[--n]);
	free(list);
}

/* 1 MiB holds 16 events of 64 KiB. */
static void the_oldest_of_the_lowest_goes_first(void **state)
{
	struct spool *s = open_it();
	struct spool_counts counts;

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(put(s, i < 8 ? SEVERITY_MEDIUM : SEVERITY_LOW,
				     i, 65536),
				 0);
	assert_int_equal(put(s, SEVERITY_HIGH, 16, 65536), 0);
	assert_int_equal(count_id(s, 8), 0);
	for (unsigned i = 17; i < 32; i++)
		assert_int_equal(put(s, SEVERITY_HIGH, i, 65536), 0);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(count_id(s, i), 0);
	assert_int_equal(put(s, SEVERITY_LOW, 32, 65536), -ENOSPC);
	assert_int_equal(put(s, SEVERITY_HIGH, 33, 65536), 0);
	assert_int_equal(count_id(s, 16), 0);
	assert_int_equal(count_id(s, 17), 1);
	assert_int_equal(spool_counts(s, &counts), 0);
	assert_int_equal(counts.dropped[SEVERITY_LOW], 9);
	assert_int_equal(counts.dropped[SEVERITY_MEDIUM], 8);
	assert_int_equal(counts.dropped[SEVERITY_HIGH], 1);
	spool_close(s);
}

static void an_unsafe_place_is_refused(void **state)
{
	struct spool *s = NULL;
	struct why why;
	char link[80];

	(void)state;
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(spool_open(path, MAX, &s, &why), -EPERM);
	assert_non_null(strstr(why.text, "chmod o-w"));
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(link, sizeof(link), "%s/link", path);
	assert_int_equal(symlink("/tmp", link), 0);
	assert_true(spool_open(link, MAX, &s, &why) < 0);
	assert_int_equal(spool_open("relative", MAX, &s, &why), -EINVAL);
}

/* counts linked to another file must not be written through. */
static void a_linked_counter_is_left_alone(void **state)
{
	struct spool_counts counts;
	struct spool *s = open_it();
	char a[80], b[80], text[16] = "";
	FILE *f;

	(void)state;
	write_at("victim", "precious");
	snprintf(a, sizeof(a), "%s/victim", path);
	snprintf(b, sizeof(b), "%s/counts", path);
	assert_int_equal(link(a, b), 0);
	assert_int_equal(spool_counts(s, &counts), -EPERM);
	write_at("foreign", "");
	spool_close(s);
	s = open_it();
	snprintf(a, sizeof(a), "%s/aside/victim", path);
	f = fopen(a, "r");
	assert_non_null(f);
	assert_int_equal(fread(text, 1, 8, f), 8);
	assert_string_equal(text, "precious");
	fclose(f);
	spool_close(s);
}

/* Other bytes than spool_count() writes count as none, and the next is the
 * first. */
static void counts_of_any_bytes(void **state)
{
	static const char most[] = "18446744073709551615\n"
				   "00000000000000000000\n"
				   "00000000000000000007\n"
				   "00000000000000000001\n";
	struct spool_counts c, none = { .aside = 0 };
	struct spool *s = open_it();
	char text[sizeof(most)], again[sizeof(most)];

	(void)state;
	for (size_t i = 0; i < strlen(most); i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(text, most, sizeof(text));
			text[i] ^= (char)(1 << bit);
			write_at("counts", text);
			assert_int_equal(spool_counts(s, &c), 0);
			snprintf(again, sizeof(again),
				 "%020lu\n%020lu\n%020lu\n%020lu\n",
				 c.dropped[0], c.dropped[1], c.dropped[2],
				 c.aside);
			if (memcmp(&c, &none, sizeof(c)))
				assert_string_equal(text, again);
		}
	for (size_t len = 0; len < strlen(most); len++) {
		memcpy(text, most, len);
		text[len] = '\0';
		write_at("counts", text);
		assert_int_equal(spool_counts(s, &c), 0);
		assert_memory_equal(&c, &none, sizeof(c));
	}
	spool_count(s, -1);
	assert_int_equal(spool_counts(s, &c), 0);
	assert_int_equal(c.aside, 1);
	/* There is no more than the most. */
	write_at("counts", most);
	spool_count(s, SEVERITY_LOW);
	spool_count(s, SEVERITY_HIGH);
	assert_int_equal(spool_counts(s, &c), 0);
	assert_true(c.dropped[SEVERITY_LOW] == UINT64_MAX);
	assert_int_equal(c.dropped[SEVERITY_HIGH], 8);
	assert_int_equal(c.aside, 1);
	spool_close(s);
}

static void status_is_replaced_whole(void **state)
{
	struct spool *s = open_it();
	char buf[64];

	(void)state;
	assert_int_equal(spool_status(s, buf, sizeof(buf)), -ENOENT);
	assert_int_equal(spool_status_set(s, "one\n", 4), 0);
	assert_int_equal(spool_status_set(s, "two\n", 4), 0);
	assert_int_equal(spool_status(s, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "two\n");
	spool_close(s);
}

/* ---- torture --------------------------------------------------------- */

#define EVENTS 6

/* Shared with the child: what it was told is safe, what it delivered. */
struct acknowledged {
	int put[EVENTS], delivered[EVENTS];
	int full;
};

/* The scanner's half.  @full: each put must make room. */
static int put_all(void *arg)
{
	struct acknowledged *a = arg;
	struct spool *s = NULL;

	if (spool_open(path, MAX, &s, NULL))
		return 1;
	for (unsigned i = 0; i < (a->full ? 2 : EVENTS); i++)
		if (!put(s, SEVERITY_HIGH, i, a->full ? 65536 : 500))
			a->put[i] = 1;
	spool_close(s);
	return 0;
}

/* The reporter's half: deliver is a mark in shared memory. */
static int deliver_all(void *arg)
{
	static char buf[SPOOL_EVENT_MAX + 1];
	struct acknowledged *a = arg;
	struct spool_entry *list = NULL;
	struct spool *s = NULL;
	size_t n = 0, len;

	if (spool_open(path, MAX, &s, NULL) || spool_list(s, &list, &n))
		goto out;
	for (size_t i = 0; i < n; i++) {
		if (spool_read(s, &list[i], buf, &len))
			continue;
		if (!list[i].done) {
			a->delivered[strtoul(list[i].id, NULL, 16)]++;
			spool_mark(s, &list[i], 1);
		}
		spool_remove(s, &list[i]);
	}
out:
	free(list);
	spool_close(s);
	return 0;
}

static struct acknowledged *shared(int full)
{
	struct acknowledged *a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(a, MAP_FAILED);
	a->full = full;
	return a;
}

static void fill(void)
{
	struct spool *s = open_it();

	for (unsigned i = 100; i < 116; i++)
		assert_int_equal(put(s, SEVERITY_LOW, i, 65536), 0);
	spool_close(s);
}

/* Everything acknowledged is there once and whole, and only leftovers went. */
static void check_put(const struct acknowledged *a)
{
	struct spool *s = open_it();
	struct spool_entry *list;
	struct spool_counts counts;
	char buf[SPOOL_EVENT_MAX + 1];
	size_t n, len, duplicates = 0;

	for (unsigned i = 0; i < EVENTS; i++) {
		size_t found = count_id(s, i);

		assert_true(found >= (size_t)a->put[i]);
		duplicates += found > 1 ? found - 1 : 0;
	}
	assert_int_equal(duplicates, 0);
	assert_int_equal(spool_list(s, &list, &n), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(spool_read(s, &list[i], buf, &len), 0);
		assert_true(len == 500 || len == 65536);
	}
	free(list);
	assert_int_equal(spool_counts(s, &counts), 0);
	assert_int_equal(counts.aside, 0);
	if (a->full) /* counts first, drops second */
		assert_true(counts.dropped[SEVERITY_LOW] + n >= 16);
	spool_close(s);
}

static int one_round(int (*work)(void *), struct acknowledged *a,
		     enum torture_how how, int nth, int error)
{
	int rc, full = a->full;

	wipe();
	memset(a, 0, sizeof(*a));
	a->full = full;
	if (full) {
		assert_int_equal(mkdir(path, 0700), 0);
		fill();
	}
	rc = torture(work, a, how, nth, error);
	if (rc == -3)
		return 0;
	return rc == -2 ? 0 : 1;
}

static void puts_survive(int full)
{
	static const struct {
		enum torture_how how;
		int error;
	} harms[] = {
		{ TORTURE_KILL_BEFORE, 0 }, { TORTURE_KILL_AFTER, 0 },
		{ TORTURE_FAIL, ENOSPC },   { TORTURE_FAIL, EROFS },
		{ TORTURE_FAIL, EIO },	    { TORTURE_FAIL, EINTR },
	};
	struct acknowledged *a = shared(full);
	int rounds = 0;

	for (size_t h = 0; h < sizeof(harms) / sizeof(harms[0]); h++) {
		int nth = 1;

		for (; one_round(put_all, a, harms[h].how, nth, harms[h].error);
		     nth++)
			check_put(a);
		/* Unharmed, all are taken; also where ptrace is missing. */
		rounds += nth - 1;
		if (nth == 1)
			skip();
		for (int i = 0; i < (full ? 2 : EVENTS); i++)
			assert_true(a->put[i]);
		check_put(a);
	}
	printf("torture: %d rounds\n", rounds);
	munmap(a, sizeof(*a));
}

static void puts_survive_kill_and_failure(void **state)
{
	(void)state;
	puts_survive(0);
}

static void puts_into_a_full_spool_survive(void **state)
{
	(void)state;
	puts_survive(1);
}

/* A delivery that is interrupted is made again: never lost, and at most one
 * event twice in all. */
static void deliveries_survive(void **state)
{
	static const struct {
		enum torture_how how;
		int error;
	} harms[] = {
		{ TORTURE_KILL_BEFORE, 0 },
		{ TORTURE_KILL_AFTER, 0 },
		{ TORTURE_FAIL, EIO },
		{ TORTURE_FAIL, ENOSPC },
	};
	struct acknowledged *a = shared(0);
	int rounds = 0, twice;

	(void)state;
	for (size_t h = 0; h < sizeof(harms) / sizeof(harms[0]); h++) {
		for (int nth = 1, rc = 0; rc != -2; nth++, rounds++) {
			wipe();
			memset(a, 0, sizeof(*a));
			assert_int_equal(put_all(a), 0);
			rc = torture(deliver_all, a, harms[h].how, nth,
				     harms[h].error);
			if (rc == -3)
				skip();
			assert_int_equal(deliver_all(a), 0);
			twice = 0;
			for (int i = 0; i < EVENTS; i++) {
				assert_true(a->delivered[i] >= 1);
				twice += a->delivered[i] - 1;
			}
			assert_true(twice <= 1);
		}
	}
	printf("torture: %d rounds\n", rounds);
	munmap(a, sizeof(*a));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(what_is_put_is_listed_in_order),
		TEST(foreign_files_go_aside),
		TEST(aside_is_bounded),
		TEST(the_oldest_of_the_lowest_goes_first),
		TEST(an_unsafe_place_is_refused),
		TEST(a_linked_counter_is_left_alone),
		TEST(counts_of_any_bytes),
		TEST(status_is_replaced_whole),
		TEST(puts_survive_kill_and_failure),
		TEST(puts_into_a_full_spool_survive),
		TEST(deliveries_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
