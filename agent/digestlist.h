/* digestlist.h - pages and fragments of one binary, as text that people can
 * exchange.
 *
 *	# family	XMRig
 *	# binary	linux-x86-64_xmrig_6.26.0_gcc12
 *	# version	6.26.0
 *	# arch	x86_64
 *	# file_sha256	3c4c...
 *	# subtracted	71 pages of Debian 12 ...
 *	# digest	XXH3-128 of 4096 bytes, high 64 bits first
 *	# columns	segment	file offset	digest
 *	# fragment	XXH3-128 of 32 bytes of code without addresses, but...
 *	r-x	0x1000	f7886c6855c96c18531b862e30d0124e
 *	fragment	0c1a75db0be1c80cbd8f8b6e1f0f7a26
 *
 * Tabs between fields, LF line ends, printable ASCII.  family, binary, arch
 * and digest must be there (fragment, if there is one), a key may come once,
 * before the first page, and an unknown key is an error.  `source` and
 *`subtracted` are for people. */
#ifndef DIGESTLIST_H
#define DIGESTLIST_H

#include <stdio.h>
#include "hashset.h"

#define DIGESTLIST_TEXT	     256	/* a value and its NUL */
#define DIGESTLIST_PAGES_MAX (1u << 20) /* 4 GiB of one file */
#define DIGESTLIST_FRAGMENTS_MAX (1u << 23) /* about as many of code */

struct digestlist_page {
	struct digest digest;
	uint64_t offset;	/* in the file, a multiple of 4096 */
	uint8_t flags;		/* REGION_READ | REGION_EXEC (flow.h) */
};

/* A fragment of code (fragment.h). */
struct digestlist_fragment {
	struct digest digest;
	bool fixed; /* no address is in it.  Others only tell what a program
		       has; they are in no set and in no text */
};

/* Zeros are an empty list.  Values are "" where they are not known. */
struct digestlist {
	char family[DIGESTLIST_TEXT];
	char name[DIGESTLIST_TEXT];
	char version[DIGESTLIST_TEXT];
	char arch[DIGESTLIST_TEXT];
	char sha256[DIGESTLIST_TEXT];	/* 64 lower-case hex digits */
	char source[DIGESTLIST_TEXT];
	char subtracted[DIGESTLIST_TEXT];
	struct digestlist_page *pages;
	size_t n_pages, cap;
	struct digestlist_fragment *fragments;
	size_t n_fragments, cap_fragments;
};

/* Reads @in to its end; @what names it in messages, escaped.  -EBADMSG: not
 * of this form, and @why says the line; -EIO: it could not be read.  On 0
 * *ret is for digestlist_free(). */
int digestlist_read(FILE *in, const char *what, struct digestlist *ret,
		    struct why *why);

/* Writes @list so that digestlist_read() gives it back; `ferror(out)` says
 * whether it went out. */
void digestlist_write(FILE *out, const struct digestlist *list);

/* Adds a page; -E2BIG: the list has DIGESTLIST_PAGES_MAX. */
int digestlist_add(struct digestlist *, struct digestlist_page);

/* Adds a fragment; -E2BIG: the list has DIGESTLIST_FRAGMENTS_MAX. */
int digestlist_add_fragment(struct digestlist *, struct digestlist_fragment);

/* Leaves each fragment once, in the order of digests, fixed if any was. */
void digestlist_sort(struct digestlist *);

/* May @s be a value: printable ASCII, shorter than DIGESTLIST_TEXT? */
bool digestlist_is_value(const char *s);

/* Leaves an empty list; harmless on one. */
void digestlist_free(struct digestlist *);

#endif
