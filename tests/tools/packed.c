/* packed.c - what a packer leaves in memory: a program that unpacks another one
 * into anonymous memory and jumps into it, as UPX's stub does.
 *
 *	cat packed PROGRAM.xor LENGTH >packed-program
 *
 * PROGRAM is a static ELF with fixed addresses, every byte xored with 0x5a, the
 * LENGTH eight bytes, little-endian.  Built as a static position-independent
 * program, so that it lies elsewhere. */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096UL

static uint8_t *payload(size_t *ret_len)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint64_t len;
	uint8_t *p;

	if (fd < 0 || fstat(fd, &st) ||
	    pread(fd, &len, 8, st.st_size - 8) != 8 ||
	    len > (uint64_t)st.st_size - 8)
		errx(1, "nothing is packed in here");
	p = malloc(len);
	if (!p || pread(fd, p, len, st.st_size - 8 - (off_t)len) !=
			  (ssize_t)len)
		err(1, "payload");
	close(fd);
	for (size_t i = 0; i < len; i++)
		p[i] ^= 0x5a;
	*ret_len = len;
	return p;
}

static int protection(uint32_t flags)
{
	return (flags & PF_R ? PROT_READ : 0) |
	       (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0);
}

static void lay_out(const Elf64_Phdr *ph, const uint8_t *file)
{
	uint64_t start = ph->p_vaddr & ~(PAGE - 1);
	uint64_t end = (ph->p_vaddr + ph->p_memsz + PAGE - 1) & ~(PAGE - 1);
	uint8_t *p = mmap((void *)start, end - start, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			  0);

	if (p != (void *)start)
		err(1, "no room at %#lx", start);
	memcpy((void *)ph->p_vaddr, file + ph->p_offset, ph->p_filesz);
	if (mprotect(p, end - start, protection(ph->p_flags)))
		err(1, "mprotect");
}

static void set_auxv(char **envp, unsigned long what, unsigned long value)
{
	Elf64_auxv_t *a;

	while (*envp)
		envp++;
	for (a = (Elf64_auxv_t *)(envp + 1); a->a_type != AT_NULL; a++)
		if (a->a_type == what)
			a->a_un.a_val = value;
}

int main(int argc, char **argv, char **envp)
{
	const Elf64_Ehdr *eh;
	const Elf64_Phdr *ph;
	uint8_t *file;
	uint64_t entry;
	size_t len;

	(void)argc;
	file = payload(&len);
	eh = (const Elf64_Ehdr *)file;
	ph = (const Elf64_Phdr *)(file + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD)
			lay_out(ph + i, file);
	set_auxv(envp, AT_PHDR, ph[0].p_vaddr - ph[0].p_offset + eh->e_phoff);
	set_auxv(envp, AT_PHNUM, eh->e_phnum);
	set_auxv(envp, AT_ENTRY, eh->e_entry);
	entry = eh->e_entry;
	free(file);
#ifdef __x86_64__
	__asm__ volatile("mov %0, %%rsp\n\txor %%edx, %%edx\n\tjmp *%1"
			 :
			 : "r"((uint64_t *)argv - 1), "r"(entry)
			 : "memory", "rdx");
#else
	__asm__ volatile("mov sp, %0\n\tmov x0, #0\n\tbr %1"
			 :
			 : "r"((uint64_t *)argv - 1), "r"(entry)
			 : "memory", "x0");
#endif
	__builtin_unreachable();
}
