/* Mount points are named by who mounts. */
#include <assert.h>
#include <stdint.h>
#include "views_mounts.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *line = malloc(len + 1);
	pid_t pid;

	if (len)
		memcpy(line, data, len);
	line[len] = '\0';
	pid = views_mounts_parse(line);
	assert(pid >= 0);
	assert(!pid || strstr(line, " /proc/"));
	free(line);
	return 0;
}
