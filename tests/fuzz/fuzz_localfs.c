/* All of mountinfo: its file systems, and what that says of a device. */
#include <assert.h>
#include "localfs.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct localfs l = { .fd = -1 };
	bool own = false;

	if (l.fd < 0)
		l.fd = memfd_create("mounts", MFD_CLOEXEC);
	if (l.fd < 0 || ftruncate(l.fd, 0) ||
	    pwrite(l.fd, data, len, 0) != (ssize_t)len)
		abort();
	read_all(&l);
	assert(l.n <= l.room && l.room < DEVS_MAX);
	for (size_t i = 0; i < l.n; i++) {
		assert(l.devs[i] && (!i || l.devs[i - 1] <= l.devs[i]));
		own |= l.devs[i] == 57;
	}
	assert(localfs_has(&l, 57) == own);
	assert(localfs_has(&l, 8 << 20));
	return 0;
}
