/* report_json.h - JSON from strangers: small, strict, shallow, UTF-8. */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* The object that @text is, the whole of it, or NULL.  The caller owns it. */
json_object *report_json_parse(const char *text, size_t len);

/* Member @key, if it is of that type; else NULL, or 0 below.  Borrowed. */
json_object *report_json_get(json_object *o, const char *key, json_type type);
const char *report_json_text(json_object *o, const char *key);
int64_t report_json_int(json_object *o, const char *key);

void report_json_set(json_object *o, const char *key, const char *text);

/* @o as one line of ASCII: what is not printable ASCII becomes \uXXXX, the
 * same value to every reader and nothing to a terminal.  The caller frees
 * it; NULL: no memory. */
char *report_json_line(json_object *o, size_t *ret_len);

/* Whether @s is printable ASCII without blanks and shorter than @cap: what a
 * header, a token or a path may be. */
bool report_json_plain(const char *s, size_t cap);

#endif
