#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config.h"
#include "exclude.h"

static int parse(const char *text, struct config *ret, struct why *why)
{
	return config_parse("f.conf", text, strlen(text), ret, why);
}

static void defaults_are_useful(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse("", &c, NULL), 0);
	assert_string_equal(c.scc.location, "global");
	assert_string_equal(c.scc.source, "");
	assert_int_equal(c.scc.api, 2);
	assert_int_equal(c.spool.max_bytes, 64 << 20);
	assert_string_equal(c.spool.path, "/var/lib/davylamp/spool");
	assert_true(c.findings.journal);
	assert_int_equal(c.findings.format, FORMAT_SCC);
	assert_true(c.run.cpu_budget == 1);
	assert_int_equal(c.run.pass_interval_ns, 1800000000000);
	assert_int_equal(c.run.sensors, SENSORS_AUTO);
	assert_true(c.run.default_rules);
	assert_string_equal(c.run.status, "/run/davylamp/status");
	assert_int_equal(exclude_count(c.excludes), 0);
	config_free(&c);
}

static void values_are_taken(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse("# comment\n; another\n"
			       "[scc]\nsource = organizations/1/sources/2\n"
			       "  location=eu ; inline\napi: v1\r\n"
			       "endpoint = http://127.0.0.1:8080\n"
			       "[spool]\npath = /x/y z\nmax_bytes = 3G\n"
			       "[findings]\nfile = -\nformat = ecs\n"
			       "journal = no\n"
			       "[pubsub]\ntopic = projects/p-1/topics/t.1",
			       &c, NULL),
			 0);
	assert_string_equal(c.scc.source, "organizations/1/sources/2");
	assert_string_equal(c.scc.location, "eu");
	assert_string_equal(c.scc.endpoint, "http://127.0.0.1:8080");
	assert_int_equal(c.scc.api, 1);
	assert_string_equal(c.spool.path, "/x/y z");
	assert_int_equal(c.spool.max_bytes, 3ULL << 30);
	assert_string_equal(c.findings.file, "-");
	assert_int_equal(c.findings.format, FORMAT_ECS);
	assert_false(c.findings.journal);
	assert_string_equal(c.pubsub.topic, "projects/p-1/topics/t.1");
	config_free(&c);
}

static void numbers_have_units(void **state)
{
	static const struct {
		const char *text;
		double budget;
		uint64_t interval_s;
	} cases[] = {
		{ "cpu_budget = 0.1\npass_interval = 60", 0.1, 60 },
		{ "cpu_budget = 100\npass_interval = 1440m", 100, 86400 },
		{ "cpu_budget = 2.125\npass_interval = 24h", 2.125, 86400 },
		{ "cpu_budget = 007.50\npass_interval = 90s", 7.5, 90 },
	};
	char text[256];
	struct config c;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "[run]\n%s\n", cases[i].text);
		if (parse(text, &c, &why))
			fail_msg("%s", why.text);
		assert_true(c.run.cpu_budget == cases[i].budget);
		assert_int_equal(c.run.pass_interval_ns,
				 cases[i].interval_s * 1000000000);
		config_free(&c);
	}
}

static void errors_name_line_value_and_remedy(void **state)
{
	static const struct {
		const char *text, *words[3];
	} cases[] = {
		{ "[scc]\nsauce = x\n", { "f.conf:2", "'sauce'" } },
		{ "[sccc]\nsource = x\n", { "f.conf:2", "[sccc]" } },
		{ "source = x\n", { "f.conf:1" } },
		{ "[scc]\napi = v3\n", { "f.conf:2", "'v3'", "v1, v2" } },
		{ "[scc]\n\napi = v1\napi = v2\n", { "f.conf:4", "twice" } },
		{ "[scc]\nsource = organizations/1\n",
		  { "f.conf:2", "organizations/ORGANIZATION/sources/SOURCE" } },
		{ "[scc]\nsource = organizations/../sources//\n", { ":2" } },
		{ "[scc]\nendpoint = http://evil.example\n",
		  { "https://HOST" } },
		{ "[scc]\nendpoint = http://127.0.0.1.evil.example\n",
		  { "https://HOST" } },
		{ "[scc]\nendpoint = https://u:p@x\n", { "https://HOST" } },
		{ "[scc]\nendpoint = file:///etc/passwd\n", { "https://" } },
		{ "[spool]\nmax_bytes = 99999999999999999999\n",
		  { "f.conf:2", "1048576 to" } },
		{ "[spool]\nmax_bytes = 17179869184G\n", { "f.conf:2" } },
		{ "[spool]\nmax_bytes = 1\n", { "f.conf:2" } },
		{ "[spool]\nmax_bytes = -1\n", { "f.conf:2", "'-1'" } },
		{ "[spool]\nmax_bytes = 5T\n", { "f.conf:2", "'5T'" } },
		{ "[spool]\npath = var/x\n", { "absolute path" } },
		{ "[findings]\njournal = maybe\n", { "yes or no" } },
		{ "[findings]\nfile = \n x = y\n", { "f.conf:3", "'x'" } },
		{ "garbage\n", { "f.conf:1", "key = value" } },
		{ "[scc\n", { "f.conf:1" } },
		{ "[scc]\napi = \x1b[31mv3\n", { "\\x1b" } },
		{ "[run]\ncpu_budget = 0.09\n",
		  { ":2", "'0.09'", "0.1 to 100" } },
		{ "[run]\ncpu_budget = 100.001\n", { "0.1 to 100" } },
		{ "[run]\ncpu_budget = 1e1\n", { "0.1 to 100" } },
		{ "[run]\ncpu_budget = 1.\n", { "0.1 to 100" } },
		{ "[run]\ncpu_budget = 1.0001\n", { "0.1 to 100" } },
		{ "[run]\ncpu_budget = nan\n", { "0.1 to 100" } },
		{ "[run]\ncpu_budget = 99999999999999999999\n", { ":2" } },
		{ "[run]\npass_interval = 59s\n", { "'59s'", "1m to 24h" } },
		{ "[run]\npass_interval = 25h\n", { "1m to 24h" } },
		{ "[run]\npass_interval = 30d\n", { "s, m or h" } },
		{ "[run]\npass_interval = 1h30m\n", { "s, m or h" } },
		{ "[run]\npass_interval = 5124095576030432h\n", { ":2" } },
		{ "[run]\nsensors = ebpf\n", { "auto, netlink, polling" } },
		{ "[exclude]\nreason = x\n", { ":2", "[exclude]" } },
		{ "[exclude a b]\nreason = x\n", { ":2", "letters, digits" } },
		{ "[exclude x]\nrule = x\n", { ":2", "'rule'" } },
		{ "[exclude x]\nuntil = 2027-02-29\n", { "YYYY-MM-DD" } },
		{ "[exclude x]\nuntil = 27-2-9\n", { "YYYY-MM-DD" } },
		{ "[exclude x]\nuntil = 2027-13-01\n", { "YYYY-MM-DD" } },
		{ "[exclude x]\nsha256 = 12\n", { "64 hex" } },
		{ "[exclude x]\nexe = bin/x\n", { "absolute" } },
		{ "\n[exclude x]\nuser = a\nuntil = 2027-01-01\n",
		  { "f.conf:3", "[exclude x]", "reason" } },
		{ "[exclude x]\nuser = a\nreason = b\n", { ":2", "until" } },
		{ "[exclude x]\nuntil = 2027-01-01\nreason = b\n",
		  { ":2", "selects nothing" } },
		{ "[exclude x]\nuntil = 2027-01-01\nreason = b\n"
		  "exe = /bin/x\n",
		  { ":2", "sha256" } },
		{ "[exclude x]\nuser = a\nreason = b\nuntil = 2027-01-01\n"
		  "[scc]\napi = v2\n[exclude y]\nreason = c\n",
		  { ":8", "[exclude y]" } },
		{ "[exclude x]\nuser = a\nreason = b\nuntil = 2027-01-01\n"
		  "[exclude y]\nuser = a\nreason = b\nuntil = 2027-01-01\n"
		  "[exclude x]\nunit = a\n",
		  { ":10", "twice" } },
	};
	struct config c;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why.text[0] = 0;
		assert_int_equal(parse(cases[i].text, &c, &why), -EINVAL);
		for (int k = 0; k < 3 && cases[i].words[k]; k++)
			if (!strstr(why.text, cases[i].words[k]))
				fail_msg("%s: no %s in: %s", cases[i].text,
					 cases[i].words[k], why.text);
	}
}

static void long_lines_and_nul_are_refused(void **state)
{
	struct config c;
	struct why why;
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(config_parse("f", text, sizeof(text), &c, &why),
			 -EINVAL);
	assert_non_null(strstr(why.text, "line of 400 bytes"));
	assert_int_equal(config_parse("f", "[scc]\na\0b\n", 10, &c, &why),
			 -EINVAL);
	assert_non_null(strstr(why.text, "f:2"));
}

static const char good[] =
	"[run]\ncpu_budget = 2.5\npass_interval = 2h\n"
	"[scc]\nsource = organizations/1/sources/2\n"
	"[spool]\nmax_bytes = 2M\n[findings]\nformat = ocsf\n"
	"[exclude a]\nreason = b\nuntil = 2027-01-01\nuser = c\n";

/* No flip or cut of a good file crashes or gives half a configuration. */
static void mutations_do_no_harm(void **state)
{
	char text[sizeof(good)];
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		for (unsigned flip = 1; flip < 256; flip++) {
			memcpy(text, good, sizeof(good));
			text[i] = (char)(text[i] ^ (int)flip);
			memset(&c, 0xee, sizeof(c));
			if (config_parse("f", text, sizeof(good) - 1, &c,
					 NULL)) {
				assert_int_equal(c.scc.source[0], (char)0xee);
				continue;
			}
			assert_true(c.spool.max_bytes >= 1 << 20);
			assert_true(exclude_count(c.excludes) <= 1);
			config_free(&c);
		}
		if (!config_parse("f", good, i, &c, NULL))
			config_free(&c);
	}
}

static void unsafe_files_are_refused(void **state)
{
	char path[] = "/tmp/test_config.XXXXXX";
	int fd = mkstemp(path);
	struct config c;
	struct why why;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "[scc]\napi = v1\n", 15), 15);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(config_load(path, &c, &why), 0);
	assert_int_equal(c.scc.api, 1);
	config_free(&c);
	assert_int_equal(config_open_safe(path, true, &why), -EPERM);
	assert_non_null(strstr(why.text, "chmod g-w,o-rwx"));
	assert_int_equal(fchmod(fd, 0666), 0);
	assert_int_equal(config_load(path, &c, &why), -EPERM);
	assert_non_null(strstr(why.text, "0666"));
	if (!geteuid()) {
		assert_int_equal(fchmod(fd, 0600), 0);
		assert_int_equal(fchown(fd, 12345, 0), 0);
		assert_int_equal(config_load(path, &c, &why), -EPERM);
		assert_non_null(strstr(why.text, "12345"));
	}
	close(fd);
	unlink(path);
	assert_int_equal(config_load(path, &c, &why), -ENOENT);
	assert_int_equal(config_load("/tmp", &c, &why), -EINVAL);
}

/* What is printed for people can be read back. */
static void the_printed_table_parses(void **state)
{
	struct config a, b;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct why why;

	(void)state;
	config_print(f);
	fclose(f);
	if (config_parse("f", text, len, &a, &why))
		fail_msg("%s", why.text);
	memset(&b, 0, sizeof(b));
	assert_int_equal(parse("", &b, NULL), 0);
	assert_string_equal(a.findings.file, b.findings.file);
	config_free(&a);
	config_free(&b);
	free(text);
}

/* ---- places ---------------------------------------------------------- */

static char place[] = "/tmp/test_config.XXXXXX";

static const char *at(const char *name, char ret[static 128])
{
	snprintf(ret, 128, "%s/%s", place, name);
	return ret;
}

static void put(const char *name, const char *text)
{
	char path[128];
	int fd = open(at(name, path), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int make_place(void **state)
{
	static const char *const folders[] = { "v", "v/conf.d", "a",
					       "a/conf.d" };
	char path[128];

	(void)state;
	umask(022);
	if (!mkdtemp(place))
		return -1;
	for (size_t i = 0; i < 4; i++)
		if (mkdir(at(folders[i], path), 0755))
			return -1;
	return 0;
}

static int drop_place(void **state)
{
	char command[160];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", place);
	return system(command);
}

static int load(struct config *ret, struct why *why)
{
	char v[128], a[128];

	return config_load_places(at("v", v), at("a", a), ret, why);
}

static void later_places_win(void **state)
{
	struct config c;
	struct why why;

	(void)state;
	assert_int_equal(load(&c, &why), 0); /* nothing: all defaults */
	assert_null(c.origin[0].file);
	config_free(&c);
	put("v/davylamp.conf", "[run]\ncpu_budget = 2\nsensors = polling\n"
			       "[scc]\napi = v1\nlocation = eu\n");
	put("v/conf.d/50-image.conf", "[run]\nsensors = netlink\n");
	put("v/conf.d/60-image.conf", "[scc]\nlocation = us\n");
	put("a/davylamp.conf", "[run]\ncpu_budget = 3\n");
	put("a/conf.d/10.conf", "[run]\npass_interval = 5m\n");
	put("a/conf.d/20.conf", "[run]\npass_interval = 6m\n");
	put("a/conf.d/60-image.conf", "");
	put("a/conf.d/30.conf~", "garbage");
	put("a/conf.d/.40.conf", "garbage");
	if (load(&c, &why))
		fail_msg("%s", why.text);
	assert_true(c.run.cpu_budget == 3);
	assert_int_equal(c.run.sensors, SENSORS_NETLINK);
	assert_int_equal(c.run.pass_interval_ns, 360000000000);
	assert_int_equal(c.scc.api, 1);
	assert_string_equal(c.scc.location, "eu"); /* masked */
	assert_non_null(strstr(c.origin[0].file, "/a/davylamp.conf"));
	assert_int_equal(c.origin[0].line, 2);
	config_free(&c);
}

/* An exclusion never gets the selectors of one file and the reason of
 * another. */
static void exclusions_are_replaced_whole(void **state)
{
	const struct exclusion *x;
	struct config c;
	struct why why;

	(void)state;
	put("v/davylamp.conf",
	    "[exclude a]\nreason = r\nuntil = 2027-01-01\nuser = u\n"
	    "[exclude b]\nreason = r\nuntil = 2027-01-01\nuser = u\n");
	put("a/davylamp.conf",
	    "[exclude a]\nreason = s\nuntil = 2028-01-01\nunit = w.service\n");
	if (load(&c, &why))
		fail_msg("%s", why.text);
	assert_int_equal(exclude_count(c.excludes), 2);
	x = exclude_get(c.excludes, 0);
	assert_string_equal(x->name, "a");
	assert_string_equal(x->reason, "s");
	assert_string_equal(x->user, "");
	assert_string_equal(x->unit, "w.service");
	config_free(&c);
	put("a/davylamp.conf", "[exclude a]\nuntil = 2028-01-01\n");
	assert_int_equal(load(&c, &why), -EINVAL);
	assert_non_null(strstr(why.text, "/a/davylamp.conf:2"));
	put("a/davylamp.conf", "");
	put("v/davylamp.conf", "");
}

static void unsafe_places_are_refused(void **state)
{
	char path[128], to[128];
	struct config c;
	struct why why;

	(void)state;
	put("a/conf.d/70.conf", "[scc]\napi = v2\n");
	assert_int_equal(chmod(at("a/conf.d/70.conf", path), 0646), 0);
	assert_int_equal(load(&c, &why), -EPERM);
	assert_non_null(strstr(why.text, "70.conf"));
	assert_non_null(strstr(why.text, "0646"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(load(&c, &why), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(at("nowhere", to), path), 0);
	assert_int_equal(load(&c, &why), -ENOENT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(at("a/conf.d", path), 0775), 0);
	assert_int_equal(load(&c, &why), -EPERM);
	assert_non_null(strstr(why.text, "conf.d"));
	assert_int_equal(chmod(path, 0755), 0);
	put("a/conf.d/80.conf", "[scc]\n[run]\nx = 1\n");
	assert_int_equal(load(&c, &why), -EINVAL);
	assert_non_null(strstr(why.text, "80.conf:3"));
	assert_int_equal(unlink(at("a/conf.d/80.conf", path)), 0);
}

static char *effective(const struct config *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	config_print_effective(f, c);
	fclose(f);
	return text;
}

static void what_holds_says_whence_and_parses(void **state)
{
	struct config c;
	struct why why;
	char *text, *again;

	(void)state;
	assert_int_equal(parse(good, &c, NULL), 0);
	text = effective(&c);
	assert_non_null(strstr(text, "cpu_budget = 2.5                 ; "
				     "f.conf:2\n"));
	assert_non_null(strstr(text, "; default\n"));
	assert_non_null(strstr(text, "\n[exclude a] ; f.conf:11"));
	config_free(&c);
	if (parse(text, &c, &why))
		fail_msg("%s", why.text);
	assert_true(c.run.cpu_budget == 2.5);
	assert_int_equal(c.run.pass_interval_ns, 7200000000000);
	assert_int_equal(c.spool.max_bytes, 2 << 20);
	assert_int_equal(c.findings.format, FORMAT_OCSF);
	assert_int_equal(exclude_count(c.excludes), 1);
	again = effective(&c);
	assert_non_null(strstr(again, "pass_interval = 2h"));
	config_free(&c);
	free(text);
	free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_useful),
		cmocka_unit_test(values_are_taken),
		cmocka_unit_test(errors_name_line_value_and_remedy),
		cmocka_unit_test(long_lines_and_nul_are_refused),
		cmocka_unit_test(mutations_do_no_harm),
		cmocka_unit_test(unsafe_files_are_refused),
		cmocka_unit_test(the_printed_table_parses),
		cmocka_unit_test(numbers_have_units),
		cmocka_unit_test(later_places_win),
		cmocka_unit_test(exclusions_are_replaced_whole),
		cmocka_unit_test(unsafe_places_are_refused),
		cmocka_unit_test(what_holds_says_whence_and_parses),
	};

	return cmocka_run_group_tests(tests, make_place, drop_place);
}
