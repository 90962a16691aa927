/* config_values.c - what each kind of key may hold: read, shown, named. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "config_keys.h"

static bool is_findings_file(const struct config_key *k)
{
	return !config_key_excludes(k) &&
	       k->offset == offsetof(struct config, findings.file);
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

/* No control character; UTF-8 is not looked into. */
static bool is_printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

/* Tokens travel there: https, or http to this machine itself. */
static bool is_url(const char *s)
{
	static const char *const local[] = { "http://127.0.0.1",
					     "http://localhost",
					     "http://[::1]" };
	size_t n;

	for (size_t i = 0; s[i]; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f ||
		    strchr("\"'<>\\^`{|}@?#", s[i]))
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

/* "2.5" in thousandths; no sign, exponent or more digits than that. */
static bool read_decimal(const char *s, const struct config_key *k, double *ret)
{
	uint64_t n = 0;
	int digits = -1; /* behind the point */

	if (!isdigit((unsigned char)*s))
		return false;
	for (; *s; s++) {
		if (*s == '.' && digits < 0 && s[1]) {
			digits = 0;
			continue;
		}
		if (!isdigit((unsigned char)*s) || digits == 3 || n > 1000000)
			return false;
		n = 10 * n + (uint64_t)(*s - '0');
		digits += digits >= 0;
	}
	for (; digits < 3; digits += digits < 0 ? 2 : 1)
		n *= 10;
	if (n < k->first || n > k->last)
		return false;
	*ret = (double)n / 1000;
	return true;
}

/* Seconds, or with s, m or h. */
static bool read_duration(const char *s, const struct config_key *k,
			  uint64_t *ret)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (errno || n > k->last)
		return false;
	if (*end) {
		n *= *end == 'h' ? 3600 : *end == 'm' ? 60 : 1;
		if (!strchr("smh", *end++) || *end)
			return false;
	}
	if (n < k->first || n > k->last)
		return false;
	*ret = n * 1000000000;
	return true;
}

/* A day of the Gregorian calendar, as ISO 8601 writes it. */
static bool is_date(const char *s)
{
	static const char form[] = "dddd-dd-dd";
	struct tm tm = { .tm_isdst = 0 }, again;
	time_t t;

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)s[i])
				   : s[i] != form[i])
			return false;
	tm.tm_year = atoi(s) - 1900;
	tm.tm_mon = atoi(s + 5) - 1;
	tm.tm_mday = atoi(s + 8);
	again = tm;
	t = timegm(&again);
	return t != -1 && again.tm_mday == tm.tm_mday &&
	       again.tm_mon == tm.tm_mon;
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
	if (!is_printable(s))
		return false;
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
	case TEXT:
		return true;
	case DATE:
		return is_date(s);
	case DIGEST:
		return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
	case LABEL:
		return *s != '=' && strchr(s, '=');
	default:
		return is_word(s, strlen(s));
	}
}

bool config_key_set(void *base, const struct config_key *k, const char *value)
{
	char *field = (char *)base + k->offset;
	bool yes = !strcmp(value, "yes");

	switch (k->type) {
	case YES:
		*(bool *)field = yes;
		return yes || !strcmp(value, "no");
	case SIZE:
		return read_size(value, k, (uint64_t *)(void *)field);
	case CHOICE:
		return read_choice(value, k, (uint64_t *)(void *)field);
	case DECIMAL:
		return read_decimal(value, k, (double *)(void *)field);
	case DURATION:
		return read_duration(value, k, (uint64_t *)(void *)field);
	default:
		if (!is_text(value, k) || strlen(value) >= k->size)
			return false;
		memcpy(field, value, strlen(value) + 1);
		return true;
	}
}

static const uint64_t times[] = { 3600, 60, 1 };

/* @n in the largest unit that divides it. */
static void show_number(uint64_t n, const char *units, const uint64_t *sizes,
			char *ret, size_t cap)
{
	size_t i = 0;

	while (units[i] && (!n || n % sizes[i]))
		i++;
	snprintf(ret, cap, "%llu%.1s",
		 (unsigned long long)(units[i] ? n / sizes[i] : n), units + i);
}

const char *config_key_show(const void *base, const struct config_key *k,
			    char *ret, size_t cap)
{
	static const uint64_t sizes[] = { 1 << 30, 1 << 20, 1 << 10 };
	const void *field = (const char *)base + k->offset;
	const uint64_t *number = field;
	int n;

	switch (k->type) {
	case YES:
		return *(const bool *)field ? "yes" : "no";
	case CHOICE:
		return k->words[*number - k->first];
	case SIZE:
		show_number(*number, "GMK", sizes, ret, cap);
		return ret;
	case DURATION:
		show_number(*number / 1000000000, "hms", times, ret, cap);
		return ret;
	case DECIMAL:
		n = snprintf(ret, cap, "%.3f", *(const double *)field);
		while (ret[n - 1] == '0' || ret[n - 1] == '.')
			if (ret[--n] == '.')
				break;
		ret[n] = '\0';
		return ret;
	default:
		return field;
	}
}

void config_key_allowed(const struct config_key *k, char *ret, size_t cap)
{
	char text[2][24];

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
	case DECIMAL:
		snprintf(ret, cap, "%g to %g", (double)k->first / 1000,
			 (double)k->last / 1000);
		break;
	case DURATION:
		show_number(k->first, "hms", times, text[0], sizeof(text[0]));
		show_number(k->last, "hms", times, text[1], sizeof(text[1]));
		snprintf(ret, cap, "%s to %s, in s, m or h", text[0], text[1]);
		break;
	case TEXT:
		snprintf(ret, cap, "text of at most %zu bytes", k->size - 1);
		break;
	case DATE:
		snprintf(ret, cap, "a day: YYYY-MM-DD");
		break;
	case DIGEST:
		snprintf(ret, cap, "64 hex digits in lower case");
		break;
	case LABEL:
		snprintf(ret, cap, "KEY=VALUE");
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
