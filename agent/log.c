/* log.c - what a service says of itself. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "log.h"

void log_say(int priority, const char *format, ...)
{
	char text[1024], when[40] = "";
	time_t now = time(NULL);
	struct tm tm;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (getenv("JOURNAL_STREAM"))
		snprintf(when, sizeof(when), "<%d>", priority);
	else
		strftime(when, sizeof(when), "%H:%M:%S ",
			 localtime_r(&now, &tm));
	fprintf(stderr, "%s%s\n", when, text);
}
