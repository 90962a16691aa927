/* hashelf.c - pages of ELF files.
 *
 * The file may be anything: it is read by pread into two small buffers, each
 * number in it is compared with the file's true size before it is used, and
 * the sum of all segments is limited, so that a sparse file with a thousand
 * overlapping segments costs no more than an honest one. */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include "flow.h"
#include "fragment.h"
#include "hashelf.h"
#include "hashutil.h"
#include "sha256.h"

#define SEGMENTS_MAX 512 /* program headers; real files have about ten */
#define SECTIONS_MAX 512 /* likewise about forty */
#define CODE_MAX     32	 /* of which four hold code */
#define RUN_PAGES    16	 /* read at once */

struct elf {
	int fd;
	const char *what;
	bool walks; /* is it to be told which fragments are fixed? */
	uint64_t size;
	Elf64_Ehdr head;
	/* Sections of code; none: what is executable is code. */
	struct {
		uint64_t from, to;
	} code[CODE_MAX];
	size_t n_code;
	struct why *why;
};

static int bad(const struct elf *e, const char *how)
{
	return why_set(e->why, -EBADMSG, "%s: %s", e->what, how);
}

static int failed(const struct elf *e, int error)
{
	if (error == -ENODATA) /* though fstat said it was long enough */
		return bad(e, "it became shorter while it was read");
	return why_set(e->why, error, "%s: %s", e->what, strerror(-error));
}

static int read_head(struct elf *e, struct digestlist *ret)
{
	Elf64_Ehdr *h = &e->head;
	struct stat st;
	int error;

	if (fstat(e->fd, &st))
		return failed(e, -errno);
	if (!S_ISREG(st.st_mode))
		return why_set(e->why, -ENOEXEC, "%s: not a regular file",
			       e->what);
	e->size = (uint64_t)st.st_size;
	if (e->size < SELFMAG)
		return why_set(e->why, -ENOEXEC, "%s: no ELF file", e->what);
	error = hashutil_pread(e->fd, h,
			       e->size < sizeof(*h) ? SELFMAG : sizeof(*h), 0);
	if (error)
		return failed(e, error);
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return why_set(e->why, -ENOEXEC, "%s: no ELF file", e->what);
	if (e->size < sizeof(*h))
		return bad(e, "ELF file cut off in its header");
	if (h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_ident[EI_DATA] != ELFDATA2LSB ||
	    (h->e_machine != EM_X86_64 && h->e_machine != EM_AARCH64))
		return bad(e, "ELF file for another machine; davylamp knows "
			      "64-bit x86_64 and aarch64");
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return bad(e, "ELF file that is neither program nor library");
	strcpy(ret->arch, h->e_machine == EM_X86_64 ? "x86_64" : "aarch64");
	return 0;
}

static int check_table(const struct elf *e)
{
	const Elf64_Ehdr *h = &e->head;
	uint64_t len = (uint64_t)h->e_phnum * sizeof(Elf64_Phdr);

	if (h->e_phnum == 0)
		return bad(e, "ELF file without segments");
	if (h->e_phentsize != sizeof(Elf64_Phdr))
		return bad(e, "damaged ELF file: program headers of a wrong "
			      "size");
	if (h->e_phnum > SEGMENTS_MAX)
		return bad(e, "ELF file with more than 512 program headers");
	if (h->e_phoff > e->size || len > e->size - h->e_phoff)
		return bad(e, "damaged ELF file: program headers behind its "
			      "end");
	return 0;
}

/* An executable segment may hold data, too: exception tables, which are full of
 * addresses.  The loader needs no sections, so a file without them, or with
 * nonsense, is none that is damaged. */
static void read_sections(struct elf *e)
{
	const Elf64_Ehdr *h = &e->head;
	Elf64_Shdr sh;

	if (h->e_shentsize != sizeof(sh) || h->e_shnum > SECTIONS_MAX)
		return;
	for (unsigned i = 0; i < h->e_shnum && e->n_code < CODE_MAX; i++) {
		uint64_t at = h->e_shoff + i * sizeof(sh);

		if (h->e_shoff > e->size || at > e->size ||
		    hashutil_pread(e->fd, &sh, sizeof(sh), at)) {
			e->n_code = 0;
			return;
		}
		if (sh.sh_type != SHT_PROGBITS ||
		    !(sh.sh_flags & SHF_EXECINSTR) || sh.sh_offset > e->size ||
		    sh.sh_size > e->size - sh.sh_offset)
			continue;
		e->code[e->n_code].from = sh.sh_offset;
		e->code[e->n_code++].to = sh.sh_offset + sh.sh_size;
	}
}

static bool is_code(const struct elf *e, uint64_t at)
{
	for (size_t i = 0; i < e->n_code; i++)
		if (at >= e->code[i].from &&
		    at + KERNEL_FRAGMENT <= e->code[i].to)
			return true;
	return !e->n_code;
}

static bool is_constant(const uint8_t page[static FLOW_PAGE])
{
	return memcmp(page, page + 1, FLOW_PAGE - 1) == 0;
}

/* A stretch of the file that is read at once.  Fragments that begin behind its
 * first @n bytes are those of the next. */
struct run {
	const struct elf *elf;
	uint64_t at;
	size_t n;
	struct digestlist *list;
};

static int take_fragment(void *user, size_t offset, struct digest digest,
			 bool fixed)
{
	const struct run *run = user;

	if (offset >= run->n || !is_code(run->elf, run->at + offset))
		return 0;
	return digestlist_add_fragment(
		run->list, (struct digestlist_fragment){ digest, fixed });
}

static int add_fragments(struct run *run, const uint8_t *code, size_t len)
{
	const struct elf *e = run->elf;
	enum fragment_machine machine = !e->walks ? FRAGMENT_UNKNOWN
					: e->head.e_machine == EM_X86_64
						? FRAGMENT_X86_64
						: FRAGMENT_AARCH64;

	if (fragment_find(machine, code, len, take_fragment, run))
		return why_set(e->why, -E2BIG,
			       "%s: more fragments than a file of 4 GiB should "
			       "have",
			       e->what);
	return 0;
}

/* The whole file pages that the segment touches: the loader maps the first
 * and the last to their ends, whatever belongs there. */
static int add_segment(const struct elf *e, const Elf64_Phdr *ph,
		       struct digestlist *ret)
{
	uint8_t bytes[RUN_PAGES * FLOW_PAGE + KERNEL_FRAGMENT];
	uint64_t at = ph->p_offset & ~(uint64_t)(FLOW_PAGE - 1);
	uint64_t end = (ph->p_offset + ph->p_filesz + FLOW_PAGE - 1) &
		       ~(uint64_t)(FLOW_PAGE - 1);
	uint8_t flags = (uint8_t)((ph->p_flags & PF_R ? REGION_READ : 0) |
				  (ph->p_flags & PF_X ? REGION_EXEC : 0));

	if (end > e->size)
		end = e->size & ~(uint64_t)(FLOW_PAGE - 1);
	while (at < end) {
		size_t len =
			end - at < sizeof(bytes) ? end - at : sizeof(bytes);
		size_t n = len < RUN_PAGES * FLOW_PAGE ? len
						       : RUN_PAGES * FLOW_PAGE;
		struct run run = { e, at, n, ret };
		int error = hashutil_pread(e->fd, bytes, len, at);

		if (error)
			return failed(e, error);
		if (flags & REGION_EXEC)
			error = add_fragments(&run, bytes, len);
		if (error)
			return error;
		for (size_t i = 0; i < n; i += FLOW_PAGE) {
			struct digestlist_page page = { .offset = at + i,
							.flags = flags };

			if (is_constant(bytes + i))
				continue;
			page.digest = hashset_digest(bytes + i);
			if (digestlist_add(ret, page))
				return why_set(e->why, -E2BIG,
					       "%s: more than 4 GiB of pages",
					       e->what);
		}
		at += n;
	}
	return 0;
}

static int add_segments(const struct elf *e, struct digestlist *ret)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < e->head.e_phnum; i++) {
		Elf64_Phdr ph;
		int error = hashutil_pread(e->fd, &ph, sizeof(ph),
					   e->head.e_phoff + i * sizeof(ph));

		if (error)
			return failed(e, error);
		if (ph.p_type != PT_LOAD || ph.p_flags & PF_W)
			continue;
		if (ph.p_offset > e->size ||
		    ph.p_filesz > e->size - ph.p_offset)
			return bad(e, "damaged ELF file: a segment behind its "
				      "end");
		/* Constant pages cost time too: limited before they are
		 * read, not by what comes of them. */
		total += ph.p_filesz / FLOW_PAGE;
		if (total > DIGESTLIST_PAGES_MAX)
			return why_set(e->why, -E2BIG,
				       "%s: more than 4 GiB of segments",
				       e->what);
		error = add_segment(e, &ph, ret);
		if (error)
			return error;
	}
	return 0;
}

static int read_file(struct elf *e, struct digestlist *ret)
{
	struct digestlist list = { 0 };
	int error = read_head(e, &list);

	if (!error)
		error = check_table(e);
	if (!error)
		read_sections(e);
	if (!error)
		error = add_segments(e, &list);
	if (error)
		digestlist_free(&list);
	else
		*ret = list;
	return error;
}

int hashelf_read(int fd, const char *what, struct digestlist *ret,
		 struct why *why)
{
	struct elf e = { .fd = fd, .what = what, .walks = true, .why = why };

	return read_file(&e, ret);
}

int hashelf_read_good(int fd, const char *what, struct digestlist *ret,
		      struct why *why)
{
	struct elf e = { .fd = fd, .what = what, .why = why };

	return read_file(&e, ret);
}

int hashelf_sha256(int fd, char ret[static 65])
{
	uint8_t buffer[65536], digest[32];
	struct sha256 hash;
	uint64_t at = 0;

	sha256_begin(&hash);
	for (;;) {
		ssize_t n = pread(fd, buffer, sizeof(buffer), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		sha256_add(&hash, buffer, (size_t)n);
		at += (uint64_t)n;
	}
	sha256_end(&hash, digest);
	sha256_hex(digest, ret);
	return 0;
}
