/* target.c - a process whose memory is known, for bench/run to look at.
 *
 *	target CONTENT MIB PERMISSION [PROCESSES]
 *
 * CONTENT is random, zero, huge (random, in transparent huge pages),
 * untouched (mapped, never written), or a file whose bytes are repeated until
 * the memory is full.  PERMISSION is rw- or r-x, of anonymous memory; or
 * file-r-x or file-r--: the file CONTENT itself is mapped.  PROCESSES (1) share
 * it by fork.
 *
 * Prints one line of JSON, {"start": N, "end": N, "huge": BYTES, "pids": [N,
 * ...]}, when all is in place; ends with the program that started it. */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB  (1UL << 20)
#define HUGE (2 * MIB)
#define PAGE 4096
#define MOST 1024 /* processes */

static size_t number(const char *text, size_t most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || n < 1 || n > most)
		errx(2, "'%s' is not a number from 1 to %zu", text, most);
	return n;
}

/* Room of its own: a hole on either side, so that the kernel merges it with
 * nothing, and the boundary that huge pages need. */
static uint8_t *room(size_t len, bool huge)
{
	uint8_t *p = mmap(NULL, len + 2 * HUGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap of %zu bytes", len);
	p += HUGE - (uintptr_t)p % HUGE;
	if (mprotect(p, len, PROT_READ | PROT_WRITE) < 0)
		err(1, "mprotect");
	/* Fails where the kernel has no huge pages: then there are none. */
	madvise(p, len, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return p;
}

/* The same bytes every time: xorshift64. */
static void fill_random(uint8_t *p, size_t len)
{
	uint64_t s = 88172645463325252ULL;

	for (size_t i = 0; i < len; i += sizeof(s)) {
		s ^= s << 13;
		s ^= s >> 7;
		s ^= s << 17;
		memcpy(p + i, &s, sizeof(s));
	}
}

static void fill_zero(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i += PAGE)
		*(volatile uint8_t *)(p + i) = 0;
}

static void fill_file(uint8_t *p, size_t len, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t got = 0;
	ssize_t n;

	if (fd < 0)
		err(1, "%s", path);
	while (got < len && (n = read(fd, p + got, len - got)) > 0)
		got += (size_t)n;
	if (got == 0)
		errx(1, "%s: nothing in it", path);
	close(fd);
	for (size_t have = got; have < len; have += got)
		memcpy(p + have, p, len - have < got ? len - have : got);
}

static void fill(uint8_t *p, size_t len, const char *content)
{
	if (!strcmp(content, "random") || !strcmp(content, "huge"))
		fill_random(p, len);
	else if (!strcmp(content, "zero"))
		fill_zero(p, len);
	else if (strcmp(content, "untouched") != 0)
		fill_file(p, len, content);
}

/* As a program's code or tables: resident, not written. */
static void map_file(uint8_t *p, size_t len, const char *path, int protection)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", path);
	if ((size_t)st.st_size < len)
		errx(1, "%s: smaller than %zu MiB", path, len / MIB);
	if (mmap(p, len, protection, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, fd,
		 0) == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
}

static size_t huge_bytes(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	size_t kib = 0;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "AnonHugePages: %zu kB", &kib);
	if (f)
		fclose(f);
	return kib * 1024;
}

static void stay(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	for (;;)
		pause();
}

static void start_others(pid_t *pids, size_t n)
{
	pid_t self = getpid();

	pids[0] = self;
	for (size_t i = 1; i < n; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			err(1, "fork");
		if (pids[i] == 0)
			stay(self);
	}
}

int main(int argc, char **argv)
{
	static pid_t pids[MOST];
	size_t len, n;
	uint8_t *p;

	if (argc < 4 || argc > 5)
		errx(2, "usage: target CONTENT MIB PERMISSION [PROCESSES]");
	len = number(argv[2], 1 << 20) * MIB;
	n = argc == 5 ? number(argv[4], MOST) : 1;
	p = room(len, !strcmp(argv[1], "huge"));
	if (!strcmp(argv[3], "file-r-x"))
		map_file(p, len, argv[1], PROT_READ | PROT_EXEC);
	else if (!strcmp(argv[3], "file-r--"))
		map_file(p, len, argv[1], PROT_READ);
	else if (!strcmp(argv[3], "rw-") || !strcmp(argv[3], "r-x"))
		fill(p, len, argv[1]);
	else
		errx(2, "permission '%s' is not rw-, r-x, file-r-x or file-r--",
		     argv[3]);
	if (!strcmp(argv[3], "r-x") && mprotect(p, len, PROT_READ | PROT_EXEC))
		err(1, "mprotect");
	printf("{\"start\": %lu, \"end\": %lu, \"huge\": %zu, \"pids\": [",
	       (unsigned long)(uintptr_t)p, (unsigned long)(uintptr_t)p + len,
	       huge_bytes());
	fflush(stdout); /* a child must not print it once more */
	start_others(pids, n);
	for (size_t i = 0; i < n; i++)
		printf("%s%d", i ? ", " : "", pids[i]);
	puts("]}");
	fflush(stdout);
	stay(getppid());
}
