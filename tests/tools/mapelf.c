/* mapelf.c - lays an ELF file out in memory as the kernel would, of any
 * architecture, and burns a core instead of running it.
 *
 *	mapelf FILE
 *
 * For programs of another architecture: an emulator would show their code as
 * plain data.  Prints "ready" and goes on until its end. */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL

static int protection(uint32_t flags)
{
	return (flags & PF_R ? PROT_READ : 0) |
	       (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
}

static unsigned touch(const volatile uint8_t *p, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i += PAGE)
		sum += p[i];
	return sum;
}

int main(int argc, char **argv)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph[32];
	uint8_t *base;
	int fd;

	if (argc != 2)
		errx(2, "usage: mapelf FILE");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) ||
	    eh.e_phnum > 32)
		err(1, "%s", argv[1]);
	if (pread(fd, ph, eh.e_phnum * sizeof(*ph), (off_t)eh.e_phoff) < 0)
		err(1, "%s", argv[1]);
	base = mmap(NULL, 1UL << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (base == MAP_FAILED)
		err(1, "mmap");
	for (int i = 0; i < eh.e_phnum; i++) {
		uint64_t at = (ph[i].p_vaddr & ~(PAGE - 1)) % (1UL << 29);
		uint64_t skip = ph[i].p_vaddr % PAGE;

		if (ph[i].p_type != PT_LOAD || !ph[i].p_filesz)
			continue;
		if (mmap(base + at, ph[i].p_filesz + skip,
			 protection(ph[i].p_flags), MAP_PRIVATE | MAP_FIXED, fd,
			 (off_t)(ph[i].p_offset - skip)) == MAP_FAILED)
			err(1, "%s: segment %d", argv[1], i);
		touch(base + at, ph[i].p_filesz + skip);
	}
	puts("ready");
	fflush(stdout);
	for (volatile unsigned x = 0;; x++)
		;
}
