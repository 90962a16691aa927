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

/* No flip or cut of a good file crashes or gives half a configuration. */
static void mutations_do_no_harm(void **state)
{
	static const char good[] =
		"[scc]\nsource = organizations/1/sources/2\n"
		"[spool]\nmax_bytes = 2M\n[findings]\nformat = ocsf\n";
	char text[sizeof(good)];
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		for (unsigned flip = 1; flip < 256; flip++) {
			memcpy(text, good, sizeof(good));
			text[i] = (char)(text[i] ^ (int)flip);
			memset(&c, 0xee, sizeof(c));
			if (config_parse("f", text, sizeof(good) - 1, &c, NULL))
				assert_int_equal(c.scc.source[0], (char)0xee);
			else
				assert_true(c.spool.max_bytes >= 1 << 20);
		}
		(void)config_parse("f", good, i, &c, NULL);
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
	free(text);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
