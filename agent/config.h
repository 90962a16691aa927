/* config.h - the configuration file: INI, one table of keys.
 *
 * A key that is unknown, given twice or of a wrong value is an error that
 * names file, line and value and says what is allowed.  Later modules add
 * their keys to the table in config.c and a field here. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "why.h"

#define CONFIG_DEFAULT "/etc/davylamp/davylamp.conf"
#define CONFIG_TEXT    512

struct config {
	struct {
		char source[CONFIG_TEXT]; /* organizations/O/sources/S */
		char location[CONFIG_TEXT];
		char endpoint[CONFIG_TEXT];    /* "": Google's, by location */
		uint64_t api;		       /* 1 or 2 */
		char credentials[CONFIG_TEXT]; /* "": metadata server */
		char resource[CONFIG_TEXT];    /* "": this instance's */
		uint64_t writes_per_minute;
	} scc;
	struct {
		char path[CONFIG_TEXT];
		uint64_t max_bytes;
	} spool;
	struct {
		char file[CONFIG_TEXT]; /* "-": stdout, "none": none */
		uint64_t format;	/* enum config_format */
		bool journal;
		bool environment;
		char state[CONFIG_TEXT];    /* folder of the ledger */
	} findings;
	struct {
		char topic[CONFIG_TEXT]; /* projects/P/topics/T */
		char endpoint[CONFIG_TEXT];
		uint64_t format;
	} pubsub;
};

enum config_format { FORMAT_SCC, FORMAT_OCSF, FORMAT_ECS };

/* Fills @ret from @path, or from CONFIG_DEFAULT where @path is NULL; only
 * then may the file be missing, which means all defaults.  The file must not
 * be writable by others than root and this user.  0 or -errno with @why. */
int config_load(const char *path, struct config *ret, struct why *why);

/* The same from memory; @name stands in messages. */
int config_parse(const char *name, const char *text, size_t len,
		 struct config *ret, struct why *why);

/* The table as a commented file, for people. */
void config_print(FILE *out);

/* Opens @path for reading if it is a regular file of root or this user that
 * nobody else can write and, where @secret, others can not read.  File
 * descriptor or -errno with @why. */
int config_open_safe(const char *path, bool secret, struct why *why);

#endif
