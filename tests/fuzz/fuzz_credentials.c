/* Credentials files, and what the servers that they name answer.  The input's
 * lines: the file; the token's file; replies, whose first letter chooses the
 * status, one for each request and the last for all that follow.
 * -ljson-c -lcrypto */
#include <assert.h>
#include <sys/mman.h>
#include "text.c"
#include "report_json.c"
#include "report_meta.c"
#include "report_auth.c"
#include "report_auth_key.c"
#include "report_auth_external.c"

#define PIECES 6

static struct piece {
	const uint8_t *at;
	size_t len;
} pieces[PIECES];
static size_t n_pieces, replies;

/* In place of http.c.  Nothing is asked of whom report_auth_url() refuses. */
int http_do(struct http *h, const struct http_request *r,
	    struct http_reply *ret, struct why *why)
{
	static const long statuses[] = { 200, 400, 403, 404, 429, 503 };
	static char body[1 << 16];
	size_t i = 2 + replies < n_pieces ? 2 + replies++ : n_pieces - 1;
	struct piece p = pieces[i];

	(void)h;
	(void)why;
	assert(report_auth_url(r->url) || strstr(r->url, "/computeMetadata/"));
	for (size_t k = 0; k < 3 && r->headers[k]; k++)
		assert(!strpbrk(r->headers[k], "\r\n"));
	assert(!r->token || report_json_plain(r->token, REPORT_AUTH_TOKEN));
	assert(!r->body || strlen(r->body) == r->len);
	*ret = (struct http_reply){ .status = 200, .body = body };
	if (p.len) {
		ret->status = statuses[p.at[0] % 6];
		ret->len = p.len - 1 < sizeof(body) - 1 ? p.len - 1
							: sizeof(body) - 1;
		memcpy(body, p.at + 1, ret->len);
	}
	body[ret->len] = 0;
	return 0;
}

/* In place of what opens files: the first is the credentials. */
int config_open_safe(const char *path, bool secret, struct why *why)
{
	struct piece p = pieces[strcmp(path, "\x01") ? 1 : 0];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	(void)why;
	assert(secret);
	assert(write(fd, p.at, p.len) == (ssize_t)p.len);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void check(const struct why *why)
{
	for (const char *s = why->text; *s; s++)
		assert((unsigned char)*s >= 0x20 && *s != 0x7f);
}

static void cut(const uint8_t *data, size_t len)
{
	memset(pieces, 0, sizeof(pieces));
	for (n_pieces = 0; n_pieces < PIECES; n_pieces++) {
		const uint8_t *end = memchr(data, '\n', len);
		size_t n = end && n_pieces < PIECES - 1 ? (size_t)(end - data)
							: len;

		pieces[n_pieces] = (struct piece){ data, n };
		data += n + (n < len);
		len -= n + (n < len);
	}
	replies = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct config c = { .scc = { .credentials = "\x01" } };
	struct report_auth *auth = NULL;
	struct why why = { "" };
	const char *token, *email;

	cut(data, len);
	if (report_auth_open(&c, NULL, &auth, &why)) {
		check(&why);
		return 0;
	}
	email = report_auth_email(auth);
	assert(report_json_plain(email, REPORT_META_MAX));
	for (int i = 0; i < 2; i++) {
		if (!report_auth_token(auth, &token, &why))
			assert(report_json_plain(token, REPORT_AUTH_TOKEN));
		check(&why);
		report_auth_forget(auth);
	}
	report_auth_close(auth);
	return 0;
}
