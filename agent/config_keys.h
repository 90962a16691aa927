/* config_keys.h - the table of keys, for config.c only. */
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
	CHOICE
};

struct config_key {
	const char *section, *name;
	enum config_type type;
	size_t offset; /* in struct config */
	const char *initial, *help;
	/* CHOICE: the words, whose numbers are @first, @first + 1, ... */
	const char *words[4];
	uint64_t first, last; /* CHOICE: first; SIZE: the range */
};

#define CONFIG_KEYS_MAX 64

extern const struct config_key config_keys[];
extern const size_t config_n_keys;

/* Sets the key's field from its text; false where it is not allowed. */
bool config_key_set(struct config *, const struct config_key *,
		    const char *value);

/* What is allowed, for messages. */
void config_key_allowed(const struct config_key *, char *ret, size_t cap);

#endif
