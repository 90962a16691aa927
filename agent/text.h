/* text.h - attacker's bytes made safe for a terminal, a log, a message. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Writes @len bytes into @ret[cap] (cap >= 8) as printable UTF-8: control
 * characters, invalid UTF-8, bidirectional and other format controls and the
 * backslash become \xNN or \\; ends with "..." where the room ends.  Always
 * NUL-terminated.  Returns @ret. */
char *text_escape(const void *bytes, size_t len, char *ret, size_t cap);

/* The same for a NUL-terminated string. */
char *text_escape_str(const char *s, char *ret, size_t cap);

/* The same, but backslashes stay: for text that should be escaped already and
 * comes from somebody who may not have done so. */
char *text_check_str(const char *s, char *ret, size_t cap);

/* Columns that @s (made by text_escape) takes on a terminal. */
size_t text_columns(const char *s);

/* The whole number in [least, most] that @s spells in decimal, or -1; both are
 * at least 0. */
long text_number(const char *s, long least, long most);

/* "12.3 MiB" */
char *text_bytes(uint64_t bytes, char ret[static 16]);

#endif
