/* All of mountinfo: its file systems, and what that says of a device. */
#include <assert.h>
#include "fstype.c"
#include "localfs.c"
#include "mounts.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct localfs l = { .mounts = { .fd = -1,
						.number = localfs_number } };
	struct mounts *m = &l.mounts;

	if (m->fd < 0)
		m->fd = memfd_create("mounts", MFD_CLOEXEC);
	if (m->fd < 0 || ftruncate(m->fd, 0) ||
	    pwrite(m->fd, data, len, 0) != (ssize_t)len)
		abort();
	m->read = false;
	localfs_refresh(&l);
	assert(m->n <= m->room && m->room <= NUMBERS_MAX);
	for (size_t i = 0; i < m->n; i++)
		assert(m->numbers[i] &&
		       (!i || m->numbers[i - 1] <= m->numbers[i]));
	assert(!localfs_has(&l, 57) || mounts_has(m, 57) ||
	       mounts_has(m, OVERLAY | 57));
	assert(localfs_has(&l, 8 << 20) || mounts_has(m, SERVED | 8 << 20) ||
	       mounts_has(m, OVERLAY | 8 << 20));
	return 0;
}
