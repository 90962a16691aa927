/* hashset.c - looking pages up in a set.
 *
 * A page is asked for in the Bloom filter first, which 99 % of unknown pages
 * fail, and only then in the sorted digests.  Whatever is read from the
 * mapping is bounds-checked when it is used, though hashcheck has seen all of
 * it: a file can change after it was read. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL	/* fragments are short: a call doubles what they cost \
			 */
#include <xxhash.h>
#include "hashcheck.h"
#include "hashset.h"
#include "hashutil.h"
#include "kernel.h"
#include "text.h"

#define BATCH 256 /* digests of one filter pass */

struct hashset {
	const uint8_t *bytes;
	size_t mapped; /* bytes to unmap; 0: not ours */
	int fd;	       /* the file, or -1 */
	uint32_t n_pages, n_refs, n_blocks, n_binaries;
	const struct hashformat_block *filter;
	const uint32_t *starts;
	unsigned start_shift; /* to a bit's number there */
	const struct digest *digests;
	const uint32_t *pages, *refs;
	struct hashcheck checked;
	char version[17];
};

/* ---- opening ----------------------------------------------------------- */

/* The checked bytes are at @bytes now. */
static void set_up(struct hashset *s, const uint8_t *bytes)
{
	const struct hashformat_header *h = &s->checked.head;

	s->bytes = bytes;
	s->n_pages = h->n_pages;
	s->n_refs = h->n_refs;
	s->n_blocks = h->n_blocks;
	s->n_binaries = h->n_binaries;
	s->filter = (const void *)(bytes + h->offset[HASHFORMAT_FILTER]);
	s->starts = (const void *)(bytes + h->offset[HASHFORMAT_STARTS]);
	s->start_shift = 32 - hashformat_start_bits(h->n_fragments);
	s->digests = (const void *)(bytes + h->offset[HASHFORMAT_DIGESTS]);
	s->pages = (const void *)(bytes + h->offset[HASHFORMAT_PAGES]);
	s->refs = (const void *)(bytes + h->offset[HASHFORMAT_REFS]);
	for (int i = 0; i < 8; i++)
		snprintf(s->version + (ptrdiff_t)2 * i, 3, "%02x",
			 h->checksum[i]);
}

static int open_fd(int fd, const char *what, struct hashset *s, struct why *why)
{
	struct stat st;
	size_t len;
	void *map;
	int error;

	if (fstat(fd, &st))
		return why_set(why, -errno, "%s: %s", what, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return why_set(why, -EBADMSG,
			       "%s: not a regular file; give "
			       "the path of a hash set",
			       what);
	len = (size_t)st.st_size;
	error = hashcheck_read(fd, NULL, len, what, &s->checked, why);
	if (error == -ENODATA)
		return why_set(why, -EBADMSG,
			       "%s: it became shorter while it "
			       "was read; replace sets by rename only",
			       what);
	if (error)
		return error == -EBADMSG ? error
					 : why_set(why, error, "%s: %s", what,
						   strerror(-error));
	map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return why_set(why, -errno, "%s: mmap: %s", what,
			       strerror(errno));
	/* Look-ups are scattered: reading ahead would only fill memory. */
	madvise(map, len, MADV_RANDOM);
	s->mapped = len;
	s->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	set_up(s, map);
	return 0;
}

static struct hashset *new_set(void)
{
	struct hashset *s = hashutil_realloc(NULL, 1, sizeof(*s));

	*s = (struct hashset){ .fd = -1 };
	return s;
}

int hashset_open(const char *path, struct hashset **ret, struct why *why)
{
	int error,
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct hashset *s;
	char what[256];

	if (fd < 0) {
		error = -errno;
		text_escape_str(path, what, sizeof(what));
		return why_set(why, error, "%s: %s", what, strerror(-error));
	}
	text_escape_str(path, what, sizeof(what));
	s = new_set();
	error = open_fd(fd, what, s, why);
	close(fd);
	if (error)
		hashset_free(s);
	else
		*ret = s;
	return error;
}

int hashset_from_memory(const void *bytes, size_t len, struct hashset **ret,
			struct why *why)
{
	const char *what = "hash set in memory";
	struct hashset *s;
	int error;

	if ((uintptr_t)bytes % 32)
		return why_set(why, -EINVAL, "%s: not 32-byte aligned", what);
	s = new_set();
	error = hashcheck_read(-1, bytes, len, what, &s->checked, why);
	if (error) {
		hashset_free(s);
		return error;
	}
	set_up(s, bytes);
	*ret = s;
	return 0;
}

void hashset_free(struct hashset *s)
{
	if (!s)
		return;
	if (s->mapped)
		munmap((void *)(uintptr_t)s->bytes, s->mapped);
	if (s->fd >= 0)
		close(s->fd);
	hashcheck_free(&s->checked);
	free(s);
}

/* ---- look-up ------------------------------------------------------------ */

struct digest hashset_digest(const uint8_t page[static 4096])
{
	XXH128_hash_t h = XXH3_128bits(page, 4096);

	return (struct digest){ .high = h.high64, .low = h.low64 };
}

static uint32_t start_of(const uint8_t *code)
{
	return (uint32_t)(kernel_hash(kernel_window(code + 3, 8), 8) >> 32);
}

struct digest hashset_fragment(const uint8_t code[static 32])
{
	XXH128_hash_t h = XXH3_128bits(code, 32);

	return (struct digest){ .high = (uint64_t)start_of(code) << 32 |
					(uint32_t)h.high64,
				.low = h.low64 };
}

size_t hashset_likely(const struct hashset *s, const uint8_t *page,
		      const uint16_t *at, size_t n, uint16_t *ret)
{
	const uint32_t *starts = s->starts;
	unsigned shift = s->start_shift;
	size_t n_likely = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t bit = start_of(page + at[i]) >> shift;

		ret[n_likely] = at[i];
		n_likely += starts[bit / 32] >> bit % 32 & 1;
	}
	return n_likely;
}

/* Are the bits of words [from, to) set? */
static bool has_bits(const struct hashformat_block *block, struct digest d,
		     int from, int to)
{
	uint32_t missing = 0;

	for (int k = from; k < to; k++)
		missing |= ~block->word[k] & hashformat_bit(d, k);
	return !missing;
}

/* Which of @n <= BATCH digests may be in the set?  Their numbers go to @ret,
 * ascending; returns how many.  Seven of eight that are not fail in the first
 * three words. */
static size_t filter(const struct hashset *s, const struct digest *d, size_t n,
		     uint16_t *ret)
{
	const struct hashformat_block *block[BATCH];
	size_t n_maybe = 0;

	for (size_t i = 0; i < n; i++) {
		block[i] = s->filter + hashformat_block(d[i], s->n_blocks);
		__builtin_prefetch(block[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (has_bits(block[i], d[i], 0, 3) &&
		    has_bits(block[i], d[i], 3, 8))
			ret[n_maybe++] = (uint16_t)i;
	return n_maybe;
}

#define PROBE 64 /* digests read at once: 1 KiB */

/* @n <= PROBE digests from number @at.  Of a file they are read, not looked at
 * in the mapping: the kernel maps 16 pages around each that is touched, and
 * the few questions that pass the filter would make all of it resident. */
static bool read_digests(const struct hashset *s, uint64_t at, uint64_t n,
			 struct digest ret[static PROBE])
{
	size_t bytes = n * sizeof(*ret);
	uint64_t offset = (uint64_t)((const uint8_t *)s->digests - s->bytes) +
			  at * sizeof(*ret);

	if (s->fd < 0)
		memcpy(ret, s->digests + at, bytes);
	return s->fd < 0 ||
	       pread(s->fd, ret, bytes, (off_t)offset) == (ssize_t)bytes;
}

static uint32_t search(const struct digest *d, uint64_t n, struct digest key)
{
	uint64_t lo = 0, hi = n;

	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		int order = hashformat_compare(d[mid], key);

		if (order == 0)
			return (uint32_t)mid;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return HASHSET_NONE;
}

/* Numbers [lo, hi) that may have the key, and the values around them. */
struct bracket {
	uint64_t lo, hi, lo_value, hi_value;
};

/* Digests are evenly spread, so the value says nearly where it lies. */
static uint64_t interpolate(const struct bracket *b, uint64_t value)
{
	uint64_t span = b->hi_value - b->lo_value;

	if (value < b->lo_value || value > b->hi_value || !span)
		return b->lo;
	return b->lo + (uint64_t)((unsigned __int128)(value - b->lo_value) *
				  (b->hi - b->lo) / span);
}

/* By interpolation; every third step halves, should a forged set be uneven. */
static uint32_t find(const struct hashset *s, struct digest key)
{
	struct bracket b = { 0, s->n_pages, 0, UINT64_MAX };
	struct digest d[PROBE];

	for (unsigned step = 0; b.lo < b.hi; step++) {
		uint64_t n = b.hi - b.lo < PROBE ? b.hi - b.lo : PROBE;
		uint64_t at = step % 3 == 2 ? b.lo + (b.hi - b.lo) / 2
					    : interpolate(&b, key.high);
		uint32_t found;

		at = at > b.lo + n / 2 ? at - n / 2 : b.lo;
		at = at > b.hi - n ? b.hi - n : at;
		if (!read_digests(s, at, n, d))
			return HASHSET_NONE;
		found = search(d, n, key);
		if (found != HASHSET_NONE)
			return (uint32_t)at + found;
		if (hashformat_compare(d[0], key) > 0) {
			b.hi = at;
			b.hi_value = d[0].high;
		} else if (hashformat_compare(d[n - 1], key) < 0) {
			b.lo = at + n;
			b.lo_value = d[n - 1].high;
		} else {
			return HASHSET_NONE;
		}
	}
	return HASHSET_NONE;
}

void hashset_lookup(const struct hashset *s, const struct digest *d, size_t n,
		    uint32_t *ret)
{
	uint16_t maybe[BATCH];

	while (n) {
		size_t now = n < BATCH ? n : BATCH;
		size_t n_maybe = filter(s, d, now, maybe);

		for (size_t i = 0; i < now; i++)
			ret[i] = HASHSET_NONE;
		for (size_t i = 0; i < n_maybe; i++)
			ret[maybe[i]] = find(s, d[maybe[i]]);
		d += now;
		ret += now;
		n -= now;
	}
}

uint32_t hashset_n_pages(const struct hashset *s)
{
	return s->n_pages;
}

uint32_t hashset_n_fragments(const struct hashset *s)
{
	return s->checked.head.n_fragments;
}

uint32_t hashset_n_binaries(const struct hashset *s)
{
	return s->n_binaries;
}

struct hashset_binary hashset_binary(const struct hashset *s, uint32_t binary)
{
	const char *strings = s->checked.strings;
	const struct hashformat_binary *r;

	if (binary >= s->n_binaries)
		return (struct hashset_binary){ .family = "", .name = "",
						.version = "", .arch = "" };
	r = &s->checked.records[binary];
	return (struct hashset_binary){
		.family = strings + r->family,
		.name = strings + r->name,
		.version = strings + r->version,
		.arch = strings + r->arch,
		.n_pages = r->n_pages,
		.n_code_pages = r->n_code_pages,
		.n_fragments = r->n_fragments,
	};
}

const uint8_t *hashset_sha256(const struct hashset *s, uint32_t binary)
{
	static const uint8_t unknown[32];

	return binary < s->n_binaries ? s->checked.records[binary].sha256
				      : unknown;
}

size_t hashset_refs(const struct hashset *s, uint32_t page,
		    const uint32_t **ret)
{
	uint32_t from, to;

	if (page >= s->n_pages)
		return 0;
	from = s->pages[page];
	to = page + 1 < s->n_pages ? s->pages[page + 1] : s->n_refs;
	if (from > to || to > s->n_refs)
		return 0;
	*ret = s->refs + from;
	return to - from;
}

struct digest hashset_page(const struct hashset *s, uint32_t page)
{
	struct digest d[PROBE] = { 0 };

	if (page < s->n_pages)
		(void)read_digests(s, page, 1, d);
	return d[0];
}

uint64_t hashset_bytes(const struct hashset *s)
{
	return s->checked.head.file_size;
}

const char *hashset_version(const struct hashset *s)
{
	return s->version;
}
