/* lazymem.c - zeros that take memory where they are written. */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include "lazymem.h"

/* Of Linux 5.14; Debian 12's headers have it, older ones do not. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define STEP 4096

void *lazymem_new(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void lazymem_free(void *p, size_t len)
{
	if (p)
		munmap(p, len);
}

/* Reading what was never written maps the kernel's page of zeros. */
static int is_zero(const uint8_t *p, size_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

void lazymem_clear(void *p, size_t len)
{
	uint8_t *at = p;

	for (size_t n; len; at += n, len -= n) {
		n = len < STEP ? len : STEP;
		if (!is_zero(at, n))
			memset(at, 0, n);
	}
}

void lazymem_take(void *p, size_t len)
{
	madvise(p, len, MADV_POPULATE_WRITE);
}
