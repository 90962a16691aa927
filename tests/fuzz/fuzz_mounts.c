/* A line of mountinfo: mount points are named by who mounts.  -lxxhash */
#include <assert.h>
#include <stdint.h>
#include "exefile.c"
#include "frames.c"
#include "keyset.c"
#include "lazymem.c"
#include "localfs.c"
#include "mounts.c"
#include "sha256.c"
#include "no_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *line = malloc(len + 1);
	struct mount m;

	if (len)
		memcpy(line, data, len);
	line[len] = '\0';
	if (line_served(line, 36))
		assert(strstr(line, " - "));
	if (mounts_parse(line, &m)) {
		assert(m.type > m.point && *m.type && !strchr(m.type, ' '));
		assert(!strchr(m.point, ' '));
		assert(mounts_covered_pid(&m) <= INT_MAX);
		assert(!mounts_covered_pid(&m) ||
		       !strncmp(m.point, "/proc/", 6));
		assert(sound_dev(&m) == m.dev || !sound_dev(&m));
		assert(localfs_number(&m) == m.dev || localfs_number(&m) >> 20);
	}
	free(line);
	return 0;
}
