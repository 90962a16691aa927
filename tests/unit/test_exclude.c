#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "child.h"
#include "config.h"
#include "exefile.h"

static bool kept = true; /* what is asked of all files */
static bool is_kept(const struct proc *p, int fd);
#define exefile_is_kept is_kept
#include "exclude.c"
#undef exefile_is_kept

#define LATER "until = 2099-12-31\n"

static struct config config;
static char copy[] = "/var/tmp/test_exclude.XXXXXX", digest[65];
static pid_t pid;

/* The list of a configuration; a pass has begun. */
static struct exclude_list *list(const char *text)
{
	struct why why = { "" };

	config_free(&config);
	if (config_parse("f", text, strlen(text), &config, &why))
		fail_msg("%s", why.text);
	exclude_begin(config.excludes);
	return config.excludes;
}

static const char *find(struct exclude_list *l)
{
	struct proc p = child_proc(pid);
	const struct exclusion *x = exclude_find(l, &p);

	if (x)
		exclude_cover(l, x);

	proc_close(&p);
	return x ? x->name : "";
}

static const char *first(const char *keys)
{
	static char text[2048];

	snprintf(text, sizeof(text), "[exclude x]\nreason = r\n%s", keys);
	return find(list(text));
}

/* A copy of this program, which waits. */
static int start(void **state)
{
	struct exefile e;
	struct proc p;
	char byte, buf[65536];
	int from, to = mkstemp(copy), ready[2];
	ssize_t n;

	(void)state;
	from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) != n)
			return -1;
	fchmod(to, 0755);
	close(from);
	close(to);
	if (pipe(ready) || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		dup2(ready[1], 1);
		execl(copy, copy, "wait", NULL);
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return -1;
	close(ready[0]);
	p = child_proc(pid);
	if (exefile_read(&p, 1 << 30, &e))
		return -1;
	proc_close(&p);
	memcpy(digest, e.sha256, sizeof(digest));
	return config_parse("f", "", 0, &config, NULL);
}

static int end(void **state)
{
	(void)state;
	config_free(&config);
	child_end(pid);
	unlink(copy);
	return 0;
}

static void nothing_covers_nothing(void **state)
{
	(void)state;
	assert_string_equal(find(list("")), "");
}

static void an_executable_counts_by_its_digest(void **state)
{
	char keys[512], other[65];

	(void)state;
	snprintf(keys, sizeof(keys), LATER "exe = %s\nsha256 = %s\n", copy,
		 digest);
	assert_string_equal(first(keys), "x");
	assert_string_equal(find(config.excludes), "x"); /* remembered */
	assert_int_equal(exclude_get(config.excludes, 0)->covered, 2);
	exclude_begin(config.excludes);
	assert_int_equal(exclude_get(config.excludes, 0)->covered, 0);
	/* Another program in its place, and this one elsewhere. */
	memcpy(other, digest, sizeof(other));
	other[0] = other[0] == '0' ? '1' : '0';
	snprintf(keys, sizeof(keys), LATER "exe = %s\nsha256 = %s\n", copy,
		 other);
	assert_string_equal(first(keys), "");
	snprintf(keys, sizeof(keys), LATER "exe = %sx\nsha256 = %s\n", copy,
		 digest);
	assert_string_equal(first(keys), "");
	snprintf(keys, sizeof(keys), LATER "exe = %.*s\nsha256 = %s\n",
		 (int)strlen(copy) - 1, copy, digest);
	assert_string_equal(first(keys), "");
}

static bool is_kept(const struct proc *p, int fd)
{
	(void)p;
	(void)fd;
	return kept;
}

/* Who serves a file himself gives it the numbers of any other. */
static void numbers_count_where_the_kernel_gives_them(void **state)
{
	struct exclude_list *l;
	char text[512];

	(void)state;
	snprintf(text, sizeof(text),
		 "[exclude x]\nreason = r\n" LATER "exe = %s\nsha256 = %s\n",
		 copy, digest);
	l = list(text);
	kept = true;
	assert_string_equal(find(l), "x");
	assert_string_equal(l->digests[0].sha256, digest);
	memset(l->digests[0].sha256, '0', 64);
	assert_string_equal(find(l), "");
	kept = false;
	assert_string_equal(find(l), "x");
	assert_string_equal(find(l), "x");
	kept = true;
	assert_string_equal(find(l), "");
}

static void an_executable_alone_is_weak(void **state)
{
	(void)state;
	list("[exclude x]\nreason = r\n" LATER "exe = /x\nsha256 = "
	     "0123456789abcdef0123456789abcdef"
	     "0123456789abcdef0123456789abcdef\n"
	     "[exclude y]\nreason = r\n" LATER "exe = /x\nsha256 = "
	     "0123456789abcdef0123456789abcdef"
	     "0123456789abcdef0123456789abcdef\nuser = root\n"
	     "[exclude z]\nreason = r\n" LATER "user = root\n");
	assert_true(exclude_is_weak(exclude_get(config.excludes, 0)));
	assert_false(exclude_is_weak(exclude_get(config.excludes, 1)));
	assert_false(exclude_is_weak(exclude_get(config.excludes, 2)));
}

static void a_user_is_a_name_or_a_number(void **state)
{
	char keys[128];

	(void)state;
	snprintf(keys, sizeof(keys), LATER "user = %u\n", geteuid());
	assert_string_equal(first(keys), "x");
	snprintf(keys, sizeof(keys), LATER "user = %u\n", geteuid() + 1);
	assert_string_equal(first(keys), "");
	if (geteuid() == 0)
		assert_string_equal(first(LATER "user = root\n"), "x");
	assert_string_equal(first(LATER "user = no-such-user\n"), "");
	assert_non_null(strstr(exclude_get(config.excludes, 0)->trouble,
			       "no such user"));
}

static void all_selectors_must_fit(void **state)
{
	char keys[512];

	(void)state;
	snprintf(keys, sizeof(keys), LATER "user = %u\nunit = x.service\n",
		 geteuid());
	assert_string_equal(first(keys), "");
	snprintf(keys, sizeof(keys),
		 LATER "user = %u\nexe = %s\nsha256 = %s\n", geteuid(), copy,
		 digest);
	assert_string_equal(first(keys), "x");
	snprintf(keys, sizeof(keys), LATER "user = %u\ncontainer = web\n",
		 geteuid());
	assert_string_equal(first(keys), "");
	snprintf(keys, sizeof(keys), LATER "user = %u\nlabel = a=b\n",
		 geteuid());
	assert_string_equal(first(keys), "");
}

/* The first that covers it counts, and no other. */
static void one_covers(void **state)
{
	char text[512];
	struct exclude_list *l;

	(void)state;
	snprintf(text, sizeof(text),
		 "[exclude a]\nreason = r\nuser = 4294967\n" LATER
		 "[exclude b]\nreason = r\nuser = %u\n" LATER
		 "[exclude c]\nreason = r\nuser = %u\n" LATER,
		 geteuid(), geteuid());
	l = list(text);
	assert_string_equal(find(l), "b");
	assert_int_equal(exclude_get(l, 0)->covered, 0);
	assert_int_equal(exclude_get(l, 1)->covered, 1);
	assert_int_equal(exclude_get(l, 2)->covered, 0);
}

static void the_last_day_counts(void **state)
{
	char keys[128], day[16];
	time_t t = time(NULL);
	struct tm tm;

	(void)state;
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&t, &tm));
	snprintf(keys, sizeof(keys), "until = %s\nuser = %u\n", day, geteuid());
	assert_string_equal(first(keys), "x");
	assert_false(exclude_get(config.excludes, 0)->expired);
	t -= 86400;
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&t, &tm));
	snprintf(keys, sizeof(keys), "until = %s\nuser = %u\n", day, geteuid());
	assert_string_equal(first(keys), "");
	assert_true(exclude_get(config.excludes, 0)->expired);
	assert_non_null(
		strstr(exclude_get(config.excludes, 0)->trouble, "expired"));
}

/* Before a pass an unresolved user is nobody, not uid 0. */
static void nothing_holds_before_a_pass(void **state)
{
	static const char text[] = "[exclude x]\nreason = r\n" LATER
				   "user = no-such-user\n";

	(void)state;
	config_free(&config);
	assert_int_equal(
		config_parse("f", text, sizeof(text) - 1, &config, NULL), 0);
	assert_string_equal(find(config.excludes), "");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_covers_nothing),
		cmocka_unit_test(an_executable_counts_by_its_digest),
		cmocka_unit_test(numbers_count_where_the_kernel_gives_them),
		cmocka_unit_test(an_executable_alone_is_weak),
		cmocka_unit_test(a_user_is_a_name_or_a_number),
		cmocka_unit_test(all_selectors_must_fit),
		cmocka_unit_test(one_covers),
		cmocka_unit_test(the_last_day_counts),
		cmocka_unit_test(nothing_holds_before_a_pass),
	};

	if (argc == 2 && !strcmp(argv[1], "wait")) {
		if (write(1, "", 1) != 1)
			return 1;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
	}
	if (child_emulated())
		return child_skip_group();
	return cmocka_run_group_tests(tests, start, end);
}
