/* hashcheck.c - reading a set from end to end before it is trusted.
 *
 * The file is read once, 64 KiB at a time, and never through a mapping: what
 * a look-up does not need never becomes resident.  The checksum finds damage
 * only; a set that someone forged with the right checksum must be as harmless
 * as a damaged one, so the same pass keeps copies of the small parts
 * (binaries, strings) and checks every number of the large ones. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "hashcheck.h"
#include "hashutil.h"

#define CHUNK	 65536 /* a multiple of every element's size */
#define BUILD_IT "build one with 'davylamp hash build'"

/* The set while it is read from end to end. */
struct check {
	int fd; /* -1: all is at @bytes */
	const uint8_t *bytes;
	size_t len;
	const char *what; /* for messages */
	struct hashcheck *ret;
	uint32_t (*n_refs)[HASHSET_KINDS]; /* of each binary */
	struct digest last_digest;
	uint32_t last_page;
	struct why *why;
};

static int damaged(const struct check *c, const char *how)
{
	return why_set(c->why, -EBADMSG, "%s: %s; copy it again or " BUILD_IT,
		       c->what, how);
}

static int check_identity(const struct check *c)
{
	const struct hashformat_header *h = &c->ret->head;

	if (memcmp(h->magic, HASHFORMAT_MAGIC, sizeof(h->magic)) != 0)
		return why_set(c->why, -EBADMSG,
			       "%s: not a davylamp hash set; " BUILD_IT,
			       c->what);
	if (h->version != HASHFORMAT_VERSION)
		return why_set(c->why, -EBADMSG,
			       "%s: hash set of format version %u, and this "
			       "davylamp reads version %d; build it again or "
			       "update davylamp",
			       c->what, h->version, HASHFORMAT_VERSION);
	if (h->header_size != sizeof(*h))
		return damaged(c, "damaged: wrong header size");
	if (h->file_size > c->len)
		return why_set(c->why, -EBADMSG,
			       "%s: truncated: %llu bytes, %zu are there; copy "
			       "it again or " BUILD_IT,
			       c->what, (unsigned long long)h->file_size,
			       c->len);
	if (h->file_size < c->len)
		return damaged(c, "damaged: there are bytes behind its end");
	return 0;
}

static int check_layout(const struct check *c)
{
	static const uint8_t zero[sizeof(c->ret->head.zero)];
	const struct hashformat_header *h = &c->ret->head;
	uint64_t len, end = 0;

	if (h->n_binaries > HASHFORMAT_BINARIES_MAX ||
	    h->strings_size > HASHFORMAT_STRINGS_MAX ||
	    h->n_pages > HASHFORMAT_PAGES_MAX ||
	    h->n_refs > HASHFORMAT_REFS_MAX)
		return damaged(c, "damaged: it says to hold more than a hash "
				  "set can");
	if (h->n_blocks != hashformat_blocks(h->n_pages) ||
	    h->n_refs < h->n_pages || !h->n_refs != !h->n_pages ||
	    !h->n_binaries != !h->strings_size || h->n_fragments > h->n_pages ||
	    memcmp(h->zero, zero, sizeof(zero)) != 0)
		return damaged(c, "damaged: its counts contradict each other");
	for (int i = 0; i < HASHFORMAT_SECTIONS; i++) {
		if (h->offset[i] != hashformat_layout(h, i, &len))
			return damaged(c, "damaged: a section is out of place");
		end = h->offset[i] + len;
	}
	if (end != h->file_size)
		return damaged(c, "damaged: its size contradicts its counts");
	return 0;
}

static int check_digests(struct check *c, const struct digest *d, size_t n,
			 bool first)
{
	for (size_t i = 0; i < n; i++) {
		if (!(first && i == 0) &&
		    hashformat_compare(c->last_digest, d[i]) >= 0)
			return damaged(c, "damaged: digests out of order");
		c->last_digest = d[i];
	}
	return 0;
}

/* Every page has at least one binary: the lists' beginnings ascend. */
static int check_pages(struct check *c, const uint32_t *page, size_t n,
		       bool first)
{
	for (size_t i = 0; i < n; i++) {
		bool good =
			first && i == 0 ? page[i] == 0 : page[i] > c->last_page;

		if (!good || page[i] >= c->ret->head.n_refs)
			return damaged(c, "damaged: page lists out of order");
		c->last_page = page[i];
	}
	return 0;
}

static int check_refs(struct check *c, const uint32_t *ref, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t binary = HASHSET_REF_BINARY(ref[i]);

		if (binary >= c->ret->head.n_binaries ||
		    HASHSET_REF_KIND(ref[i]) >= HASHSET_KINDS)
			return damaged(c, "damaged: a page names a binary "
					  "that is not there");
		c->n_refs[binary][HASHSET_REF_KIND(ref[i])]++;
	}
	return 0;
}

/* @len bytes of section @i, @at bytes behind its beginning. */
static int check_section(struct check *c, int i, uint64_t at, const uint8_t *p,
			 size_t len)
{
	switch (i) {
	case HASHFORMAT_BINARIES:
		memcpy((uint8_t *)c->ret->records + at, p, len);
		return 0;
	case HASHFORMAT_STRINGS:
		memcpy(c->ret->strings + at, p, len);
		return 0;
	case HASHFORMAT_DIGESTS:
		return check_digests(c, (const struct digest *)p, len / 16,
				     at == 0);
	case HASHFORMAT_PAGES:
		return check_pages(c, (const uint32_t *)p, len / 4, at == 0);
	case HASHFORMAT_REFS:
		return check_refs(c, (const uint32_t *)p, len / 4);
	default: /* any bits are a filter, or starts */
		return 0;
	}
}

/* The bytes [at, at + len) of the file, cut along its sections. */
static int check_chunk(struct check *c, uint64_t at, const uint8_t *p,
		       size_t len)
{
	int error = 0;

	for (int i = 0; i < HASHFORMAT_SECTIONS && !error; i++) {
		uint64_t size,
			begin = hashformat_layout(&c->ret->head, i, &size);
		uint64_t from = begin > at ? begin : at;
		uint64_t to = begin + size < at + len ? begin + size : at + len;

		if (from < to)
			error = check_section(c, i, from - begin,
					      p + (from - at),
					      (size_t)(to - from));
	}
	return error;
}

/* The bytes of chunk @at as the checksum sees them. */
static void add_to_sum(XXH3_state_t *sum, const struct check *c, size_t at,
		       const uint8_t *p, size_t len)
{
	if (at == 0) { /* the very head that was checked, without its sum */
		struct hashformat_header head = c->ret->head;

		memset(head.checksum, 0, sizeof(head.checksum));
		XXH3_128bits_update(sum, &head, sizeof(head));
		p += sizeof(head);
		len -= sizeof(head);
	}
	XXH3_128bits_update(sum, p, len);
}

/* All of the file: its numbers and its checksum. */
static int check_body(struct check *c, XXH3_state_t *state, uint8_t *buffer)
{
	XXH128_canonical_t sum;
	int bad = 0;

	XXH3_128bits_reset(state);
	for (size_t at = 0; at < c->len; at += CHUNK) {
		size_t n = c->len - at < CHUNK ? c->len - at : CHUNK;
		const uint8_t *p = c->bytes ? c->bytes + at : buffer;
		int error = c->bytes ? 0 : hashutil_pread(c->fd, buffer, n, at);

		if (error)
			return error;
		add_to_sum(state, c, at, p, n);
		if (!bad)
			bad = check_chunk(c, at, p, n);
	}
	/* If the sum is wrong too, that is the better thing to say. */
	XXH128_canonicalFromHash(&sum, XXH3_128bits_digest(state));
	if (memcmp(&sum, c->ret->head.checksum, sizeof(sum)) != 0)
		return damaged(c, "damaged: the checksum does not match");
	return bad;
}

static bool is_printable(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] && (s[i] < 0x20 || s[i] > 0x7e))
			return false;
	return true;
}

static int check_binaries(const struct check *c)
{
	const char *strings = c->ret->strings;
	uint32_t size = c->ret->head.strings_size;
	uint64_t fragments = 0;

	if (size && (strings[size - 1] || !is_printable(strings, size)))
		return damaged(c, "damaged: a name is not text");
	for (uint32_t i = 0; i < c->ret->head.n_binaries; i++) {
		const struct hashformat_binary *r = &c->ret->records[i];

		if (r->family >= size || r->name >= size ||
		    r->version >= size || r->arch >= size)
			return damaged(c, "damaged: a name is out of place");
		/* A share of pages is a division by this. */
		if (!r->n_pages || r->n_pages != c->n_refs[i][HASHSET_PAGE] ||
		    r->n_code_pages > r->n_pages)
			return damaged(c, "damaged: a binary's page count is "
					  "wrong");
		if (r->n_fragments != c->n_refs[i][HASHSET_FRAGMENT] || r->zero)
			return damaged(c, "damaged: a binary's count of "
					  "fragments is wrong");
		fragments += r->n_fragments;
	}
	if (c->ret->head.n_fragments > fragments ||
	    !c->ret->head.n_fragments != !fragments)
		return damaged(c, "damaged: its counts contradict each other");
	return 0;
}

static int check_all(struct check *c)
{
	struct hashcheck *r = c->ret;
	uint32_t n = r->head.n_binaries;
	XXH3_state_t *state = XXH3_createState();
	uint8_t *buffer = NULL;
	int error;

	/* The counts fit the file's true size: safe to ask for memory. */
	r->records = hashutil_realloc(NULL, n, sizeof(*r->records));
	r->strings = hashutil_realloc(NULL, r->head.strings_size, 1);
	c->n_refs = hashutil_realloc(NULL, n, sizeof(*c->n_refs));
	memset(c->n_refs, 0, n * sizeof(*c->n_refs));
	if (!c->bytes)
		buffer = hashutil_realloc(NULL, CHUNK, 1);
	error = state ? check_body(c, state, buffer) : -ENOMEM;
	if (!error)
		error = check_binaries(c);
	XXH3_freeState(state);
	free(buffer);
	free(c->n_refs);
	return error;
}

int hashcheck_read(int fd, const uint8_t *bytes, size_t len, const char *what,
		   struct hashcheck *ret, struct why *why)
{
	struct hashcheck out = { 0 };
	struct check c = { .fd = fd,
			   .bytes = bytes,
			   .len = len,
			   .what = what,
			   .ret = &out,
			   .why = why };
	int error = 0;

	if (len < sizeof(out.head))
		return why_set(
			why, -EBADMSG,
			"%s: %zu bytes are too short for a hash set; " BUILD_IT,
			what, len);
	if (bytes)
		memcpy(&out.head, bytes, sizeof(out.head));
	else
		error = hashutil_pread(fd, &out.head, sizeof(out.head), 0);
	if (!error)
		error = check_identity(&c);
	if (!error)
		error = check_layout(&c);
	if (!error)
		error = check_all(&c);
	if (error)
		hashcheck_free(&out);
	else
		*ret = out;
	return error;
}

void hashcheck_free(struct hashcheck *c)
{
	free(c->records);
	free(c->strings);
	c->records = NULL;
	c->strings = NULL;
}
