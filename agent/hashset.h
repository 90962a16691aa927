/* hashset.h - which known binaries does a page belong to?
 *
 * A set maps the XXH3-128 digest of a 4096-byte page to the binaries that
 * have this page, and that of a fragment of code (fragment.h) to those that
 * have it anywhere.  On disk it is one file, little-endian, mapped read-only:
 *
 *	header    128 bytes: magic "DLHASHES", version, counts, offsets,
 *		  file size, checksum (hashformat.h has the structs)
 *	binaries  struct hashset_binary each
 *	strings   NUL-terminated names
 *	filter    split-block Bloom filter, 32-byte blocks, 12 bits a digest
 *	          (Putze, Sanders, Singler 2007; the Parquet layout)
 *	starts    a bit for each value that the highest bits of a fragment's
 *		  digest have
 *	digests   sorted, 16 bytes each: high 64 bits first
 *	pages     one entry a digest: where its list in refs begins
 *	refs      the lists, one behind the other: binary number in the low 16
 *		  bits; above, 0 for a page, 1 for a fragment
 *
 * Equal input gives equal bytes. */
#ifndef HASHSET_H
#define HASHSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "why.h"

#define HASHSET_NONE UINT32_MAX

struct hashset;

struct digest {
	uint64_t high, low; /* XXH3-128, canonical order */
};

/* One known binary; the strings live as long as the set. */
struct hashset_binary {
	const char *family;	/* "XMRig" */
	const char *name;	/* "linux-x86-64_xmrig_6.26.0_gcc12" */
	const char *version;	/* "6.26.0" */
	const char *arch;	/* "x86_64" or "aarch64" */
	uint32_t n_pages;	/* distinct pages that are in the set */
	uint32_t n_code_pages;	/* of them: executable */
	uint32_t n_fragments;	/* distinct fragments */
};

/* What a ref says. */
#define HASHSET_REF_BINARY(ref) ((ref) & 0xffff)
#define HASHSET_REF_KIND(ref)	((ref) >> 16)
enum { HASHSET_PAGE, HASHSET_FRAGMENT, HASHSET_KINDS };

/* Reads @path once to check it (64 KiB at a time), then maps it: pages of the
 * mapping become resident as look-ups need them.  -EBADMSG: damaged, foreign
 * or of another version; other errors from open(2), pread(2), mmap(2); @why
 * says which and what to do.  The file must only ever be replaced by rename
 * while it is mapped (as `hash build` does): written in place it gives wrong
 * answers, cut short it raises SIGBUS. */
int hashset_open(const char *path, struct hashset **ret, struct why *why);

/* The same for a set in memory (the built-in one); @bytes must be 32-byte
 * aligned and outlive the set. */
int hashset_from_memory(const void *bytes, size_t len, struct hashset **ret,
			struct why *why);

void hashset_free(struct hashset *);

/* The XXH3-128 digest of the FLOW_PAGE bytes at @page, any alignment. */
struct digest hashset_digest(const uint8_t page[static 4096]);

/* The digest of the KERNEL_FRAGMENT bytes at @code: XXH3-128, but the highest
 * 32 bits are by bytes 3 to 10 alone (kernel_hash() of these eight), so that
 * most of what is in no set need not be hashed. */
struct digest hashset_fragment(const uint8_t code[static 32]);

/* Which of the fragments that begin at @n places @at of @page can be in the
 * set, by those bits?  Their places go to @ret, which may be @at; how many. */
size_t hashset_likely(const struct hashset *, const uint8_t *page,
		      const uint16_t *at, size_t n, uint16_t *ret);

/* Looks up @n digests, @n <= 256: filter for all of them first, so that the
 * cache misses overlap, then the exact table for the few that pass.
 * ret[i]: the page's number in the set, or HASHSET_NONE. */
void hashset_lookup(const struct hashset *, const struct digest *, size_t n,
		    uint32_t *ret);

/* Different digests in all: pages are numbered below this; and how many of
 * them are fragments. */
uint32_t hashset_n_pages(const struct hashset *);
uint32_t hashset_n_fragments(const struct hashset *);
uint32_t hashset_n_binaries(const struct hashset *);

/* @binary < hashset_n_binaries(); n_pages is never 0, names are printable
 * ASCII. */
struct hashset_binary hashset_binary(const struct hashset *, uint32_t binary);

/* SHA-256 of that binary's file, 32 bytes; zeros if nobody knows it. */
const uint8_t *hashset_sha256(const struct hashset *, uint32_t binary);

/* The binaries that have @page (< hashset_n_pages()), as long as the set
 * lives: HASHSET_REF_BINARY() of each < hashset_n_binaries(), its
 * HASHSET_REF_KIND() < HASHSET_KINDS.  Returns how many; 0, and
 * *ret untouched, only if the file was changed under us. */
size_t hashset_refs(const struct hashset *, uint32_t page,
		    const uint32_t **ret);

/* The digest of @page (< hashset_n_pages()). */
struct digest hashset_page(const struct hashset *, uint32_t page);

/* Size of its file. */
uint64_t hashset_bytes(const struct hashset *);

/* 16 hex digits that name this very set: its checksum's beginning. */
const char *hashset_version(const struct hashset *);

#endif
