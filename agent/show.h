/* show.h - findings and progress on a terminal, in 80 columns. */
#ifndef SHOW_H
#define SHOW_H

#include <stdio.h>
#include "flow.h"
#include "who.h"

struct show {
	FILE *out;
	unsigned width; /* columns */
	bool color;
	bool verbose; /* every string of a rule, with its bytes */
};

/* Learns of @out: its width if it is a terminal (else 80), and colour unless
 * NO_COLOR is set (no-color.org) or it is none. */
void show_init(struct show *, FILE *out);

/* A finding, and why. */
void show_finding(const struct show *, const struct finding *,
		  const struct who *);

/* "  label     text", wrapped; @text is escaped already. */
void show_field(const struct show *, const char *label, const char *text);

/* A process that is no finding, in one line: its state and reason. */
void show_look(const struct show *, const struct look *, const char *verdict);

/* A bar that overwrites itself, on a terminal only. */
struct show_progress {
	FILE *out; /* NULL: nobody looks */
	uint64_t begin_ns, shown_ns;
	uint64_t done_bytes, all_bytes;
	size_t done, all; /* processes */
	const char *unit; /* of these instead; NULL: bytes are told, too */
	unsigned width;
};

void show_progress_init(struct show_progress *, FILE *out);
void show_progress(struct show_progress *);
void show_progress_end(struct show_progress *); /* wipes the line */

#endif
