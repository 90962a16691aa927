/* Replies of the API, of the token endpoints and of whoever stands in
 * between.  The first byte chooses the status.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iagent \
 *	-DDAVYLAMP_VERSION='""' THIS -ljson-c -lcrypto */
#include "text.c"
#include "report_json.c"
#include "scc.c"
#include "scc_explain.c"
#include "scc_setup.c"
#include "report_meta.c"
#include "report_auth.c"

static const uint8_t *reply;
static size_t reply_len;
static long reply_status;

/* In place of http.c: every request is answered with the input. */
int http_do(struct http *h, const struct http_request *r,
	    struct http_reply *ret, struct why *why)
{
	static char body[1 << 16];
	size_t n = reply_len < sizeof(body) - 1 ? reply_len : sizeof(body) - 1;

	(void)h;
	(void)why;
	if (!r->url[0])
		abort();
	memcpy(body, reply, n);
	body[n] = 0;
	*ret = (struct http_reply){ .status = reply_status,
				    .body = body,
				    .len = n,
				    .from_metadata = true };
	return 0;
}

/* In place of what reads files. */
int config_open_safe(const char *path, bool secret, struct why *why)
{
	(void)path;
	(void)secret;
	return why_set(why, -ENOENT, "none");
}

int report_auth_key(struct http *h, json_object *file,
		    struct report_auth_got *ret, struct why *why)
{
	return report_auth_post(h, "https://x", report_json_text(file, "a"),
				"key", ret, why);
}

int report_auth_external(struct http *h, json_object *file,
			 struct report_auth_got *ret, struct why *why)
{
	return report_auth_key(h, file, ret, why);
}

static void check(const struct why *why)
{
	for (const char *s = why->text; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const long statuses[] = { 200, 400, 401, 403, 404, 409,
					 413, 429, 500, 503, 302, 407 };
	static struct config c = { .scc = { .source = "organizations/1/"
						      "sources/2",
					    .api = 2 } };
	struct report_event e = { .id = "0123456789abcdef0123456789abcdef" };
	struct report_auth auth = { .get = from_metadata };
	struct scc s = { &c, NULL, &auth, 0 };
	struct report_auth_got got;
	struct http_reply r;
	char name[REPORT_META_MAX > CONFIG_TEXT ? REPORT_META_MAX
						: CONFIG_TEXT];
	struct why why = { "" };
	unsigned after;

	if (!len)
		return 0;
	reply = data + 1;
	reply_len = len - 1;
	reply_status = statuses[data[0] % 12];
	http_do(NULL, &(struct http_request){ .url = "x" }, &r, &why);
	if (!report_auth_reply(&r, "x", &got, &why) &&
	    !report_json_plain(got.token, REPORT_AUTH_TOKEN))
		abort();
	scc_explain(&s, &r, &why);
	check(&why);
	auth.got.seconds = INT64_MAX;
	e.finding = json_tokener_parse("{\"category\":\"c\",\"eventTime\":"
				       "\"t\",\"sourceProperties\":{\"a\":1}}");
	scc_deliver(&s, &e, &after, &why);
	check(&why);
	e.kind = REPORT_CLOSE;
	scc_deliver(&s, &e, &after, &why);
	json_object_put(e.finding);
	if (!scc_setup(&s, "1", name, &why) &&
	    strncmp(name, "organizations/1/sources/", 24))
		abort();
	if (!report_meta_resource(NULL, name, &why) &&
	    !report_json_plain(name, REPORT_META_MAX))
		abort();
	check(&why);
	return 0;
}
