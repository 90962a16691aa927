/* rules_source.h - the text of the rules. */
#ifndef RULES_SOURCE_H
#define RULES_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "why.h"

#define RULES_SOURCE_MAX  (64U << 20) /* bytes of all files */
#define RULES_SOURCE_FILES 10000

struct rules_source {
	struct rules_file {
		char *name; /* as in messages, and the rules' namespace */
		char *text; /* NUL-terminated */
		size_t len;
		bool included; /* by another; they stand behind the others */
	} *files;
	size_t n, room, bytes;
	bool whole; /* from rules_source_load(): nothing is read any more */
};

/* Adds the file @path, or the *.yar and *.yara files below directory @path in
 * the order of their names.  -errno; @why names the path and the mend. */
int rules_source_add(struct rules_source *, const char *path,
		     struct why *why);

/* Adds @text under @name. */
int rules_source_add_text(struct rules_source *, const char *name,
			  const char *text, size_t len, struct why *why);

/* Adds the built-in rules, as "built-in". */
int rules_source_add_builtin(struct rules_source *, struct why *why);

/* The text of a file that the file @from includes as @name, relative to it,
 * which becomes a part of the source and lives as long.  NULL: it can not be
 * read, or is no regular file, or too much. */
const char *rules_source_include(struct rules_source *, const char *name,
				 const char *from);

/* Writes all of it, what was included too, into the file @fd; and reads that
 * back into an empty one.  -errno; -EBADMSG: it is not whole. */
int rules_source_save(const struct rules_source *, int fd);
int rules_source_load(struct rules_source *, int fd);

void rules_source_free(struct rules_source *);

#endif
