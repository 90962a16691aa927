/* config.h - the configuration: INI files, one table of keys.
 *
 * Read in this order, and what comes later wins, key by key:
 *
 *	CONFIG_VENDOR	davylamp.conf, then conf.d/ *.conf by name
 *	CONFIG_ADMIN	davylamp.conf, then conf.d/ *.conf by name
 *
 * so that whoever builds an image sets defaults and the administrator has the
 * last word.  As with systemd, a file of CONFIG_ADMIN's conf.d stands in the
 * place of the vendor's of that name, and an empty one silences it; an
 * [exclude NAME] is replaced as a whole.
 *
 * A key that is unknown, given twice in a file or of a wrong value is an error
 * that names file, line and value and says what is allowed.  Modules add their
 * keys to the table in config_keys.c and a field here. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "why.h"

#define CONFIG_ADMIN   "/etc/davylamp"
#define CONFIG_VENDOR  "/usr/lib/davylamp"
#define CONFIG_DEFAULT CONFIG_ADMIN "/davylamp.conf"
#define CONFIG_TEXT    512
#define CONFIG_KEYS    64 /* at most */

struct exclude_list;

/* Where a key's value was read. */
struct config_origin {
	const char *file; /* escaped; NULL: nowhere, it is the default */
	int line;
};

struct config {
	struct {
		double cpu_budget; /* percent of one core */
		uint64_t pass_interval_ns;
		char rules[CONFIG_TEXT]; /* "": none but the built-in */
		bool default_rules;
		char hashes[CONFIG_TEXT];  /* "": the built-in set */
		uint64_t sensors;	   /* enum config_sensors */
		char metrics[CONFIG_TEXT]; /* "": none */
		char status[CONFIG_TEXT];  /* socket; "": none */
	} run;
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
		char state[CONFIG_TEXT]; /* folder of the ledger */
	} findings;
	struct {
		char topic[CONFIG_TEXT]; /* projects/P/topics/T */
		char endpoint[CONFIG_TEXT];
		uint64_t format;
	} pubsub;
	struct exclude_list *excludes; /* see exclude.h; never NULL */
	struct config_origin origin[CONFIG_KEYS]; /* as the table's keys */
	char **files;				  /* names of what was read */
	size_t n_files;
};

enum config_format { FORMAT_SCC, FORMAT_OCSF, FORMAT_ECS };
enum config_sensors { SENSORS_AUTO, SENSORS_NETLINK, SENSORS_POLLING };

/* Fills @ret from the places above or, where @path is given, from that file
 * alone.  A place may be missing, @path not.  Neither file nor conf.d may be
 * writable by others than root and this user.  On 0 the caller owes
 * config_free(); -errno with @why leaves @ret untouched. */
int config_load(const char *path, struct config *ret, struct why *why);

/* The same from these places, for tests. */
int config_load_places(const char *vendor, const char *admin,
		       struct config *ret, struct why *why);

/* The same from memory; @name stands in messages. */
int config_parse(const char *name, const char *text, size_t len,
		 struct config *ret, struct why *why);

void config_free(struct config *);

/* The table with its defaults as a commented file, for people. */
void config_print(FILE *out);

/* What holds, and in comments where each value comes from: a file that could
 * be read again.  Exclusions are shown as a pass that begins now has them. */
void config_print_effective(FILE *out, const struct config *);

/* Opens @path for reading if it is a regular file of root or this user that
 * nobody else can write and, where @secret, others can not read.  File
 * descriptor or -errno with @why. */
int config_open_safe(const char *path, bool secret, struct why *why);

#endif
