/* fragments.c - how much code do versions, compilers and levels of one program
 * share, and how much do benign programs have of it?
 *
 *	fragments MINER... < GOODWARE
 *
 * GOODWARE: paths of ELF files, one a line.  Half of them (by the first four
 * letters of the name, so that versions of one library stay together) are
 * subtracted from the miners, as a builder of sets would; the other half is
 * what a scan meets.  Prints tab-separated:
 *
 *	set	NAME	fragments, fragments after the subtraction
 *	pair	A	B	of A's fragments those that B has, A's fragments
 *	benign	FILE	MINER	of the miner's fragments those in the file
 *	total	files subtracted, files met, their fragments
 *
 * A set holds fixed fragments only, a scan sees others, too, but none that lies
 * across two pages. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hashelf.h"
#include "hashformat.h"
#include "hashgood.h"

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

static bool read_elf(const char *path, struct digestlist *ret)
{
	struct why why;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error = fd < 0 ? -1 : hashelf_read(fd, path, ret, &why);

	if (fd >= 0)
		close(fd);
	if (!error)
		ret->n_pages = 0; /* of pages there are other measurements */
	return !error;
}

static bool subtract(struct hashgood *good, const char *path)
{
	struct digestlist list;

	if (!read_elf(path, &list))
		return false;
	if (hashgood_add(good, &list))
		errx(1, "%s: too much goodware", path);
	digestlist_free(&list);
	return true;
}

static int by_digest(const void *a, const void *b)
{
	return hashformat_compare(
		((const struct digestlist_fragment *)a)->digest,
		((const struct digestlist_fragment *)b)->digest);
}

/* What a set keeps: the fixed ones, each once. */
static void keep_fixed(struct digestlist *l)
{
	struct digestlist_fragment *f = l->fragments;
	size_t n = 0;

	if (l->n_fragments)
		qsort(f, l->n_fragments, sizeof(*f), by_digest);
	for (size_t i = 0; i < l->n_fragments; i++)
		if (f[i].fixed && (!n || by_digest(&f[n - 1], &f[i])))
			f[n++] = f[i];
	l->n_fragments = n;
}

static size_t common(const struct digestlist *miner, struct hashgood *seen)
{
	size_t n = 0;

	for (size_t i = 0; i < miner->n_fragments; i++)
		n += hashgood_has(seen, miner->fragments[i].digest);
	return n;
}

static void meet(const char *path, const struct digestlist *miners, int n,
		 size_t *n_met, size_t *n_fragments)
{
	struct hashgood *seen = hashgood_new();

	if (subtract(seen, path)) {
		++*n_met;
		*n_fragments += hashgood_count(seen);
		for (int i = 0; i < n; i++) {
			size_t both = common(&miners[i], seen);

			if (both >= SHOWN)
				printf("benign\t%s\t%s\t%zu\n", path,
				       miners[i].name, both);
		}
	}
	hashgood_free(seen);
}

static void compare(char **paths, const struct digestlist *miners, int n)
{
	for (int b = 0; b < n; b++) {
		struct hashgood *seen = hashgood_new();

		subtract(seen, paths[b]);
		for (int a = 0; a < n; a++)
			printf("pair\t%s\t%s\t%zu\t%zu\n", miners[a].name,
			       miners[b].name, common(&miners[a], seen),
			       miners[a].n_fragments);
		hashgood_free(seen);
	}
}

int main(int argc, char **argv)
{
	struct digestlist *miners = calloc((size_t)argc, sizeof(*miners));
	struct hashgood *good = hashgood_new();
	size_t n_subtracted = 0, n_met = 0, n_paths = 0, fragments = 0;
	char *line = NULL, **paths = NULL;
	size_t room = 0;
	int n = argc - 1;

	if (!miners || !n)
		errx(2, "usage: fragments MINER... < GOODWARE");
	while (getline(&line, &room, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (is_subtracted(line)) {
			n_subtracted += subtract(good, line);
			continue;
		}
		paths = reallocarray(paths, n_paths + 1, sizeof(*paths));
		if (!paths || !(paths[n_paths++] = strdup(line)))
			err(1, "memory");
	}
	for (int i = 0; i < n; i++) {
		size_t before;

		if (!read_elf(argv[i + 1], &miners[i]))
			errx(2, "%s: no ELF file", argv[i + 1]);
		snprintf(miners[i].name, sizeof(miners[i].name), "%s",
			 name_of(argv[i + 1]));
		keep_fixed(&miners[i]);
		before = miners[i].n_fragments;
		hashgood_subtract(good, &miners[i]);
		printf("set\t%s\t%zu\t%zu\n", miners[i].name, before,
		       miners[i].n_fragments);
	}
	compare(argv + 1, miners, n);
	for (size_t i = 0; i < n_paths; i++)
		meet(paths[i], miners, n, &n_met, &fragments);
	printf("total\t%zu\t%zu\t%zu\n", n_subtracted, n_met, fragments);
	return 0;
}
