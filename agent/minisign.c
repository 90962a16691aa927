/* minisign.c - Ed25519 signatures in minisign's file format. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "minisign.h"

#define UNTRUSTED "untrusted comment: "
#define TRUSTED	  "trusted comment: "

static EVP_MD *blake2b;

/* ---- its text -------------------------------------------------------- */

struct lines {
	const char *at, *end;
};

/* The next line without its end; false: there is none. */
static bool next_line(struct lines *l, const char **ret, size_t *ret_len)
{
	const char *end;

	if (l->at == l->end)
		return false;
	end = memchr(l->at, '\n', (size_t)(l->end - l->at));
	*ret = l->at;
	*ret_len = (size_t)((end ? end : l->end) - l->at);
	l->at = end ? end + 1 : l->end;
	if (*ret_len && (*ret)[*ret_len - 1] == '\r')
		--*ret_len;
	return true;
}

static int sextet(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Exactly @n bytes, in the one way to write them. */
static bool base64(const char *s, size_t len, uint8_t *ret, size_t n)
{
	uint32_t bits = 0;
	size_t got = 0, pad = (3 - n % 3) % 3;
	unsigned n_bits = 0;

	if (len != (n + 2) / 3 * 4)
		return false;
	for (size_t i = 0; i < len - pad; i++) {
		int v = sextet(s[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			ret[got++] = (uint8_t)(bits >> n_bits);
		}
	}
	for (size_t i = len - pad; i < len; i++)
		if (s[i] != '=')
			return false;
	return got == n && !(bits & ((1U << n_bits) - 1));
}

static bool begins(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && !memcmp(line, with, strlen(with));
}

int minisign_read_key(const char *text, size_t len, struct minisign_key *ret,
		      struct why *why)
{
	struct lines l = { text, text + len };
	uint8_t bytes[42];
	const char *line;
	size_t n;

	if (!next_line(&l, &line, &n) || !begins(line, n, UNTRUSTED) ||
	    !next_line(&l, &line, &n) ||
	    !base64(line, n, bytes, sizeof(bytes)) || l.at != l.end)
		return why_set(why, -EBADMSG,
			       "is no public key of minisign: a comment and "
			       "56 characters of base64");
	if (memcmp(bytes, "Ed", 2))
		return why_set(why, -EBADMSG, "is no Ed25519 key");
	memcpy(ret->id, bytes + 2, 8);
	memcpy(ret->bytes, bytes + 10, 32);
	return 0;
}

static bool is_plain_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}

int minisign_read_signature(const char *text, size_t len,
			    struct minisign_signature *ret, struct why *why)
{
	struct minisign_signature s = { 0 };
	struct lines l = { text, text + len };
	uint8_t bytes[74];
	const char *line;
	size_t n;

	if (!next_line(&l, &line, &n) || !begins(line, n, UNTRUSTED) ||
	    !next_line(&l, &line, &n) ||
	    !base64(line, n, bytes, sizeof(bytes)))
		return why_set(why, -EBADMSG,
			       "is no signature of minisign, or cut off");
	s.hashed = bytes[1] == 'D';
	if (bytes[0] != 'E' || (bytes[1] != 'd' && bytes[1] != 'D'))
		return why_set(why, -EBADMSG, "is of another algorithm than "
					      "Ed25519");
	memcpy(s.id, bytes + 2, 8);
	memcpy(s.bytes, bytes + 10, 64);
	if (!next_line(&l, &line, &n) || !begins(line, n, TRUSTED))
		return why_set(why, -EBADMSG, "has no trusted comment");
	line += strlen(TRUSTED);
	n -= strlen(TRUSTED);
	if (n > MINISIGN_COMMENT || !is_plain_text(line, n))
		return why_set(why, -EBADMSG,
			       "has a trusted comment that is too long, or "
			       "not of plain text");
	memcpy(s.comment, line, n);
	if (!next_line(&l, &line, &n) ||
	    !base64(line, n, s.global, sizeof(s.global)) || l.at != l.end)
		return why_set(why, -EBADMSG,
			       "lacks the signature of its comment");
	*ret = s;
	return 0;
}

void minisign_key_name(const uint8_t id[static 8], char ret[static 17])
{
	for (size_t i = 0; i < 8; i++)
		snprintf(ret + 2 * i, 3, "%02X", id[7 - i]);
}

/* ---- its arithmetic -------------------------------------------------- */

static bool is_signed(const struct minisign_key *key, const uint8_t *bytes,
		      size_t len, const uint8_t signature[static 64])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(
		EVP_PKEY_ED25519, NULL, key->bytes, sizeof(key->bytes));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is = pkey && context &&
		  EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
		  EVP_DigestVerify(context, signature, 64, bytes, len) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	return is;
}

int minisign_begin(void)
{
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG |
					 OPENSSL_INIT_NO_ATEXIT,
				 NULL))
		return -ENOSYS;
	if (!blake2b)
		blake2b = EVP_MD_fetch(NULL, "BLAKE2B-512", NULL);
	/* The first key makes OpenSSL look for the algorithm. */
	is_signed(&(struct minisign_key){ 0 }, (const uint8_t *)"", 0,
		  (uint8_t[64]){ 0 });
	return blake2b ? 0 : -ENOSYS;
}

static bool file_is_signed(const struct minisign_signature *s,
			   const struct minisign_key *key,
			   const uint8_t *file, size_t len)
{
	uint8_t digest[64];
	unsigned n = 0;

	if (!s->hashed)
		return is_signed(key, file, len, s->bytes);
	return EVP_Digest(file, len, digest, &n, blake2b, NULL) == 1 &&
	       n == sizeof(digest) &&
	       is_signed(key, digest, sizeof(digest), s->bytes);
}

static bool comment_is_signed(const struct minisign_signature *s,
			      const struct minisign_key *key)
{
	uint8_t both[64 + MINISIGN_COMMENT];
	size_t n = strlen(s->comment);

	memcpy(both, s->bytes, 64);
	memcpy(both + 64, s->comment, n);
	return is_signed(key, both, 64 + n, s->global);
}

int minisign_verify(const struct minisign_signature *s, const uint8_t *file,
		    size_t len, const struct minisign_key *keys, size_t n,
		    struct why *why)
{
	char name[17];
	bool known = false;

	minisign_key_name(s->id, name);
	for (size_t i = 0; i < n; i++) {
		if (memcmp(keys[i].id, s->id, sizeof(s->id)))
			continue;
		known = true;
		if (!file_is_signed(s, &keys[i], file, len))
			continue;
		if (comment_is_signed(s, &keys[i]))
			return 0;
		return why_set(why, -EKEYREJECTED,
			       "the trusted comment is not the one that key "
			       "%s signed",
			       name);
	}
	if (!known)
		return why_set(why, -EKEYREJECTED,
			       "it is signed by key %s, which is none of the "
			       "%zu that are trusted here",
			       name, n);
	return why_set(why, -EKEYREJECTED,
		       "the file is not the one that key %s signed", name);
}
