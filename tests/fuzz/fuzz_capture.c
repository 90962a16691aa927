/* A capture comes from anybody: -lzstd */
#include <sys/mman.h>
#include "text.c"
#include "io.c"
#include "capture.c"
#include "capture_text.c"
#include "proc.c"
#include "proc_thread.c"
#include "maps.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t buf[CAPTURE_PIECE];
	static int fd = -1;
	struct capture *c = NULL;
	struct why why = { "" };
	uint64_t from = 0, at = 0;
	struct maps *m = NULL;
	struct proc p;
	char name[40];
	ssize_t n;

	if (fd < 0)
		fd = memfd_create("capture", 0);
	if (ftruncate(fd, 0) || pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (capture_open(name, &c, &why)) {
		if (!why.text[0])
			abort();
		return 0;
	}
	if (!proc_of_capture(c, &p) && !maps_read(&p, 0, &m))
		maps_free(m);
	do {
		n = capture_read(c, from, UINT64_MAX, buf, sizeof(buf), &at);
		if (n > 0 && at < from)
			abort();
		from = at + (uint64_t)n;
	} while (n > 0);
	capture_free(c);
	return 0;
}
