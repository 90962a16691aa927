/* cmd_scan_words.h - the options of `davylamp scan`. */
#ifndef CMD_SCAN_WORDS_H
#define CMD_SCAN_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct scan_words {
	const char **rules;
	size_t n_rules;
	pid_t *pids;
	size_t n_pids;
	const char **captures;
	size_t n_captures;
	const char *hashes;
	const char *config; /* NULL: the usual place */
	bool no_default_rules, json, verbose, report;
	unsigned timeout_s, threads;
};

/* Reads the command line; @argv must outlive @ret, which scan_words_free()
 * must be given in any case.  0; -1: help was asked for and given; else an
 * exit status, and the error was told. */
int scan_words_take(struct scan_words *ret, int argc, char **argv);

void scan_words_free(struct scan_words *);

#endif
