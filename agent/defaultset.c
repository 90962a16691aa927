/* defaultset.c - the hash set to use if none is named. */
#include "builtin.h"
#include "defaultset.h"

int defaultset_open(const char *path, struct hashset **ret, struct why *why)
{
	struct installed in_use;
	int err;

	if (path)
		return hashset_open(path, ret, why);
	err = installed_find(INSTALLED_HASHES, &in_use, why);
	if (err)
		return err;
	if (in_use.path[0])
		return hashset_open(in_use.path, ret, why);
	return hashset_from_memory(builtin_set,
				   (size_t)(builtin_set_end - builtin_set),
				   ret, why);
}
