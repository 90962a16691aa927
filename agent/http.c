/* http.c - libcurl, kept short. */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "http.h"
#include "text.h"

#define HEADERS_MAX (64u << 10)

struct http {
	CURL *curl;
	char *body;
	size_t len, cap, header_bytes;
	bool too_large;
	unsigned retry_after_s;
	bool from_metadata;
	char error[CURL_ERROR_SIZE];
};

static size_t on_body(char *bytes, size_t one, size_t n, void *user)
{
	struct http *h = user;
	size_t cap = 2 * (h->len + n + 1);
	char *more;

	(void)one;
	if (h->len + n > HTTP_BODY_MAX) {
		h->too_large = true;
		return 0;
	}
	if (h->len + n + 1 > h->cap) {
		more = realloc(h->body, cap);
		if (!more)
			return 0;
		h->body = more;
		h->cap = cap;
	}
	memcpy(h->body + h->len, bytes, n);
	h->len += n;
	return n;
}

/* The value of header @name in @line, NUL-terminated in @ret. */
static bool header_is(const char *line, size_t n, const char *name,
		      char ret[static 64])
{
	size_t at = strlen(name), end = n;

	if (n <= at || strncasecmp(line, name, at) || line[at] != ':')
		return false;
	for (at++; at < n && strchr(" \t", line[at]); at++)
		;
	while (end > at && strchr(" \t\r\n", line[end - 1]))
		end--;
	if (end - at >= 64)
		return false;
	memcpy(ret, line + at, end - at);
	ret[end - at] = 0;
	return true;
}

static size_t on_header(char *line, size_t one, size_t n, void *user)
{
	struct http *h = user;
	char value[64], *end;
	unsigned long s;

	(void)one;
	h->header_bytes += n;
	if (h->header_bytes > HEADERS_MAX) {
		h->too_large = true;
		return 0;
	}
	if (n > 5 && !strncasecmp(line, "HTTP/", 5)) {
		h->retry_after_s = 0; /* an interim reply went before */
		h->from_metadata = false;
	} else if (header_is(line, n, "retry-after", value)) {
		s = strtoul(value, &end, 10);
		if (*value >= '0' && *value <= '9' && !*end && s < 86400)
			h->retry_after_s = (unsigned)s;
	} else if (header_is(line, n, "metadata-flavor", value)) {
		h->from_metadata = !strcmp(value, "Google");
	}
	return n;
}

int http_open(struct http **ret, struct why *why)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h || curl_global_init(CURL_GLOBAL_DEFAULT) ||
	    !(h->curl = curl_easy_init())) {
		free(h);
		return why_set(why, -ENOMEM, "libcurl can not start");
	}
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	curl_global_cleanup();
	free(h->body);
	free(h);
}

/* "https://host:port" of @url, for messages. */
static const char *host_of(const char *url, char ret[static 160])
{
	const char *s = strstr(url, "://");

	s = s ? s + 3 : url;
	return text_escape(url, (size_t)(s - url) + strcspn(s, "/?"), ret, 160);
}

static int explain(struct http *h, const char *url, CURLcode code,
		   struct why *why)
{
	char host[160], said[256];
	long proxy = 0;

	host_of(url, host);
	text_escape_str(h->error[0] ? h->error : curl_easy_strerror(code), said,
			sizeof(said));
	curl_easy_getinfo(h->curl, CURLINFO_HTTP_CONNECTCODE, &proxy);
	if (h->too_large)
		return why_set(why, -EMSGSIZE,
			       "%s: the reply is over %u bytes: this is not "
			       "Google's API",
			       host, HTTP_BODY_MAX);
	if (proxy == 407)
		return why_set(why, -EACCES,
			       "%s: the proxy wants a password: set "
			       "HTTPS_PROXY=http://USER:PASSWORD@PROXY:PORT in "
			       "the service's environment",
			       host);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return why_set(why, -EHOSTUNREACH,
			       "%s: the name can not be resolved (%s): check "
			       "DNS, or turn on Private Google Access for the "
			       "subnet: gcloud compute networks subnets update "
			       "SUBNET --enable-private-ip-google-access",
			       host, said);
	case CURLE_COULDNT_CONNECT:
		return why_set(why, -ECONNREFUSED,
			       "%s: no connection (%s): check firewall, proxy "
			       "and Private Google Access",
			       host, said);
	case CURLE_OPERATION_TIMEDOUT:
		return why_set(why, -ETIMEDOUT, "%s: too slow (%s)", host,
			       said);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return why_set(why, -EPROTO,
			       "%s: TLS failed (%s): a proxy that opens TLS, "
			       "or no ca-certificates, or a wrong clock",
			       host, said);
	case CURLE_OUT_OF_MEMORY:
		return why_set(why, -ENOMEM, "%s: out of memory", host);
	default:
		return why_set(why, -EIO, "%s: %s", host, said);
	}
}

static struct curl_slist *headers(const struct http_request *r)
{
	struct curl_slist *list = NULL, *more;

	for (size_t i = 0; i < 4 && r->headers[i]; i++) {
		more = curl_slist_append(list, r->headers[i]);
		if (!more) {
			curl_slist_free_all(list);
			return NULL;
		}
		list = more;
	}
	/* Do not wait for 100 Continue. */
	more = curl_slist_append(list, "Expect:");
	if (!more)
		curl_slist_free_all(list);
	return more;
}

static void set_up(struct http *h, const struct http_request *r,
		   struct curl_slist *list)
{
	unsigned deadline = r->deadline_s ? r->deadline_s : HTTP_DEADLINE_S;
	CURL *c = h->curl;

	curl_easy_reset(c); /* keeps the connections */
	curl_easy_setopt(c, CURLOPT_URL, r->url);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "davylamp/" DAVYLAMP_VERSION);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT,
			 deadline < 10 ? (long)deadline : 10L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)deadline);
	curl_easy_setopt(c, CURLOPT_MAXCONNECTS, 4L);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->error);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, h);
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (r->token) {
		curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, r->token);
	}
	if (r->direct)
		curl_easy_setopt(c, CURLOPT_PROXY, "");
	if (r->body) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)r->len);
	}
}

int http_do(struct http *h, const struct http_request *r,
	    struct http_reply *ret, struct why *why)
{
	struct curl_slist *list = headers(r);
	CURLcode code;
	long status = 0;

	if (!list)
		return why_set(why, -ENOMEM, "out of memory");
	/* What one large reply took is given back. */
	free(h->body);
	h->cap = 4096;
	h->body = malloc(h->cap);
	h->len = h->header_bytes = 0;
	h->too_large = h->from_metadata = false;
	h->retry_after_s = 0;
	h->error[0] = 0;
	set_up(h, r, list);
	code = h->body ? curl_easy_perform(h->curl) : CURLE_OUT_OF_MEMORY;
	curl_slist_free_all(list);
	if (code != CURLE_OK)
		return explain(h, r->url, code, why);
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	h->body[h->len] = 0;
	*ret = (struct http_reply){ .status = status,
				    .body = h->body,
				    .len = h->len,
				    .retry_after_s = h->retry_after_s,
				    .from_metadata = h->from_metadata };
	return 0;
}
