/* dns.c - what a DNS answer says of addresses (RFC 1035, section 4). */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "dns.h"

#define HEADER	12
#define JUMPS	16 /* of compression, in one name */
#define RECORDS 64 /* more are not looked at */
#define ALIASES 8  /* in a row */

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, CLASS_IN = 1 };

struct message {
	const uint8_t *bytes;
	size_t len;
};

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

/* Appends one label to @ret, of which @at are used; 0 if it does not fit. */
static size_t put_label(const uint8_t *label, size_t len, char *ret, size_t at)
{
	if (at && at < DNS_NAME - 1)
		ret[at++] = '.';
	for (size_t i = 0; i < len; i++) {
		unsigned char c = label[i];

		if (at + 5 > DNS_NAME)
			return 0;
		if (isascii(c) && (isalnum(c) || c == '-' || c == '_'))
			ret[at++] = (char)tolower(c);
		else
			at += (size_t)snprintf(ret + at, 5, "\\%03u", c);
	}
	return at;
}

/* Reads the name at @at.  Returns where it ends in the message, 0 if it is no
 * name.  Pointers lead backwards only, and not endlessly. */
static size_t get_name(const struct message *m, size_t at, char ret[DNS_NAME])
{
	size_t end = 0, n = 0, before = at;

	for (int jumps = 0; at < m->len;) {
		unsigned len = m->bytes[at];

		if (!len) {
			ret[n] = '\0';
			return end ? end : at + 1;
		}
		if (len >= 0xc0) {
			if (at + 2 > m->len || ++jumps > JUMPS)
				return 0;
			end = end ? end : at + 2;
			at = get16(m->bytes + at) & 0x3fff;
			if (at >= before)
				return 0;
			before = at;
			continue;
		}
		if (len > 63 || at + 1 + len > m->len)
			return 0;
		n = put_label(m->bytes + at + 1, len, ret, n);
		if (!n)
			return 0;
		at += 1 + len;
	}
	return 0;
}

struct record {
	char name[DNS_NAME];
	unsigned type;
	size_t data, data_len, end;
};

static bool get_record(const struct message *m, size_t at, struct record *ret)
{
	const uint8_t *fixed;

	at = get_name(m, at, ret->name);
	if (!at || at + 10 > m->len)
		return false;
	fixed = m->bytes + at;
	ret->type = get16(fixed + 2) == CLASS_IN ? get16(fixed) : 0;
	ret->data = at + 10;
	ret->data_len = get16(fixed + 8);
	ret->end = ret->data + ret->data_len;
	return ret->end <= m->len;
}

struct search {
	const struct message *message;
	size_t first; /* record */
	unsigned n;   /* records */
	const char *asked;
	void (*take)(void *user, const char *name, int family,
		     const uint8_t *address);
	void *user;
};

/* Hands over the addresses of @name; *alias becomes what it is another name
 * of, "" if of nothing. */
static size_t find(const struct search *s, const char *name,
		   char alias[DNS_NAME])
{
	const struct message *m = s->message;
	size_t at = s->first, found = 0;
	struct record r;

	alias[0] = '\0';
	for (unsigned i = 0; i < s->n && get_record(m, at, &r); i++) {
		at = r.end;
		if (strcmp(r.name, name))
			continue;
		if (r.type == TYPE_CNAME && !get_name(m, r.data, alias))
			alias[0] = '\0';
		if ((r.type == TYPE_A && r.data_len == 4) ||
		    (r.type == TYPE_AAAA && r.data_len == 16)) {
			s->take(s->user, s->asked,
				r.type == TYPE_A ? AF_INET : AF_INET6,
				m->bytes + r.data);
			found++;
		}
	}
	return found;
}

size_t dns_answers(const uint8_t *message, size_t len,
		   void (*take)(void *user, const char *name, int family,
				const uint8_t *address),
		   void *user)
{
	struct message m = { message, len };
	char asked[DNS_NAME], name[DNS_NAME], alias[DNS_NAME];
	struct search s = { &m, 0, 0, asked, take, user };
	size_t found = 0;

	/* A response, one question, no error. */
	if (len < HEADER || !(message[2] & 0x80) || message[3] & 15 ||
	    get16(message + 4) != 1)
		return 0;
	s.n = get16(message + 6);
	s.n = s.n < RECORDS ? s.n : RECORDS;
	s.first = get_name(&m, HEADER, asked);
	if (!s.first || !asked[0])
		return 0;
	s.first += 4; /* type and class */
	memcpy(name, asked, sizeof(name));
	for (int i = 0; i < ALIASES && !found && name[0]; i++) {
		found = find(&s, name, alias);
		memcpy(name, alias, sizeof(name));
	}
	return found;
}
