/* report_json.c - json-c, held tight. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report_json.h"

#define DEPTH 24

static json_object *parse(const char *text, size_t len)
{
	json_tokener *t;
	json_object *o = NULL;

	if (!len || len > INT32_MAX)
		return NULL;
	t = json_tokener_new_ex(DEPTH);
	if (!t)
		return NULL;
	json_tokener_set_flags(t, JSON_TOKENER_STRICT |
					  JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(t, text, (int)len);
	for (size_t at = json_tokener_get_parse_end(t); o && at < len; at++)
		if (!strchr(" \t\r\n", text[at]) || !text[at]) {
			json_object_put(o);
			o = NULL;
		}
	json_tokener_free(t);
	if (o && !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		o = NULL;
	}
	return o;
}

/* json-c (0.16) leaves a member away that it had no memory for, and says
 * nothing: what is not the same twice is not believed. */
json_object *report_json_parse(const char *text, size_t len)
{
	json_object *o = parse(text, len);
	json_object *again = o ? parse(text, len) : NULL;

	if (!json_object_equal(o, again)) {
		json_object_put(o);
		o = NULL;
	}
	json_object_put(again);
	return o;
}

json_object *report_json_get(json_object *o, const char *key, json_type type)
{
	json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, type))
		return NULL;
	return v;
}

const char *report_json_text(json_object *o, const char *key)
{
	json_object *v = report_json_get(o, key, json_type_string);

	return v ? json_object_get_string(v) : NULL;
}

int64_t report_json_int(json_object *o, const char *key)
{
	json_object *v = report_json_get(o, key, json_type_int);

	return v ? json_object_get_int64(v) : 0;
}

void report_json_set(json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

/* The next code point; json-c lets overlong forms, surrogates and what is
 * above U+10FFFF pass, which become U+FFFD here. */
static uint32_t code_point(const unsigned char **s)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = *s;
	uint32_t c = *p++;
	int n = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0, i = 0;

	if (n || c >= 0x80)
		c &= 0x3fu >> n;
	for (; i < n && (*p & 0xc0) == 0x80; i++)
		c = c << 6 | (*p++ & 0x3f);
	if (i < n || (!n && **s >= 0x80) || c < least[n] || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	*s = p;
	return c;
}

char *report_json_line(json_object *o, size_t *ret_len)
{
	const unsigned char *s =
		(const unsigned char *)json_object_to_json_string_ext(
			o, JSON_C_TO_STRING_PLAIN |
				   JSON_C_TO_STRING_NOSLASHESCAPE);
	char *line = s ? malloc(6 * strlen((const char *)s) + 1) : NULL;
	char *to = line;

	if (!line)
		return NULL;
	while (*s) {
		uint32_t c = code_point(&s);

		if (c >= 0x10000)
			to += sprintf(to, "\\u%04x\\u%04x",
				      0xd800 + ((c - 0x10000) >> 10 & 0x3ff),
				      0xdc00 + (c & 0x3ff));
		else if (c >= 0x7f)
			to += sprintf(to, "\\u%04x", c);
		else
			*to++ = (char)c;
	}
	*to = 0;
	*ret_len = (size_t)(to - line);
	return line;
}

bool report_json_plain(const char *s, size_t cap)
{
	size_t n = 0;

	for (; s && n < cap && s[n] > ' ' && s[n] < 0x7f; n++)
		;
	return s && n && n < cap && !s[n];
}
