/* mounts.h - what is mounted, as proc_pid_mountinfo(5) has it.
 *
 * The list can be long; the kernel says when it changed (POLLPRI), so it is
 * read again only then. */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More of it is not read: who has a mount namespace fills it as he likes. */
#define MOUNTS_BYTES (64U << 20)

/* A line of it.  Spaces in @point are \040. */
struct mount {
	uint32_t dev; /* major << 20 | minor, as struct region has it */
	const char *point, *type;
};

/* What somebody wants to know of each: a number, e.g. of a device, or 0. */
typedef uint64_t mounts_number_fn(const struct mount *);

struct mounts {
	int fd;		   /* of the list, -1: none */
	uint64_t *numbers; /* ascending */
	size_t n, room;
	bool read; /* once, at least */
	mounts_number_fn *number;
};

/* Opens @path, from @dir as openat(2) does; of each mount @number is kept.
 * Where it can not be read nothing is mounted. */
void mounts_open(struct mounts *, int dir, const char *path,
		 mounts_number_fn *number);
void mounts_close(struct mounts *);

/* Looks again, if anything was mounted since. */
void mounts_refresh(struct mounts *);

/* Is that the number of any? */
bool mounts_has(const struct mounts *, uint64_t number);

/* Takes @line apart, which *ret points into then.  False: it is none. */
bool mounts_parse(char *line, struct mount *ret);

/* The process whose directory in /proc, or a file in it, it covers; else 0. */
uint64_t mounts_covered_pid(const struct mount *);

#endif
