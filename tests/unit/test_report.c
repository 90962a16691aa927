/* The parts of davylamp-report that need no network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "report_auth_own.h"
#include "report_event.h"
#include "report_format.h"
#include "report_json.h"
#include "report_pace.h"
#include "report_sink.h"

/* ---- pace ------------------------------------------------------------ */

static void the_bucket_keeps_the_rate(void **state)
{
	struct report_pace p;
	uint64_t now = 5000, sent = 0;

	(void)state;
	report_pace_init(&p, 60, now, 1);
	for (; now < 5000 + 600000; now += 50)
		if (!report_pace_wait(&p, now)) {
			report_pace_sent(&p);
			sent++;
		}
	assert_in_range(sent, 600, 611); /* 60 a minute and one burst */
}

/* Never sooner than 30 s, never later than 80: with the 20 s deadline of a
 * request that hangs, a service that is back is noticed within 2 minutes. */
static void down_waits_between_30_and_80_s(void **state)
{
	struct report_pace p;
	uint64_t least = UINT64_MAX, most = 0, wait;

	(void)state;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		report_pace_init(&p, 60, 0, seed);
		for (int i = 0; i < 20; i++) {
			report_pace_down(&p, 0, 0);
			wait = report_pace_wait(&p, 0);
			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
	}
	assert_in_range(least, 30000, 30200);
	assert_in_range(most, 79000, 80000);
}

static void busy_spreads_wider_each_time(void **state)
{
	struct report_pace p;
	uint64_t sum[8] = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++) {
		report_pace_init(&p, 60, 0, seed);
		for (int i = 0; i < 8; i++) {
			report_pace_busy(&p, 0, 0);
			sum[i] += report_pace_wait(&p, 0) - 30000;
		}
	}
	/* means of full jitter over 60 s, 120 s, ... 900 s */
	for (int i = 0; i < 4; i++)
		assert_in_range(sum[i] / 2000, (27000u << i), (33000u << i));
	assert_in_range(sum[7] / 2000, 420000, 480000);
}

static void retry_after_is_obeyed_within_reason(void **state)
{
	struct report_pace p;

	(void)state;
	report_pace_init(&p, 60, 0, 7);
	report_pace_down(&p, 0, 100000);
	assert_in_range(report_pace_wait(&p, 0), 100000, 110000);
	report_pace_down(&p, 0, UINT64_MAX);
	assert_in_range(report_pace_wait(&p, 0), 3600000, 3650000);
	report_pace_ok(&p);
	report_pace_down(&p, 0, 1);
	assert_in_range(report_pace_wait(&p, 0), 30000, 40000);
}

/* ---- JSON ------------------------------------------------------------ */

static json_object *parse(const char *text)
{
	return report_json_parse(text, strlen(text));
}

static void only_whole_shallow_objects_pass(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"1",
		"[]",
		"\"x\"",
		"{",
		"{}x",
		"{}{}",

		"{\"a\":1,}",

		"{\"a\":\"\xff\"}",
		"{\"a\":/**/1}",
		"nul",
	};
	char deep[200];
	json_object *o;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if ((o = parse(bad[i])))
			fail_msg("taken: %s", bad[i]);
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	assert_null(report_json_parse(deep, sizeof(deep)));
	assert_null(report_json_parse("{}\0", 3));
	o = parse(" {\"a\":\"b\",\"n\":5}\n");
	assert_string_equal(report_json_text(o, "a"), "b");
	assert_null(report_json_text(o, "n"));
	assert_int_equal(report_json_int(o, "n"), 5);
	assert_int_equal(report_json_int(o, "a"), 0);
	assert_null(report_json_text(NULL, "a"));
	json_object_put(o);
}

/* Every reader gets the same value, no terminal gets a control. */
static void lines_are_ascii_and_mean_the_same(void **state)
{
	static const char text[] =
		"{\"a\":\"\\u001b[31m \xc2\x9b \xe2\x80\xae \xf0\x9f\x98\x80 "
		"\x7f \\n / \\\\ \xc3\xa9\"}";
	json_object *o = parse(text), *again;
	size_t len;
	char *line = report_json_line(o, &len);

	(void)state;
	assert_non_null(line);
	for (size_t i = 0; i < len; i++)
		assert_in_range((unsigned char)line[i], 0x20, 0x7e);
	again = parse(line);
	assert_true(json_object_equal(o, again));
	json_object_put(o);
	json_object_put(again);
	free(line);
	/* what json-c takes for UTF-8: overlong, surrogate, too high */
	o = parse("{\"a\":\"\xc0\x80 \xed\xa0\x80 \xf5\x80\x80\x80\"}");
	if (o) {
		line = report_json_line(o, &len);
		assert_string_equal(line,
				    "{\"a\":\"\\ufffd \\ufffd \\ufffd\"}");
		free(line);
	}
	json_object_put(o);
}

static void plain_is_what_a_header_may_hold(void **state)
{
	(void)state;
	assert_true(report_json_plain("ya29.a-_~", 100));
	assert_false(report_json_plain("", 100));
	assert_false(report_json_plain(NULL, 100));
	assert_false(report_json_plain("a b", 100));
	assert_false(report_json_plain("a\r\nb", 100));
	assert_false(report_json_plain("a\x80", 100));
	assert_false(report_json_plain("abcd", 4));
}

static void tokens_go_only_to_safe_places(void **state)
{
	(void)state;
	assert_true(report_auth_url("https://sts.googleapis.com/v1/token"));
	assert_true(report_auth_url("http://127.0.0.1:80/x"));
	assert_false(report_auth_url("http://example.com/"));
	assert_false(report_auth_url("http://127.0.0.1.example.com/"));
	assert_false(report_auth_url("http://127.0.0.1:80@example.com/"));
	assert_false(report_auth_url("file:///etc/passwd"));
	assert_false(report_auth_url(NULL));
}

/* ---- events ---------------------------------------------------------- */

#define ID "0123456789abcdef0123456789abcdef"
#define EVENT                                                              \
	"{\"event\":\"open\",\"id\":\"" ID "\",\"severity\":\"HIGH\","     \
	"\"finding\":{\"category\":\"c\\u001b\",\"eventTime\":"            \
	"\"2026-01-01T00:00:00.5Z\",\"state\":\"ACTIVE\",\"description\":" \
	"\"line\\nPRIORITY=7\",\"processes\":[{\"pid\":\"7\"}]}}"

/* Each cut of an event is torn; each flip is refused or still an event. */
static void torn_events_are_refused(void **state)
{
	char text[sizeof(EVENT)];
	struct report_event e = { 0 };

	(void)state;
	assert_int_equal(report_event_parse(EVENT, sizeof(EVENT) - 1, &e), 0);
	report_event_free(&e);
	for (size_t i = 0; i < sizeof(EVENT) - 1; i++) {
		assert_int_equal(report_event_parse(EVENT, i, &e), -EBADMSG);
		for (int bit = 0; bit < 8; bit++) {
			memcpy(text, EVENT, sizeof(EVENT));
			text[i] = (char)(text[i] ^ 1 << bit);
			if (!report_event_parse(text, sizeof(EVENT) - 1, &e)) {
				assert_int_equal(strspn(e.id, "0123456789"
							      "abcdef"),
						 32);
				report_event_free(&e);
			}
		}
	}
}

/* Whatever a finding holds, no format falls over. */
static void formats_take_wrong_types(void **state)
{
	static const char *const pieces[] = {
		"\"processes\":1",
		"\"processes\":[1]",
		"\"processes\":[{}]",
		"\"processes\":[{\"pid\":[],\"binary\":3,\"args\":{}}]",
		"\"indicator\":[]",
		"\"indicator\":{\"signatures\":{}}",
		"\"indicator\":{\"signatures\":[1,{\"yaraRuleSignature\":2}]}",
		"\"connections\":[1,null]",
		"\"connections\":{}",
		"\"resourceName\":5",
		"\"sourceProperties\":[]",
		"\"resourceName\":\"//compute.googleapis.com/projects/\"",
		"\"eventTime\":\"x\"",
		"\"description\":null",
		"\"containers\":[7],\"kubernetes\":{\"pods\":[null]}",
		"\"containers\":[{\"labels\":[1,{\"name\":\"\"}]}]",
		"\"kubernetes\":[]",
		"\"sourceProperties\":{\"parents\":[3]}",
	};
	struct config c;
	char text[512];

	(void)state;
	assert_int_equal(config_parse("f", "", 0, &c, NULL), 0);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct report_event e = { .id = ID };

		snprintf(text, sizeof(text), "{%s}", pieces[i]);
		e.finding = parse(text);
		assert_non_null(e.finding);
		for (uint64_t f = FORMAT_SCC; f <= FORMAT_ECS; f++) {
			json_object *o = report_format(&c, &e, f);

			assert_non_null(o);
			json_object_put(o);
		}
		json_object_put(report_format_notification(&c, &e));
		report_event_free(&e);
	}
	config_free(&c);
}

static const char *at(json_object *o, const char *path)
{
	static char text[1024];
	json_object *v = NULL;
	char copy[128], *part, *rest = copy;

	snprintf(copy, sizeof(copy), "%s", path);
	while (o && (part = strsep(&rest, "/"))) {
		v = NULL;
		if (json_object_is_type(o, json_type_array))
			v = json_object_array_get_idx(o, (size_t)atoi(part));
		else
			json_object_object_get_ex(o, part, &v);
		o = v;
	}
	snprintf(text, sizeof(text), "%s",
		 o ? json_object_get_string(o) : "(none)");
	return text;
}

static void a_container_has_its_place(void **state)
{
	static const char text[] =
		"{\"processes\":[{\"name\":\"m\",\"pid\":\"7\","
		"\"parentPid\":\"6\"}],\"containers\":[{\"name\":\"web\","
		"\"uri\":\"nginx:1\",\"imageId\":\"sha256:1\",\"labels\":"
		"[{\"name\":\"a.b\",\"value\":\"c\"}]}],"
		"\"kubernetes\":{\"pods\":[{\"ns\":\"shop\","
		"\"name\":\"web-0\"}]},\"sourceProperties\":{"
		"\"containerId\":\"ab\",\"containerRuntime\":\"cri-o\","
		"\"podUid\":\"u\",\"parents\":[{\"pid\":\"6\","
		"\"name\":\"sh\",\"executable\":\"/bin/sh\"}]}}";
	struct report_event e = { .id = ID, .finding = parse(text) };
	json_object *o = report_format_ocsf(&e);
	const char *const process = "evidences/0/process/";
	char path[128];
	static const char *const ocsf[][2] = {
		{ "container/uid", "ab" },
		{ "container/name", "web" },
		{ "container/runtime", "cri-o" },
		{ "container/image/name", "nginx:1" },
		{ "container/image/uid", "sha256:1" },
		{ "container/pod_uuid", "u" },
		{ "container/orchestrator", "kubernetes" },
		{ "parent_process/name", "sh" },
		{ "parent_process/pid", "6" },
		{ "parent_process/file/path", "/bin/sh" },
	};
	static const char *const ecs[][2] = {
		{ "container/id", "ab" },
		{ "container/name", "web" },
		{ "container/image/name", "nginx:1" },
		{ "container/labels/a_b", "c" },
		{ "orchestrator/namespace", "shop" },
		{ "orchestrator/resource/name", "web-0" },
		{ "process/parent/name", "sh" },
		{ "process/parent/executable", "/bin/sh" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ocsf) / sizeof(ocsf[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", process, ocsf[i][0]);
		assert_string_equal(at(o, path), ocsf[i][1]);
	}
	assert_string_equal(at(o, "metadata/profiles/1"), "container");
	json_object_put(o);
	o = report_format_ecs(&e);
	for (size_t i = 0; i < sizeof(ecs) / sizeof(ecs[0]); i++)
		assert_string_equal(at(o, ecs[i][0]), ecs[i][1]);
	json_object_put(o);
	report_event_free(&e);
}

/* ---- the journal ----------------------------------------------------- */

static int listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* A value can not smuggle a field in: its length comes before it. */
static void journal_entries_are_framed(void **state)
{
	char folder[] = "/tmp/test_report.XXXXXX", path[64], got[8192];
	struct report_event e = { 0 };
	ssize_t n;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	assert_int_equal(report_event_parse(EVENT, sizeof(EVENT) - 1, &e), 0);
	assert_int_equal(report_sink_journal(path, &e, NULL), 0);
	fd = listen_at(path);
	assert_int_equal(report_sink_journal(path, &e, NULL), 0);
	n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
	assert_true(n > 0);
	for (ssize_t i = 0; i < n; i++)
		got[i] = got[i] ? got[i] : '_';
	got[n] = 0;
	assert_non_null(strstr(got, "MESSAGE\n"));
	assert_non_null(strstr(got, "c\\x1b: line\\x0aPRIORITY=7"));
	assert_non_null(strstr(got, "PRIORITY\n\x01_______2\n"));
	assert_non_null(strstr(got, "DAVYLAMP_FINDING_ID\n _______" ID "\n"));
	assert_null(strstr(got, "\x1b"));
	assert_null(strstr(got, "line\nPRIORITY"));
	report_event_free(&e);
	close(fd);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bucket_keeps_the_rate),
		cmocka_unit_test(down_waits_between_30_and_80_s),
		cmocka_unit_test(busy_spreads_wider_each_time),
		cmocka_unit_test(retry_after_is_obeyed_within_reason),
		cmocka_unit_test(only_whole_shallow_objects_pass),
		cmocka_unit_test(lines_are_ascii_and_mean_the_same),
		cmocka_unit_test(plain_is_what_a_header_may_hold),
		cmocka_unit_test(tokens_go_only_to_safe_places),
		cmocka_unit_test(torn_events_are_refused),
		cmocka_unit_test(formats_take_wrong_types),
		cmocka_unit_test(a_container_has_its_place),
		cmocka_unit_test(journal_entries_are_framed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
