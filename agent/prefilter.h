/* prefilter.h - where in a page could a rule's string be?
 *
 * Every string of the loaded rules is known here by an atom: a run of bytes
 * that stands in each of its matches.  At every S-th offset of a page (S is
 * 26, 18, 16, 10, 8, 4 or 1) one window of W bytes (6 to 3) is hashed and
 * looked up in a bit table that holds, for each atom, a window of every phase
 * 0..S-1: so the atom is met wherever it begins.  An atom of S + W - 1 bytes
 * allows an S: what a rule set costs is decided by its shortest atom, hardly by
 * their number.  One whose letters stand in either case has each window in all
 * spellings, so these have 4 bytes at most.
 *
 * Atoms shorter than 7 bytes have a window at every offset.  Where these are
 * few, their bytes are looked up by halves instead of hashed (Teddy), a vector
 * of windows at once.
 *
 * Paddings, which are nearly all zeros, have phases without a window that
 * tells anything.  They are looked for beside the zeros only, where as many lie
 * in a row as they have.
 *
 * The answer depends on the page's own bytes only (a window never reaches
 * into the next page), so what was found out about a physical frame holds for
 * every process that maps it.  It marks too much, never too little. */
#ifndef PREFILTER_H
#define PREFILTER_H

#include "flow.h"
#include "why.h"

#define ATOM_MIN   3
#define ATOM_BYTES 48 /* of a longer literal, the caller picks a slice */
#define ATOMS_MAX  (1U << 20)

struct atom {
	uint8_t bytes[ATOM_BYTES];
	uint8_t len;	 /* ATOM_MIN..ATOM_BYTES */
	uint8_t where;	 /* bit per enum where: of the rules that need it */
	uint8_t nocase;	 /* not 0: letters stand in either case; here, small */
	uint16_t before; /* bytes of a match that may precede the atom */
	uint16_t after;	 /* and follow its first byte, the atom included */
	uint32_t string; /* whose atom it is: libyara's number */
};

/* As libyara has it: ASCII only. */
static inline uint8_t atom_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c ^ 'A' ^ 'a' : c;
}

/* Do the atom's bytes [from, to) stand at @p + from? */
bool prefilter_stands(const struct atom *, const uint8_t *p, size_t from,
		      size_t to);

struct prefilter;

/* Builds the tables.  -EINVAL: an atom's len is out of range; -ENOMEM. */
int prefilter_new(const struct atom *atoms, size_t n, struct prefilter **ret,
		  struct why *why);

void prefilter_free(struct prefilter *);

/* What a page holds: matches could lie in [start, end), offsets relative to
 * the page, which may begin before and end behind it. */
struct prefilter_mark {
	int32_t start, end;
	uint8_t where; /* of the atoms found; 0: none was */
};

/* Looks at one page of FLOW_PAGE bytes. */
struct prefilter_mark prefilter_page(const struct prefilter *,
				     const uint8_t page[static FLOW_PAGE]);

/* For people: "8-byte windows every 16 bytes: 120 strings; ..." */
void prefilter_describe(const struct prefilter *, char *ret, size_t cap);

#endif
