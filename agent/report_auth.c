/* report_auth.c - the token cache and what it is filled from. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "report_auth_own.h"
#include "report_json.h"
#include "report_meta.h"
#include "text.h"

#define SPARE_S	 225 /* as Google's own clients: refresh 3 min 45 s early */
#define FILE_MAX (64u << 10)

struct report_auth {
	struct http *http;
	json_object *file; /* NULL: metadata server */
	int (*get)(struct http *, json_object *, struct report_auth_got *,
		   struct why *);
	struct report_auth_got got; /* seconds: of CLOCK_BOOTTIME, 0: none */
	char email[REPORT_META_MAX];
};

static int64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

bool report_auth_url(const char *url)
{
	static const char *const good[] = {
		"https://",
		"http://127.0.0.1:", "http://localhost:", "http://[::1]:"
	};

	if (!report_json_plain(url, 512) || strchr(url, '@'))
		return false;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!strncmp(url, good[i], strlen(good[i])))
			return true;
	return false;
}

char *report_auth_file(const char *path, size_t *ret_len, struct why *why)
{
	char *text = NULL, shown[160];
	size_t len = 0;
	ssize_t n = 0;
	int fd = config_open_safe(path, true, why);

	if (fd < 0)
		return NULL;
	text = malloc(FILE_MAX + 1);
	while (text && len < FILE_MAX &&
	       (n = read(fd, text + len, FILE_MAX - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (!text || n < 0 || len == FILE_MAX) {
		why_set(why, 0, "%s: can not be read, or is over 64 KiB",
			text_escape_str(path, shown, sizeof(shown)));
		free(text);
		return NULL;
	}
	text[len] = 0;
	*ret_len = len;
	return text;
}

/* ---- replies --------------------------------------------------------- */

static int refused(const struct http_reply *r, json_object *o, const char *what,
		   struct why *why)
{
	const char *error = report_json_text(o, "error");
	const char *about = report_json_text(o, "error_description");
	bool grant = error && !strcmp(error, "invalid_grant");
	char shown[2][160];

	return why_set(
		why, r->status >= 500 || r->status == 429 ? -EAGAIN : -EACCES,
		"%s: no token: status %ld %s %s%s", what, r->status,
		text_escape_str(error ? error : "", shown[0], sizeof(shown[0])),
		text_escape_str(about ? about : "", shown[1], sizeof(shown[1])),
		grant ? ": the key was deleted or the clock is wrong: "
			"gcloud iam service-accounts keys list "
			"--iam-account=EMAIL; timedatectl"
		      : "");
}

int report_auth_reply(const struct http_reply *r, const char *what,
		      struct report_auth_got *ret, struct why *why)
{
	json_object *o = report_json_parse(r->body, r->len);
	const char *token = report_json_text(o, "access_token");
	int64_t seconds = report_json_int(o, "expires_in");
	int err = 0;

	if (r->status != 200)
		err = refused(r, o, what, why);
	else if (!token || !report_json_plain(token, REPORT_AUTH_TOKEN))
		err = why_set(why, -EPROTO,
			      "%s: the answer holds no token: something "
			      "stands in between",
			      what);
	else {
		snprintf(ret->token, sizeof(ret->token), "%s", token);
		ret->seconds = seconds > 0 && seconds < 86400 ? seconds : 300;
	}
	json_object_put(o);
	return err;
}

int report_auth_post(struct http *h, const char *url, const char *form,
		     const char *what, struct report_auth_got *ret,
		     struct why *why)
{
	struct http_request r = {
		.method = "POST",
		.url = url,
		.headers = { "Content-Type: "
			     "application/x-www-form-urlencoded" },
		.body = form,
		.len = strlen(form),
	};
	struct http_reply reply;
	int err = http_do(h, &r, &reply, why);

	return err ? err : report_auth_reply(&reply, what, ret, why);
}

/* ---- the VM's own account -------------------------------------------- */

static int no_account(struct http *h, struct why *why)
{
	char name[REPORT_META_MAX], zone[REPORT_META_MAX];
	const char *z;

	if (report_meta_text(h, "instance/name", name, NULL))
		strcpy(name, "INSTANCE");
	if (report_meta_text(h, "instance/zone", zone, NULL))
		strcpy(zone, "ZONE");
	z = strrchr(zone, '/');
	z = z ? z + 1 : zone;
	return why_set(why, -EACCES,
		       "this VM has no service account: gcloud compute "
		       "instances stop %.63s --zone=%.63s && gcloud compute "
		       "instances set-service-account %.63s --zone=%.63s "
		       "--service-account=EMAIL --scopes=cloud-platform",
		       name, z, name, z);
}

static int from_metadata(struct http *h, json_object *file,
			 struct report_auth_got *ret, struct why *why)
{
	struct http_reply reply;
	int err;

	(void)file;
	err = report_meta_get(h, "instance/service-accounts/default/token",
			      &reply, why);
	if (err)
		return err;
	if (reply.status == 404)
		return no_account(h, why);
	return report_auth_reply(&reply, "metadata server", ret, why);
}

/* ---- the cache ------------------------------------------------------- */

static int read_file(struct report_auth *a, const char *path, struct why *why)
{
	const char *type, *email;
	char *text, shown[64], name[160];
	size_t len;

	text = report_auth_file(path, &len, why);
	if (!text)
		return -EACCES;
	a->file = report_json_parse(text, len);
	explicit_bzero(text, len);
	free(text);
	type = report_json_text(a->file, "type");
	if (type && !strcmp(type, "service_account"))
		a->get = report_auth_key;
	else if (type && !strcmp(type, "external_account"))
		a->get = report_auth_external;
	else
		return why_set(
			why, -EINVAL,
			"%s: type '%s': must be the JSON of a "
			"service_account key or an external_account: "
			"gcloud iam service-accounts keys create %s "
			"--iam-account=EMAIL",
			text_escape_str(path, name, sizeof(name)),
			text_escape_str(type ? type : "", shown, sizeof(shown)),
			name);
	email = report_json_text(a->file, "client_email");
	if (email && report_json_plain(email, sizeof(a->email)))
		snprintf(a->email, sizeof(a->email), "%s", email);
	return 0;
}

int report_auth_open(const struct config *config, struct http *h,
		     struct report_auth **ret, struct why *why)
{
	struct report_auth *a = calloc(1, sizeof(*a));
	int err = 0;

	if (!a)
		return -ENOMEM;
	a->http = h;
	a->get = from_metadata;
	if (config->scc.credentials[0])
		err = read_file(a, config->scc.credentials, why);
	if (err) {
		report_auth_close(a);
		return err;
	}
	*ret = a;
	return 0;
}

void report_auth_close(struct report_auth *a)
{
	if (!a)
		return;
	json_object_put(a->file);
	explicit_bzero(&a->got, sizeof(a->got));
	free(a);
}

int report_auth_token(struct report_auth *a, const char **ret, struct why *why)
{
	int err;

	if (a->got.seconds <= now_s()) {
		a->got.seconds = 0;
		err = a->get(a->http, a->file, &a->got, why);
		if (err)
			return err;
		/* A token that is short from the start serves half its time. */
		if (a->got.seconds > 2 * SPARE_S)
			a->got.seconds -= SPARE_S;
		else
			a->got.seconds /= 2;
		a->got.seconds += now_s();
	}
	*ret = a->got.token;
	return 0;
}

void report_auth_forget(struct report_auth *a)
{
	a->got.seconds = 0;
}

const char *report_auth_email(struct report_auth *a)
{
	if (!a->email[0] && !a->file &&
	    report_meta_text(a->http, "instance/service-accounts/default/email",
			     a->email, NULL))
		a->email[0] = 0;
	return a->email[0] ? a->email : "SERVICE_ACCOUNT";
}
