/* failing.c - not a program: linked into one, it lets one allocation fail.
 *
 * $FAIL_ALLOCATION: the how manyth, counted from 1 over malloc, calloc and
 * realloc of the program and of its libraries, but for libbpf (1.1 crashes, as
 * it loads the programs, before anything was looked at).  $COUNT_ALLOCATIONS: a
 * file that holds in the end which were the first and the last of each way to
 * come to one (the callers of its caller, up to DEPTH of them), in memory
 * shared with it: a matcher may not write. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#define DEPTH 16
#define WAYS  65536

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static atomic_long n, which;
static struct way {
	uint64_t hash;
	long first, last;
} * ways; /* WAYS of them, or NULL: nobody counts */

static void count_in(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p = fd < 0 || ftruncate(fd, WAYS * sizeof(*ways))
			  ? MAP_FAILED
			  : mmap(NULL, WAYS * sizeof(*ways),
				 PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (p != MAP_FAILED)
		ways = p;
}

__attribute__((constructor)) static void begin(void)
{
	const char *fail = getenv("FAIL_ALLOCATION");
	const char *count = getenv("COUNT_ALLOCATIONS");

	if (count)
		count_in(count);
	n = 0; /* what libraries did before is not ours */
	which = fail ? atol(fail) : 0;
}

struct walk {
	uint64_t hash;
	int depth;
};

static _Unwind_Reason_Code step(struct _Unwind_Context *c, void *user)
{
	struct walk *w = user;

	w->hash = (w->hash ^ _Unwind_GetIP(c)) * 0x9e3779b97f4a7c15;
	return ++w->depth < DEPTH ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* Those beyond WAYS are not told apart. */
static void note(long i)
{
	struct walk w = { 1, 0 };
	struct way *way;

	_Unwind_Backtrace(step, &w);
	way = &ways[(w.hash >> 40) % WAYS];
	for (int k = 0; k < 64 && way->hash && way->hash != w.hash; k++)
		way = way == &ways[WAYS - 1] ? ways : way + 1;
	if (!way->hash)
		*way = (struct way){ w.hash, i, i };
	way->last = i;
}

static int fails(const void *caller)
{
	static _Thread_local int inside; /* the unwinder may allocate */
	Dl_info info;
	long i;

	if (inside ||
	    (dladdr(caller, &info) && strstr(info.dli_fname, "/libbpf.so")))
		return 0;
	i = ++n;
	if (ways) {
		inside = 1;
		note(i);
		inside = 0;
	}
	if (i != which)
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
