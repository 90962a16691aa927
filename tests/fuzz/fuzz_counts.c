/* The spool's counts: a file that the reporter's user may replace. */
#include <assert.h>
#include <sys/mman.h>
#include "spool_aside.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct spool_counts none;
	static int fd = -1;
	char text[COUNTS_LEN + 1];
	struct spool_counts c;

	if (fd < 0)
		fd = memfd_create("counts", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) ||
	    pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
	read_counts(fd, &c);
	counts_text(&c, text);
	/* It was written so, or it counts as none. */
	assert((len >= COUNTS_LEN && !memcmp(data, text, COUNTS_LEN)) ||
	       !memcmp(&c, &none, sizeof(c)));
	return 0;
}
