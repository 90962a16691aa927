/* hashpack.c - a program of the build: makes the built-in set of hashes/.
 *
 *	hashpack OUT [IN.tsv...]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hashbuild.h"
#include "hashsave.h"

static int add(struct hashbuild *build, const char *path, struct why *why)
{
	FILE *in = fopen(path, "re");
	struct digestlist list;
	int error;

	if (!in)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	error = digestlist_read(in, path, &list, why);
	fclose(in);
	if (error)
		return error;
	error = hashbuild_add(build, &list, why);
	digestlist_free(&list);
	return error;
}

int main(int argc, char **argv)
{
	struct hashbuild *build = hashbuild_new();
	struct hashgood *good = hashgood_new();
	struct hashbuild_sum sum;
	struct why why = { "usage: hashpack OUT [IN.tsv...]" };
	uint8_t *bytes = NULL;
	size_t len = 0;
	int error = argc < 2 ? -EINVAL : 0;

	for (int i = 2; i < argc && !error; i++)
		error = add(build, argv[i], &why);
	if (!error)
		error = hashbuild_bytes(build, good, &bytes, &len, &sum, &why);
	if (!error)
		error = hashsave_file(argv[1], bytes, len, &why);
	if (error)
		fprintf(stderr, "hashpack: %s\n", why.text);
	free(bytes);
	hashgood_free(good);
	hashbuild_free(build);
	return error ? 2 : 0;
}
