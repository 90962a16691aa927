/* config_keys.c - the table of keys and what each may hold. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "config_keys.h"

#define KEY(s, n, t, i, h, ...)                                       \
	{                                                             \
		.section = #s, .name = #n, .type = t,                 \
		.offset = offsetof(struct config, s.n), .initial = i, \
		.help = h, __VA_ARGS__                                \
	}
#define FORMATS .words = { "scc", "ocsf", "ecs" }, .first = FORMAT_SCC

const struct config_key config_keys[] = {
	KEY(scc, source, SOURCE, "",
	    "organizations/O/sources/S; made by: davylamp report setup"),
	KEY(scc, location, WORD, "global",
	    "where findings live: global, us, eu, sa"),
	KEY(scc, endpoint, URL, "", "another address of the API than Google's"),
	KEY(scc, api, CHOICE, "v2", "version of the API",
	    .words = { "v1", "v2" }, .first = 1),
	KEY(scc, credentials, PATH, "",
	    "key file of a service account or of workload identity; empty: "
	    "the VM's own service account"),
	KEY(scc, resource, RESOURCE, "",
	    "full name of this machine; empty: ask the metadata server"),
	KEY(scc, writes_per_minute, SIZE, "60",
	    "at most; a project's quota is 1000 for all its agents", .first = 1,
	    .last = 100000),
	KEY(spool, path, PATH, "/var/lib/davylamp/spool",
	    "where findings wait"),
	KEY(spool, max_bytes, SIZE, "64M",
	    "room for them; the oldest of the lowest severity goes first",
	    .first = 1 << 20, .last = 1ULL << 40),
	KEY(findings, file, PATH, "/var/log/davylamp/findings.jsonl",
	    "JSON Lines, one previous file of 16 MiB kept; - is stdout, none "
	    "is no file"),
	KEY(findings, format, CHOICE, "scc", "of that file", FORMATS),
	KEY(findings, journal, YES, "yes", "one structured entry per finding"),
	KEY(findings, environment, YES, "no",
	    "put the process's environment into findings; it can hold secrets"),
	KEY(findings, state, PATH, "/var/lib/davylamp/state",
	    "folder of root alone where open findings are remembered"),
	KEY(pubsub, topic, TOPIC, "", "projects/P/topics/T"),
	KEY(pubsub, endpoint, URL, "https://pubsub.googleapis.com",
	    "another address of the API"),
	KEY(pubsub, format, CHOICE, "scc",
	    "of the messages; scc is the shape of SCC's own notifications",
	    FORMATS),
};

const size_t config_n_keys = sizeof(config_keys) / sizeof(config_keys[0]);

/* ---- values ----------------------------------------------------------- */

static bool is_findings_file(const struct config_key *k)
{
	return k->offset == offsetof(struct config, findings.file);
}

static bool is_word(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("-_.:~+%", s[i]))
			return false;
	return len > 0;
}

/* "a/X/b/Y" where X and Y are words, against @form "a/ /b/ ". */
static bool is_name(const char *s, const char *form)
{
	size_t n;

	for (; *form; form++) {
		if (*form != ' ') {
			if (*s++ != *form)
				return false;
			continue;
		}
		n = strcspn(s, "/");
		if (!is_word(s, n))
			return false;
		s += n;
	}
	return !*s;
}

/* Tokens travel there: https, or http to this machine itself. */
static bool is_url(const char *s)
{
	static const char *const local[] = { "http://127.0.0.1",
					     "http://localhost",
					     "http://[::1]" };
	size_t n;

	if (strpbrk(s, " \t\"'<>\\^`{|}@?#"))
		return false;
	if (!strncmp(s, "https://", 8))
		return isalnum((unsigned char)s[8]) || s[8] == '[';
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		n = strlen(local[i]);
		if (!strncmp(s, local[i], n) && strchr(":/", s[n]))
			return true;
	}
	return false;
}

static bool read_size(const char *s, const struct config_key *k, uint64_t *ret)
{
	static const char units[] = "KMG";
	unsigned long long n;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (errno)
		return false;
	if (*end && (unit = strchr(units, *end)) && !end[1]) {
		unsigned shift = 10 * (unsigned)(unit - units + 1);

		if (n >> (64 - shift))
			return false;
		n <<= shift;
		end++;
	}
	if (*end || n < k->first || n > k->last)
		return false;
	*ret = n;
	return true;
}

static bool read_choice(const char *s, const struct config_key *k,
			uint64_t *ret)
{
	for (size_t i = 0; i < 4 && k->words[i]; i++)
		if (!strcmp(s, k->words[i])) {
			*ret = k->first + i;
			return true;
		}
	return false;
}

static bool is_text(const char *s, const struct config_key *k)
{
	if (!*s)
		return true;
	switch (k->type) {
	case PATH:
		return *s == '/' || (is_findings_file(k) &&
				     (!strcmp(s, "-") || !strcmp(s, "none")));
	case URL:
		return is_url(s);
	case SOURCE:
		return is_name(s, "organizations/ /sources/ ");
	case TOPIC:
		return is_name(s, "projects/ /topics/ ");
	case RESOURCE:
		return !strncmp(s, "//", 2) && s[2];
	default:
		return is_word(s, strlen(s));
	}
}

bool config_key_set(struct config *c, const struct config_key *k,
		    const char *value)
{
	char *field = (char *)c + k->offset;
	bool yes = !strcmp(value, "yes");

	switch (k->type) {
	case YES:
		*(bool *)field = yes;
		return yes || !strcmp(value, "no");
	case SIZE:
		return read_size(value, k, (uint64_t *)(void *)field);
	case CHOICE:
		return read_choice(value, k, (uint64_t *)(void *)field);
	default:
		if (!is_text(value, k) || strlen(value) >= CONFIG_TEXT)
			return false;
		memcpy(field, value, strlen(value) + 1);
		return true;
	}
}

void config_key_allowed(const struct config_key *k, char *ret, size_t cap)
{
	switch (k->type) {
	case YES:
		snprintf(ret, cap, "yes or no");
		break;
	case SIZE:
		snprintf(ret, cap, "%llu to %llu, with K, M or G for 1024s",
			 (unsigned long long)k->first,
			 (unsigned long long)k->last);
		break;
	case CHOICE:
		snprintf(ret, cap, "%s, %s%s%s", k->words[0], k->words[1],
			 k->words[2] ? ", " : "",
			 k->words[2] ? k->words[2] : "");
		break;
	case PATH:
		snprintf(ret, cap, "an absolute path%s",
			 is_findings_file(k) ? ", - or none" : "");
		break;
	case URL:
		snprintf(ret, cap, "https://HOST (http only to 127.0.0.1)");
		break;
	case SOURCE:
		snprintf(ret, cap, "organizations/ORGANIZATION/sources/SOURCE");
		break;
	case TOPIC:
		snprintf(ret, cap, "projects/PROJECT/topics/TOPIC");
		break;
	case RESOURCE:
		snprintf(ret, cap,
			 "//SERVICE/NAME, as in "
			 "//compute.googleapis.com/projects/...");
		break;
	default:
		snprintf(ret, cap, "letters, digits and - _ .");
	}
}
