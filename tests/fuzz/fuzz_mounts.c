/* A line of mountinfo: mount points are named by who mounts.  -lxxhash */
#include <assert.h>
#include <stdint.h>
#include "fstype.c"
#include "exefile.c"
#include "frames.c"
#include "keyset.c"
#include "lazymem.c"
#include "localfs.c"
#include "mounts.c"
#include "sha256.c"
#include "no_reader.h"

/* All of it, as a process has it. */
static void check_list(const uint8_t *data, size_t len)
{
	FILE *f = len ? fmemopen((void *)(uintptr_t)data, len, "r") : NULL;

	if (!f)
		return;
	if (list_served(f, 36) != FSTYPE_BY_OTHERS)
		assert(memmem(data, len, "36", 2) &&
		       memmem(data, len, " - ", 3));
	fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *line = malloc(len + 1);
	struct mount m;

	if (len)
		memcpy(line, data, len);
	line[len] = '\0';
	check_list(data, len);
	if (mounts_parse(line, &m)) {
		assert(m.type > m.point && *m.type && !strchr(m.type, ' '));
		assert(!strchr(m.point, ' '));
		assert(mounts_covered_pid(&m) <= INT_MAX);
		assert(!mounts_covered_pid(&m) ||
		       !strncmp(m.point, "/proc/", 6));
		assert(sound_dev(&m) == m.dev || !sound_dev(&m));
		assert(localfs_number(&m) == m.dev || localfs_number(&m) >> 32);
	}
	free(line);
	return 0;
}
