/* cmd_hash.h - `davylamp hash`: argv[0] is the subcommand's name; the return
 * value is the exit status. */
#ifndef CMD_HASH_H
#define CMD_HASH_H

#include <stdint.h>

int cmd_hash(int argc, char **argv);
int cmd_hash_build(int argc, char **argv);
int cmd_hash_query(int argc, char **argv);
int cmd_hash_compare(int argc, char **argv);
int cmd_hash_diff(int argc, char **argv);
int cmd_hash_merge(int argc, char **argv);
int cmd_hash_verify(int argc, char **argv);

/* Prints "1 binary, 71 pages, 89 fragments of code"; @n_digests: the pages' and
 * the fragments'. */
void cmd_hash_counts(uint32_t n_binaries, uint32_t n_digests,
		     uint32_t n_fragments);

/* 2 for what the caller can mend in the arguments or inputs, else 4. */
int cmd_hash_status(int error);

#endif
