/* cmd_hash_args.h - what `hash build` was told on its command line. */
#ifndef CMD_HASH_ARGS_H
#define CMD_HASH_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include "why.h"

enum {
	CMD_HASH_OUT,
	CMD_HASH_FAMILY,
	CMD_HASH_NAME,
	CMD_HASH_VERSION,
	CMD_HASH_ARCH,
	CMD_HASH_SOURCE,
	CMD_HASH_EXCEPT,
	CMD_HASH_LIST,
	CMD_HASH_PID,
	CMD_HASH_VALUES
};

struct cmd_hash_args {
	const char *value[CMD_HASH_VALUES];	/* NULL: not given */
	const char **subtract;		/* for free(3) */
	size_t n_subtract, cap_subtract;
	char **inputs;			/* the last of argv */
	size_t n_inputs;
	bool text;
};

/* Fills *ret (zeros before) from @argv, which must outlive it.  1: help was
 * asked for; -EINVAL: @why says which value is wrong and how to mend it. */
int cmd_hash_args(int argc, char **argv, struct cmd_hash_args *ret,
		  struct why *why);

/* Prints the text of --help. */
void cmd_hash_args_help(void);

#endif
