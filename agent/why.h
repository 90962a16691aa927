/* why.h - the text that goes with an error, for the person who can mend it.
 * A module that fails returns -errno and says here which thing, which value
 * and what to do; only commands print it. */
#ifndef WHY_H
#define WHY_H

#include <stdarg.h>
#include <stdio.h>

struct why {
	char text[512];
};

/* Sets the text (cut at the buffer's end) and returns @error, so that
 * `return why_set(why, -EINVAL, "...")` reads as one thought.  @why may be
 * NULL.  Attacker's bytes go through text_escape() first. */
__attribute__((format(printf, 3, 4))) static inline int
why_set(struct why *why, int error, const char *format, ...)
{
	va_list ap;

	if (why) {
		va_start(ap, format);
		vsnprintf(why->text, sizeof(why->text), format, ap);
		va_end(ap);
	}
	return error;
}

#endif
