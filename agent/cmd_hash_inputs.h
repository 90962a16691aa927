/* cmd_hash_inputs.h - what `hash build` reads: ELF files, digest lists,
 * captures, processes. */
#ifndef CMD_HASH_INPUTS_H
#define CMD_HASH_INPUTS_H

#include <pthread.h>
#include <sys/types.h>
#include "cmd_hash_args.h"
#include "digestlist.h"
#include "hashtree.h"
#include "show.h"

#define CMD_HASH_INPUTS_MAX 65536

/* One binary to be; what is said of it in --list outranks the options. */
struct cmd_hash_input {
	char *path; /* NULL: the process @pid */
	pid_t pid;
	char *family, *version, *name;
	struct digestlist list;
	bool elf; /* named by options, not by itself */
	int error;
	struct why why;
};

struct cmd_hash_job {
	struct cmd_hash_args args;
	struct cmd_hash_input *inputs;
	size_t n_inputs, cap_inputs;
	struct hashgood *good;
	struct hashtree_sum tree;
	struct show_progress progress;
	pthread_mutex_t lock; /* of the progress */
	struct why why;
};

/* "'VALUE' HOW" */
int cmd_hash_usage(struct why *why, const char *value, const char *how);

/* Opens a regular file or a directory: a descriptor, or -errno and @why. */
int cmd_hash_open(const char *path, mode_t *ret_type, struct why *why);

/* The pages of the file @fd, told apart by content; @ret_elf: it does not say
 * itself what it is. */
int cmd_hash_pages(int fd, const char *path, bool *ret_elf,
		   struct digestlist *ret, struct why *why);

/* Fills j->inputs by j->args, then reads them all, by many threads; the first
 * error in their order is the error. */
int cmd_hash_take_inputs(struct cmd_hash_job *);
int cmd_hash_read_inputs(struct cmd_hash_job *);

void cmd_hash_free_inputs(struct cmd_hash_job *);

#endif
