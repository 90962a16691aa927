/* hashformat.h - the bytes of a hash set, for the one module that writes
 * them (hashbuild_write) and the one that reads them (hashset).
 *
 * Integers are little-endian, as both machines we run on are.  A section
 * begins at the next multiple of 64 bytes behind the one before it, so the
 * counts alone fix every offset and the file's size; they are written all
 * the same, for readers in other languages, and must agree.  Gaps are zero.
 *
 * The checksum is the XXH3-128 of the whole file with the checksum's own 16
 * bytes as zeros.  It finds damage, not malice: whoever can write a set can
 * make it fit, so nothing below is believed because it fits. */
#ifndef HASHFORMAT_H
#define HASHFORMAT_H

#include <assert.h>
#include <stdint.h>
#include "hashset.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "a set is used as it lies in the file");

#define HASHFORMAT_MAGIC   "DLHASHES"
#define HASHFORMAT_VERSION 4

/* Hard maxima: a set that says more is refused before memory is asked for. */
#define HASHFORMAT_BINARIES_MAX 65536u
#define HASHFORMAT_PAGES_MAX	(1u << 25) /* 128 GiB of distinct pages */
#define HASHFORMAT_REFS_MAX	(1u << 26)
#define HASHFORMAT_STRINGS_MAX	(16u << 20)

#define HASHFORMAT_FILTER_BITS 12 /* a digest */

enum hashformat_section {
	HASHFORMAT_BINARIES,
	HASHFORMAT_STRINGS,
	HASHFORMAT_FILTER,
	HASHFORMAT_STARTS,
	HASHFORMAT_DIGESTS,
	HASHFORMAT_PAGES,
	HASHFORMAT_REFS,
	HASHFORMAT_SECTIONS
};

struct hashformat_header {
	char magic[8];
	uint32_t version;
	uint32_t header_size;
	uint64_t file_size;
	uint32_t n_binaries;
	uint32_t strings_size;	/* bytes */
	uint32_t n_blocks;	/* of the filter */
	uint32_t n_pages;	/* entries in digests and in pages */
	uint32_t n_refs;
	uint32_t n_fragments; /* of n_pages */
	uint64_t offset[HASHFORMAT_SECTIONS];
	uint8_t zero[8];
	uint8_t checksum[16];	/* canonical: most significant byte first */
};
_Static_assert(sizeof(struct hashformat_header) == 128, "on disk");

struct hashformat_binary {
	uint32_t family, name, version, arch; /* offsets in the strings */
	uint32_t n_pages, n_code_pages;
	uint8_t sha256[32];	/* of the file; zeros: not known */
	uint32_t n_fragments;
	uint32_t zero;
};
_Static_assert(sizeof(struct hashformat_binary) == 64, "on disk");

struct hashformat_block {
	uint32_t word[8];
};

/* So many of the highest bits of a fragment's digest number its bit in the
 * section of starts: one of 32 bits is set or fewer, but what lies in the first
 * level of a cache is enough (32 KiB). */
static inline unsigned hashformat_start_bits(uint32_t n_fragments)
{
	unsigned bits = 10;

	while (bits < 18 && n_fragments > (1U << bits) / 32)
		bits++;
	return bits;
}

/* Where section @i begins and how long it is, by the counts of @h. */
static inline uint64_t hashformat_layout(const struct hashformat_header *h,
					 int i, uint64_t *ret_len)
{
	const uint64_t len[HASHFORMAT_SECTIONS] = {
		[HASHFORMAT_BINARIES] = (uint64_t)h->n_binaries * 64,
		[HASHFORMAT_STRINGS] = h->strings_size,
		[HASHFORMAT_FILTER] = (uint64_t)h->n_blocks * 32,
		[HASHFORMAT_STARTS] =
			(1U << hashformat_start_bits(h->n_fragments)) / 8,
		[HASHFORMAT_DIGESTS] = (uint64_t)h->n_pages * 16,
		[HASHFORMAT_PAGES] = (uint64_t)h->n_pages * 4,
		[HASHFORMAT_REFS] = (uint64_t)h->n_refs * 4,
	};
	uint64_t at = sizeof(*h);

	for (int k = 0; k < i; k++)
		at = (at + len[k] + 63) & ~63ULL;
	*ret_len = len[i];
	return at;
}

/* Blocks of the filter for @n_pages digests. */
static inline uint32_t hashformat_blocks(uint32_t n_pages)
{
	uint64_t bits = (uint64_t)n_pages * HASHFORMAT_FILTER_BITS;

	return bits ? (uint32_t)((bits + 255) / 256) : 1;
}

/* The one block that can hold @d: by the digest's highest bits, so that the
 * filter lies in the order of the digests. */
static inline uint32_t hashformat_block(struct digest d, uint32_t n_blocks)
{
	return (uint32_t)((d.high >> 32) * n_blocks >> 32);
}

/* The bit in word @i of that block: by other bits of the digest, multiplied
 * with the odd constants of the Parquet format. */
static inline uint32_t hashformat_bit(struct digest d, int i)
{
	static const uint32_t salt[8] = {
		0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
		0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
	};

	return 1U << ((uint32_t)d.low * salt[i] >> 27);
}

static inline int hashformat_compare(struct digest a, struct digest b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return (a.low > b.low) - (a.low < b.low);
}

#endif
