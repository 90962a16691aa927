/* failing.c - not a program: linked into one, it lets one allocation fail.
 *
 * $FAIL_ALLOCATION: the how manyth, counted from 1 over malloc, calloc and
 * realloc of the program and of its libraries, but for libbpf (1.1 crashes, as
 * it loads the programs, before anything was looked at).  $COUNT_ALLOCATIONS: a
 * file that holds their number in the end, in memory shared with it: a matcher
 * may not write. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static atomic_long own, *n = &own, which;

static void count_in(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p = fd < 0 || ftruncate(fd, sizeof(*n))
			  ? MAP_FAILED
			  : mmap(NULL, sizeof(*n), PROT_READ | PROT_WRITE,
				 MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (p != MAP_FAILED)
		n = p;
}

__attribute__((constructor)) static void begin(void)
{
	const char *fail = getenv("FAIL_ALLOCATION");
	const char *count = getenv("COUNT_ALLOCATIONS");

	if (count)
		count_in(count);
	*n = 0; /* what libraries did before is not ours */
	which = fail ? atol(fail) : 0;
}

static int fails(const void *caller)
{
	Dl_info info;

	if (dladdr(caller, &info) && strstr(info.dli_fname, "/libbpf.so"))
		return 0;
	if (++*n != which)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL
						  : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL
						  : __libc_realloc(p, size);
}
