/* confine.h - what our programs give up: capabilities, files, system calls.
 *
 * davylamp-match and davylamp-report may make the calls of a short list and
 * no other; davylamp, which forks matchers and reads all of /proc, may make
 * all but those that change the system.  Landlock is for the first two only:
 * it forbids looking into processes that are not confined alike. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include "why.h"

/* A sanitizer reserves terabytes, and calls more at its end than any list has:
 * in its builds no such limit is set. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONFINE_SANITIZED
#endif

enum confine_else {
	CONFINE_KILL,	/* any other call ends the process */
	CONFINE_REFUSE, /* it fails with ENOSYS */
};

/* From now on only the @n calls of @allowed (SCMP_SYS(...)), and mmap without
 * PROT_EXEC unless it is among them.  0 or -errno with @why. */
int confine_calls(const int *allowed, size_t n, enum confine_else,
		  struct why *why);

struct confine_path {
	const char *path; /* "" or not there: passed over */
	bool write;	  /* else it, and what is beneath, can only be read */
};

/* From now on no file or folder but these can be opened, made or removed;
 * what is open stays so.  Linux 5.19; does nothing on older ones. */
void confine_files(const struct confine_path *paths, size_t n);

/* No capability, and none to be had by any exec.  -EPERM: some are left. */
int confine_no_capabilities(void);

/* For davylamp, at the start of what looks into processes: of its capabilities
 * those stay that it has a use for, and no exec gives more. */
void confine_begin(void);

/* And when all is open that it will need (a procfs of its own, sensors, the
 * spool): no mount, no module, no new BPF program, no other call that changes
 * the system, for it and all that it starts.  0 or -errno with @why. */
int confine_started(struct why *why);

/* The capabilities that davylamp has a use for, in turn; NULL: no more.
 * *ret_name: "CAP_SYS_PTRACE"; *ret_there: this process has it.  The result
 * says what is lost without. */
const char *confine_capability(size_t i, const char **ret_name,
			       bool *ret_there);

#endif
