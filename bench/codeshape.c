/* codeshape.c - how much code do versions, compilers and levels of one program
 * share, and how much do benign programs have of it?
 *
 *	codeshape MINER... < GOODWARE
 *
 * GOODWARE: paths of ELF files, one a line.  Half of them (by the first four
 * letters of the name, so that versions of one library stay together) are
 * subtracted from the miners, as a builder of sets would; the other half is
 * what a scan meets.  Prints tab-separated:
 *
 *	set	NAME	digests, digests after the subtraction
 *	pair	A	B	of B's digests those that A has, B's digests
 *	benign	FILE	MINER	of the miner's digests those in the file
 *	total	files subtracted, files met, their digests
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shapeset.h"

#define SHOWN 3 /* a benign file with fewer in common is chance */

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_subtracted(const char *path)
{
	const char *name = name_of(path);
	unsigned h = 0;

	name += strncmp(name, "lib", 3) ? 0 : 3;
	for (int i = 0; i < 4 && name[i]; i++)
		h = h * 31 + (unsigned char)name[i];
	return h * 2654435761u >> 31;
}

static bool add(struct shapeset *to, const char *path)
{
	struct why why;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error = fd < 0 ? -1 : shapeset_of_elf(to, fd, path, &why);

	if (fd >= 0)
		close(fd);
	return !error;
}

static void meet(const char *path, const struct shapeset *miners,
		 char **names, int n, size_t *digests)
{
	struct shapeset s = { 0 };

	add(&s, path);
	shapeset_done(&s);
	*digests += s.n;
	for (int i = 0; i < n; i++) {
		size_t common = shapeset_common(&miners[i], &s);

		if (common >= SHOWN)
			printf("benign\t%s\t%s\t%zu\n", path,
			       name_of(names[i]), common);
	}
	shapeset_free(&s);
}

int main(int argc, char **argv)
{
	struct shapeset *miners = calloc((size_t)argc, sizeof(*miners));
	struct shapeset good = { 0 };
	size_t n_subtracted = 0, n_met = 0, n_paths = 0, digests = 0;
	char *line = NULL, **paths = NULL;
	size_t room = 0;
	int n = argc - 1;

	if (!miners || !n)
		errx(2, "usage: codeshape MINER... < GOODWARE");
	while (getline(&line, &room, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (is_subtracted(line)) {
			n_subtracted += add(&good, line);
			continue;
		}
		paths = reallocarray(paths, n_paths + 1, sizeof(*paths));
		if (!paths || !(paths[n_paths++] = strdup(line)))
			err(1, "memory");
	}
	shapeset_done(&good);
	for (int i = 0; i < n; i++) {
		size_t before;

		if (!add(&miners[i], argv[i + 1]))
			errx(2, "%s: no ELF file", argv[i + 1]);
		shapeset_done(&miners[i]);
		before = miners[i].n;
		shapeset_subtract(&miners[i], &good);
		printf("set\t%s\t%zu\t%zu\n", name_of(argv[i + 1]), before,
		       miners[i].n);
	}
	for (int a = 0; a < n; a++)
		for (int b = 0; b < n; b++)
			printf("pair\t%s\t%s\t%zu\t%zu\n",
			       name_of(argv[a + 1]), name_of(argv[b + 1]),
			       shapeset_common(&miners[b], &miners[a]),
			       miners[b].n);
	for (size_t i = 0; i < n_paths; i++, n_met++)
		meet(paths[i], miners, argv + 1, n, &digests);
	printf("total\t%zu\t%zu\t%zu\n", n_subtracted, n_met, digests);
	return 0;
}
