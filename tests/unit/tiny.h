/* tiny.h - the smallest program: it ends at once.  For as many execs as there
 * can be. */
#ifndef TINY_H
#define TINY_H

#include <elf.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__
#define TINY_MACHINE EM_X86_64
static const uint32_t tiny_code[] = { 0xb8ff3190, 0x0000003c, 0x9090050f };
#else
#define TINY_MACHINE EM_AARCH64
static const uint32_t tiny_code[] = { 0xd2800000, 0xd2800ba8, 0xd4000001 };
#endif

/* Makes it in @path. */
static inline void tiny_make(const char *path)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p;
		uint32_t code[3];
	} f = {
		.e = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				    ELFDATA2LSB, EV_CURRENT },
		       .e_type = ET_EXEC,
		       .e_machine = TINY_MACHINE,
		       .e_version = EV_CURRENT,
		       .e_ehsize = sizeof(Elf64_Ehdr),
		       .e_phoff = sizeof(Elf64_Ehdr),
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 1 },
		.p = { .p_type = PT_LOAD,
		       .p_flags = PF_R | PF_X,
		       .p_vaddr = 0x400000,
		       .p_filesz = sizeof(f),
		       .p_memsz = sizeof(f),
		       .p_align = 0x1000 },
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	f.e.e_entry = 0x400000 + sizeof(f.e) + sizeof(f.p);
	memcpy(f.code, tiny_code, sizeof(f.code));
	if (fd < 0 || write(fd, &f, sizeof(f)) != sizeof(f))
		abort();
	close(fd);
}

/* Runs it to its end.  0: there was no process. */
static inline int tiny_run(char *path)
{
	char *argv[] = { path, NULL };
	pid_t pid;

	if (posix_spawn(&pid, path, NULL, NULL, argv, NULL))
		return 0;
	return waitpid(pid, NULL, 0) == pid;
}

#endif
