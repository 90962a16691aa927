/* plant.c - holds given bytes in a given kind of memory.
 *
 *	plant [--busy] [--name TEXT] KIND <BYTES
 *
 * KIND is what /proc/PID/maps should say: file-r-- file-r-x file-rw- anon-r--
 * anon-rw- anon-rwx anon-r-x.  Files are made in $TMPDIR and stay.  Prints
 * "ready" and waits for its end; --busy burns a core meanwhile, --name sets
 * the name that ps shows. */
#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MOST (16UL << 20)

static int protection(const char *kind)
{
	static const char letters[] = "rwx";
	static const int bits[] = { PROT_READ, PROT_WRITE, PROT_EXEC };
	int prot = 0;

	if (strlen(kind) != 8)
		errx(2, "'%s' is no kind of memory", kind);
	for (int i = 0; i < 3; i++) {
		if (kind[5 + i] == letters[i])
			prot |= bits[i];
		else if (kind[5 + i] != '-')
			errx(2, "'%s' is no kind of memory", kind);
	}
	return prot;
}

/* The bytes go straight to their place: no copy stays elsewhere in here. */
static size_t fill(uint8_t *at)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, at + len, MOST - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		err(1, "stdin");
	if (len == 0 || len == MOST)
		errx(1, "%zu bytes: 1 to %lu are taken", len, MOST - 1);
	return len;
}

static uint8_t *plant_anonymous(int prot, size_t *ret_len)
{
	uint8_t *p = mmap(NULL, MOST, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	*ret_len = fill(p);
	if (mprotect(p, MOST, prot))
		err(1, "mprotect");
	return p;
}

static uint8_t *plant_file(int prot, size_t *ret_len)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	uint8_t *p;
	int fd;

	snprintf(path, sizeof(path), "%s/plant.XXXXXX", dir ? dir : "/tmp");
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, MOST))
		err(1, "%s", path);
	p = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		err(1, "mmap %s", path);
	*ret_len = fill(p);
	munmap(p, MOST);
	if (ftruncate(fd, (off_t)*ret_len))
		err(1, "%s", path);
	p = mmap(NULL, *ret_len, prot, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		err(1, "mmap %s", path);
	close(fd);
	return p;
}

/* Touches each page, so that it is resident. */
static unsigned touch(const uint8_t *p, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i += 4096)
		sum += *(const volatile uint8_t *)(p + i);
	return sum;
}

int main(int argc, char **argv)
{
	bool busy = false;
	volatile unsigned sum;
	uint8_t *p;
	size_t len;
	int i = 1, prot;

	for (; i < argc - 1; i++) {
		if (!strcmp(argv[i], "--busy"))
			busy = true;
		else if (!strcmp(argv[i], "--name") && i + 1 < argc - 1)
			prctl(PR_SET_NAME, argv[++i]);
		else
			break;
	}
	if (i != argc - 1)
		errx(2, "usage: plant [--busy] [--name TEXT] KIND <BYTES");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prot = protection(argv[i]);
	p = !strncmp(argv[i], "file-", 5) ? plant_file(prot, &len)
					  : plant_anonymous(prot, &len);
	sum = prot & PROT_READ ? touch(p, len) : 0;
	puts("ready");
	fflush(stdout);
	while (busy)
		sum++;
	for (;;)
		pause();
}
