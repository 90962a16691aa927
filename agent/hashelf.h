/* hashelf.h - the pages that the loader maps of an ELF file and that stay as
 * they are in the file: the whole 4096-byte file pages of its non-writable
 * PT_LOAD segments, but for pages whose bytes are all equal, which any
 * program may have; and the fragments (fragment.h) of the executable ones. */
#ifndef HASHELF_H
#define HASHELF_H

#include "digestlist.h"

/* Reads ELF file @fd (any position) and sets @ret's pages, in the order of
 * the segments, and its arch ("x86_64", "aarch64"); the rest stays "".
 * -ENOEXEC: no ELF file at all; -EBADMSG: one that is damaged or of a kind
 * that davylamp does not know (32-bit, big-endian, another machine);
 * -E2BIG: more than DIGESTLIST_PAGES_MAX pages; others from pread(2).
 * @what names it in @why, escaped.  On 0 *ret is for digestlist_free(). */
int hashelf_read(int fd, const char *what, struct digestlist *ret,
		 struct why *why);

/* Likewise, to be subtracted from others: which fragments are fixed does not
 * matter there, so none is called that, and their instructions are not walked.
 */
int hashelf_read_good(int fd, const char *what, struct digestlist *ret,
		      struct why *why);

/* SHA-256 of the whole file, as hex. */
int hashelf_sha256(int fd, char ret[static 65]);

#endif
