/* config_keys.h - the table of keys, for config*.c only. */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include <stddef.h>
#include "config.h"

enum config_type {
	PATH,
	URL,
	SOURCE,
	TOPIC,
	RESOURCE,
	WORD,
	YES,
	SIZE,
	CHOICE,
	DECIMAL,  /* a double; its range in thousandths */
	DURATION, /* in ns; its range in seconds */
	TEXT,
	DATE,
	DIGEST,
	LABEL,
};

/* The section of every [exclude NAME]: its keys are fields of a struct
 * exclusion, all others of struct config. */
#define CONFIG_EXCLUDE "exclude"

struct config_key {
	const char *section, *name;
	enum config_type type;
	size_t offset, size; /* of the field */
	const char *initial, *help;
	/* CHOICE: the words, whose numbers are @first, @first + 1, ... */
	const char *words[4];
	uint64_t first, last; /* CHOICE: first; numbers: the range */
};

extern const struct config_key config_keys[];
extern const size_t config_n_keys;

bool config_key_excludes(const struct config_key *);

/* Sets the key's field of @base (a struct config or exclusion) from its text;
 * false where it is not allowed. */
bool config_key_set(void *base, const struct config_key *, const char *value);

/* The field of @base as text that config_key_set() takes. */
const char *config_key_show(const void *base, const struct config_key *,
			    char *ret, size_t cap);

/* What is allowed, for messages. */
void config_key_allowed(const struct config_key *, char *ret, size_t cap);

/* ---- config.c, for config_load.c ------------------------------------- */

/* All defaults, no file.  -ENOMEM */
int config_begin(struct config *ret);

/* Reads one more file's text over what is there.  -EINVAL with @why. */
int config_add(struct config *, const char *name, const char *text, size_t len,
	       struct why *why);

#endif
