/* report_auth_key.c - RFC 7523: sign who we are, get a token. */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "report_auth_own.h"
#include "report_json.h"

#define GRANT                                                    \
	"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3A" \
	"jwt-bearer&assertion="
#define JWT_MAX 4096

/* base64url without padding; returns its length. */
static size_t base64url(const void *bytes, size_t len, char *ret)
{
	int n = EVP_EncodeBlock((unsigned char *)ret, bytes, (int)len);

	while (n && ret[n - 1] == '=')
		n--;
	ret[n] = 0;
	for (char *s = ret; *s; s++)
		*s = *s == '+' ? '-' : *s == '/' ? '_' : *s;
	return (size_t)n;
}

/* Never asks the terminal. */
static int no_password(char *buf, int size, int writing, void *user)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)user;
	return 0;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = NULL;

	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

/* Signature of @text, in base64url behind it. */
static int sign(const char *pem, char *text, size_t cap)
{
	EVP_PKEY *key = read_key(pem);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sig[1024];
	size_t n = sizeof(sig), len = strlen(text);
	int err = -EINVAL;

	if (key && ctx && len + 4 * sizeof(sig) / 3 + 8 < cap &&
	    EVP_PKEY_get_size(key) <= (int)sizeof(sig) &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, (unsigned char *)text, len) == 1) {
		text[len] = '.';
		base64url(sig, n, text + len + 1);
		err = 0;
	}
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return err;
}

static size_t add_part(json_object *o, char *to)
{
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t n = base64url(text, strlen(text), to);

	json_object_put(o);
	return n;
}

static int make_jwt(json_object *file, const char *audience,
		    char ret[static JWT_MAX])
{
	const char *id = report_json_text(file, "private_key_id");
	json_object *o = json_object_new_object();
	int64_t now = time(NULL);
	size_t n;

	report_json_set(o, "alg", "RS256");
	report_json_set(o, "typ", "JWT");
	if (id && strlen(id) < 128)
		report_json_set(o, "kid", id);
	n = add_part(o, ret);
	ret[n++] = '.';
	o = json_object_new_object();
	report_json_set(o, "iss", report_json_text(file, "client_email"));
	report_json_set(o, "aud", audience);
	report_json_set(o, "scope", REPORT_AUTH_SCOPE);
	json_object_object_add(o, "iat", json_object_new_int64(now));
	json_object_object_add(o, "exp", json_object_new_int64(now + 3600));
	add_part(o, ret + n);
	return sign(report_json_text(file, "private_key"), ret, JWT_MAX);
}

int report_auth_key(struct http *h, json_object *file,
		    struct report_auth_got *ret, struct why *why)
{
	const char *url = report_json_text(file, "token_uri");
	const char *email = report_json_text(file, "client_email");
	char form[sizeof(GRANT) + JWT_MAX] = GRANT;
	int err;

	if (!url)
		url = "https://oauth2.googleapis.com/token";
	if (!email || !report_json_plain(email, 320) ||
	    !report_json_text(file, "private_key") || !report_auth_url(url))
		return why_set(why, -EINVAL,
			       "key file: client_email, private_key or "
			       "token_uri is missing or wrong: gcloud iam "
			       "service-accounts keys create FILE "
			       "--iam-account=EMAIL");
	err = make_jwt(file, url, form + sizeof(GRANT) - 1);
	if (err)
		return why_set(why, err,
			       "key file: private_key is no RSA key: gcloud "
			       "iam service-accounts keys create FILE "
			       "--iam-account=%.200s",
			       email);
	return report_auth_post(h, url, form, "key file", ret, why);
}
