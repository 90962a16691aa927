#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <string.h>
#include "child.h"
#include "finding_json.h"
#include "maps.h"
#include "peers.h"
#include "verdict.h"

#define HOSTILE "a\"b\\c\n\x1b[2J\xff\xfe\xc3\xa9\xe2\x80\xae</script>"
#define SHOWN	"a\"b\\\\c\\x0a\\x1b[2J\\xff\\xfe\xc3\xa9\\xe2\\x80\\xae</script>"

static struct rule rule = { .name = "planted", .family = "RandomX",
			    .algorithm = "RandomX", .reference = "https://x",
			    .where = WHERE_ANY, .severity = SEVERITY_HIGH };
static struct hit hit;
static struct look look;
static struct proc proc;
static struct who *who;
static struct finding finding;
static struct finding_tools tools = { .engine = "libyara 4.2.3",
				      .rules_version = "0123",
				      .set_version = "4567" };

/* A finding about this very process: one rule, two binaries of one family. */
static int make(void **state)
{
	struct maps *maps;

	(void)state;
	proc = child_proc(getpid());
	who = calloc(1, sizeof(*who));
	who_read(&proc, who);
	hit = (struct hit){ .rule = &rule, .n_matches = 3, .n_strings = 1 };
	hit.strings[0] = (struct hit_string){
		.name = "$keys", .address = (uintptr_t)make, .length = 40,
		.n_bytes = HIT_BYTES, .bytes = "\x01\xfe text" };
	memset(&look, 0, sizeof(look));
	if (maps_read(&proc, 0, &maps))
		return -1;
	look.proc = &proc;
	look.maps = maps;
	look.who = who;
	look.hits = &hit;
	look.n_hits = 1;
	look.shares[0] = (struct share){ "XMRig", "xmrig_6.26", "6.26", 80,
					 60,	  50,		0,	0 };
	look.shares[1] = (struct share){ "XMRig", "xmrig_6.25", "6.25", 90,
					 30,	  20,		0,	0 };
	look.n_shares = 2;
	look.cpu_share = 1.5;
	return verdict_judge(&look, &finding) == VERDICT_FINDING ? 0 : -1;
}

static int drop(void **state)
{
	(void)state;
	maps_free((struct maps *)look.maps);
	who_close(who);
	proc_close(&proc);
	free(who);
	return 0;
}

/* As others will read it: text, then json-c's strict parser.  For put(). */
static json_object *read_back(void)
{
	json_object *o = finding_json(&finding, who, &tools), *back;
	json_tokener *t = json_tokener_new();
	const char *text;

	assert_non_null(o);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	for (const char *s = text; *s; s++)
		assert_true((unsigned char)*s >= 0x20 && *s != 0x7f);
	json_tokener_set_flags(t, JSON_TOKENER_STRICT |
					  JSON_TOKENER_VALIDATE_UTF8);
	back = json_tokener_parse_ex(t, text, (int)strlen(text) + 1);
	assert_int_equal(json_tokener_get_error(t), json_tokener_success);
	json_tokener_free(t);
	json_object_put(o);
	return back;
}

/* "a/0/b" of @o, NULL if there is none. */
static json_object *at(json_object *o, const char *path)
{
	char copy[128], *rest = copy, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	while (o && (key = strsep(&rest, "/")))
		o = json_object_is_type(o, json_type_array)
			    ? json_object_array_get_idx(o, (size_t)atoi(key))
			    : json_object_object_get(o, key);
	return o;
}

static const char *text(json_object *o, const char *path)
{
	o = at(o, path);
	assert_true(json_object_is_type(o, json_type_string));
	return json_object_get_string(o);
}

/* The environment holds secrets: it is told only if asked for. */
static void the_environment_stays_out(void **state)
{
	json_object *o = read_back();

	(void)state;
	assert_non_null(at(o, "processes/0/pid"));
	assert_null(at(o, "processes/0/envVariables"));
	json_object_put(o);
	tools.environment = true;
	o = read_back();
	tools.environment = false;
	assert_true(strlen(text(o, "processes/0/envVariables/0/name")) > 0);
	(void)text(o, "processes/0/envVariables/0/val");
	assert_non_null(at(o, "processes/0/envVariablesTruncated"));
	json_object_put(o);
}

static void it_says_what_was_found(void **state)
{
	json_object *o;
	char pid[16];

	(void)state;
	if (child_skip_emulated())
		skip();
	o = read_back();
	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_string_equal(
		text(o, "category"),
		"Execution: Cryptocurrency Mining Combined Detection");
	assert_string_equal(text(o, "state"), "ACTIVE");
	assert_string_equal(text(o, "severity"), "HIGH");
	assert_string_equal(text(o, "findingClass"), "THREAT");
	assert_string_equal(text(o, "processes/0/pid"), pid);
	assert_string_equal(text(o, "processes/0/binary/path"), who->exe);
	assert_null(at(o, "containers"));
	assert_string_equal(text(o, "mitreAttack/primaryTactic"), "IMPACT");
	assert_string_equal(text(o, "sourceProperties/engine"),
			    "libyara 4.2.3");
	assert_string_equal(text(o, "sourceProperties/scanState"), "complete");
	assert_string_equal(text(o, "sourceProperties/rules/0/rule"),
			    "planted");
	assert_string_equal(
		text(o, "sourceProperties/rules/0/strings/0/name"), "$keys");
	assert_string_equal(
		text(o, "sourceProperties/rules/0/strings/0/permissions"),
		"r-xp");
	assert_memory_equal(
		text(o, "sourceProperties/rules/0/strings/0/bytes"),
		"01fe2074657874", 14);
	json_object_put(o);
}

/* Binaries of one family are one signature; shares are from 0 to 1. */
static void signatures_are_by_family(void **state)
{
	json_object *o = read_back();
	double share;

	(void)state;
	assert_int_equal(json_object_array_length(
				 at(o, "indicator/signatures")), 2);
	assert_string_equal(
		text(o, "indicator/signatures/0/memoryHashSignature/"
			"binaryFamily"), "XMRig");
	assert_int_equal(
		json_object_array_length(at(o, "indicator/signatures/0/"
					       "memoryHashSignature/"
					       "detections")), 2);
	share = json_object_get_double(
		at(o, "indicator/signatures/0/memoryHashSignature/detections/"
		      "0/percentPagesMatched"));
	assert_true(share > 0.7499 && share < 0.7501);
	assert_string_equal(
		text(o, "indicator/signatures/1/yaraRuleSignature/yaraRule"),
		"planted");
	json_object_put(o);
}

/* Connections as /proc and events have them; what is on loopback is told, and
 * is no indicator. */
static void connections_and_hiding_are_told(void **state)
{
	struct peer p = { .family = AF_INET, .port = 3333, .local_port = 40000,
			  .protocol = IPPROTO_TCP, .address = { 192, 0, 2, 7 },
			  .local = { 10, 0, 0, 5 } };
	struct peers saved = who->peers;
	json_object *o = read_back();

	(void)state;
	assert_null(at(o, "sourceProperties/hidden"));
	json_object_put(o);
	memset(&who->peers, 0, sizeof(who->peers));
	peers_add(&who->peers, &p);
	peers_name(&who->peers, &p, "pool.example.org");
	p = (struct peer){ .family = AF_INET6, .port = 443,
			   .protocol = IPPROTO_UDP,
			   .address = { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	peers_add(&who->peers, &p);
	p = (struct peer){ .family = AF_INET, .port = 53,
			   .protocol = IPPROTO_TCP, .address = { 127, 0, 0, 1 } };
	peers_add(&who->peers, &p);
	proc.hidden = HIDDEN_MOUNT;
	o = read_back();
	proc.hidden = 0;
	who->peers = saved;
	assert_string_equal(text(o, "connections/0/destinationIp"), "192.0.2.7");
	assert_int_equal(json_object_get_int(
				 at(o, "connections/0/destinationPort")), 3333);
	assert_string_equal(text(o, "connections/0/sourceIp"), "10.0.0.5");
	assert_string_equal(text(o, "connections/0/protocol"), "TCP");
	assert_string_equal(text(o, "connections/1/destinationIp"),
			    "2001:db8::1");
	assert_string_equal(text(o, "connections/1/protocol"), "UDP");
	assert_null(at(o, "connections/1/sourcePort"));
	assert_string_equal(text(o, "connections/2/destinationIp"),
			    "127.0.0.1");
	assert_int_equal(json_object_array_length(
				 at(o, "indicator/ipAddresses")), 2);
	assert_string_equal(text(o, "indicator/domains/0"),
			    "pool.example.org");
	assert_non_null(strstr(text(o, "sourceProperties/hidden"), "mounted"));
	assert_non_null(strstr(text(o, "description"), "it hides"));
	json_object_put(o);
}

/* Pages are one thing, code another. */
static void another_version_is_told(void **state)
{
	struct share saved = look.shares[0];
	json_object *o;

	(void)state;
	look.shares[0].seen = 0;
	look.shares[0].n_fragments = 200;
	look.shares[0].seen_fragments = 150;
	o = read_back();
	look.shares[0] = saved;
	assert_non_null(strstr(text(o, "description"),
			       "75 % of the code of a known XMRig binary, in "
			       "another build or version"));
	assert_true(json_object_get_double(
			    at(o, "indicator/signatures/0/memoryHashSignature/"
				  "detections/0/percentPagesMatched")) == 0);
	assert_string_equal(text(o, "sourceProperties/codeFragments/0/binary"),
			    "xmrig_6.26");
	assert_int_equal(
		json_object_get_int(at(o, "sourceProperties/codeFragments/0/"
					  "known")),
		200);
	assert_int_equal(
		json_object_get_int(at(o, "sourceProperties/codeFragments/0/"
					  "seen")),
		150);
	json_object_put(o);
}

static void hostile_text_is_escaped(void **state)
{
	static const char args[] = "one\0" HOSTILE "\0\0last";
	struct share *s = &look.shares[0];
	json_object *o;

	(void)state;
	strcpy(proc.comm, HOSTILE);
	strcpy(who->exe, HOSTILE);
	strcpy(who->user, HOSTILE);
	strcpy(who->unit, HOSTILE);
	memcpy(who->args, args, sizeof(args));
	who->args_len = sizeof(args);
	strcpy(rule.name, HOSTILE);
	strcpy(rule.reference, HOSTILE);
	strcpy(hit.strings[0].name, HOSTILE);
	s->family = s->name = HOSTILE;
	o = read_back();
	assert_string_equal(text(o, "processes/0/name"), SHOWN);
	assert_string_equal(text(o, "processes/0/binary/path"), SHOWN);
	assert_string_equal(text(o, "processes/0/args/0"), "one");
	assert_string_equal(text(o, "processes/0/args/1"), SHOWN);
	assert_string_equal(text(o, "processes/0/args/2"), "");
	assert_string_equal(text(o, "processes/0/args/3"), "last");
	assert_int_equal(json_object_array_length(at(o, "processes/0/args")),
			 4);
	assert_string_equal(text(o, "sourceProperties/user"), SHOWN);
	assert_string_equal(text(o, "sourceProperties/unit"), SHOWN);
	assert_string_equal(text(o, "sourceProperties/rules/0/reference"),
			    SHOWN);
	assert_string_equal(
		text(o, "indicator/signatures/0/memoryHashSignature/"
			"binaryFamily"), SHOWN);
	json_object_put(o);
	strcpy(rule.name, "planted");
	strcpy(rule.reference, "https://x");
}

/* Nothing is too long for its place: the description, too. */
static void the_longest_of_everything(void **state)
{
	json_object *o;
	char small[64];

	(void)state;
	memset(proc.comm, '\x01', sizeof(proc.comm) - 1);
	memset(who->exe, '\x02', sizeof(who->exe) - 1);
	memset(who->args, '\x03', sizeof(who->args));
	who->args_len = sizeof(who->args); /* no NUL at all */
	who->args_truncated = true;
	memset(who->unit, '\x04', sizeof(who->unit) - 1);
	memset(rule.family, '\x05', sizeof(rule.family) - 1);
	memset(look.why, 'w', sizeof(look.why) - 1);
	o = read_back();
	assert_true(json_object_get_boolean(
		at(o, "processes/0/argumentsTruncated")));
	assert_int_equal(strlen(text(o, "sourceProperties/scanStateReason")),
			 sizeof(look.why) - 1);
	json_object_put(o);
	finding_describe(&finding, small, sizeof(small));
	assert_true(strlen(small) < sizeof(small));
	strcpy(rule.family, "RandomX");
}

static void a_container_is_named(void **state)
{
	json_object *o;

	(void)state;
	strcpy(who->container.runtime, "docker");
	memset(who->container.id, 'a', 64);
	o = read_back();
	assert_memory_equal(text(o, "containers/0/name"), "docker/aaaa", 11);
	assert_null(at(o, "kubernetes"));
	json_object_put(o);
	strcpy(who->container.name, "web\n");
	strcpy(who->container.image, "nginx:1");
	strcpy(who->container.created, "2026-11-25T19:08:31.28Z");
	strcpy(who->container.pod, "web-0");
	strcpy(who->container.pod_namespace, "shop");
	strcpy(who->container.pod_uid, "u");
	strcpy(who->container.labels[0].name, "a");
	strcpy(who->container.labels[0].value, "\x1b");
	who->container.n_labels = 1;
	who->huge_bytes = 4096;
	o = read_back();
	assert_string_equal(text(o, "containers/0/name"), "web\\x0a");
	assert_string_equal(text(o, "containers/0/uri"), "nginx:1");
	assert_string_equal(text(o, "containers/0/labels/0/value"), "\\x1b");
	assert_string_equal(text(o, "containers/0/createTime"),
			    "2026-11-25T19:08:31.28Z");
	assert_string_equal(text(o, "kubernetes/pods/0/ns"), "shop");
	assert_string_equal(text(o, "kubernetes/pods/0/containers/0/uri"),
			    "nginx:1");
	assert_memory_equal(text(o, "sourceProperties/containerId"), "aaaa", 4);
	assert_string_equal(text(o, "sourceProperties/podUid"), "u");
	assert_string_equal(text(o, "sourceProperties/hugePageBytes"), "4096");
	json_object_put(o);
}

static void parents_and_files_are_there(void **state)
{
	json_object *o;
	char pid[16];

	(void)state;
	if (child_skip_emulated())
		skip();
	o = read_back();
	snprintf(pid, sizeof(pid), "%d", getppid());
	assert_string_equal(text(o, "sourceProperties/parents/0/pid"), pid);
	assert_non_null(at(o, "sourceProperties/parents/0/name"));
	assert_string_equal(text(o, "files/0/path"), who->exe);
	assert_string_equal(text(o, "files/0/sha256"),
			    text(o, "processes/0/binary/sha256"));
	json_object_put(o);
}

static void rules_alone_have_no_binaries(void **state)
{
	const struct maps *maps;
	json_object *o;
	char said[1024];

	(void)state;
	if (child_skip_emulated())
		skip();
	look.n_shares = 0;
	look.cpu_share = 0.001;
	maps = look.maps;
	look.maps = NULL; /* a sanitizer's may look like a dataset */
	assert_int_equal(verdict_judge(&look, &finding), VERDICT_FINDING);
	o = read_back();
	look.maps = maps;
	assert_string_equal(text(o, "severity"), "LOW");
	assert_int_equal(json_object_array_length(
				 at(o, "indicator/signatures")), 1);
	assert_non_null(strstr(text(o, "description"), "(RandomX)"));
	assert_non_null(strstr(text(o, "description"), "1 rule of"));
	assert_non_null(strstr(text(o, "description"), "nothing shows"));
	json_object_put(o);
	rule.family[0] = '\0'; /* of somebody else's collection */
	finding_describe(&finding, said, sizeof(said));
	assert_non_null(strstr(said, "(planted)"));
	strcpy(rule.family, "RandomX");
}

static void the_time_is_rfc_3339(void **state)
{
	char now[32];
	int n = 0, y, mo, d, h, mi, s, us;

	(void)state;
	finding_time(now);
	assert_int_equal(sscanf(now, "%4d-%2d-%2dT%2d:%2d:%2d.%6dZ%n", &y, &mo,
				&d, &h, &mi, &s, &us, &n), 7);
	assert_int_equal(n, 27);
	assert_int_equal(now[27], '\0');
	assert_in_range(y, 2024, 2200);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(the_environment_stays_out),
		TEST(it_says_what_was_found),
		TEST(signatures_are_by_family),
		TEST(connections_and_hiding_are_told),
		TEST(another_version_is_told),
		TEST(hostile_text_is_escaped),
		TEST(the_longest_of_everything),
		TEST(a_container_is_named),
		TEST(parents_and_files_are_there),
		TEST(rules_alone_have_no_binaries),
		cmocka_unit_test(the_time_is_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
