/* digestlist.c - digest lists, read strictly: a list that is not understood
 * to the last byte is refused, since a set built from half of one would find
 * less than its owner believes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "digestlist.h"
#include "flow.h"
#include "hashformat.h"
#include "hashutil.h"
#include "text.h"

#define LINE_MAX_BYTES 512
#define NO_DIGEST      "is no digest: 32 lower-case hex digits"
#define DIGEST_KIND    "XXH3-128 of 4096 bytes, high 64 bits first"
#define COLUMNS	       "segment\tfile offset\tdigest"
#define FRAGMENT_KIND                                      \
	"XXH3-128 of 32 bytes of code without addresses, " \
	"but the high 32 bits by bytes 3-10"

/* A key, and how a line of one begins. */
#define FRAGMENT "fragment"

/* A value that allows only one thing has @only, others an @offset. */
static const struct key {
	const char *name;
	size_t offset;
	const char *only;
	bool needed;
} keys[] = {
	{ "family", offsetof(struct digestlist, family), NULL, true },
	{ "binary", offsetof(struct digestlist, name), NULL, true },
	{ "version", offsetof(struct digestlist, version), NULL, false },
	{ "arch", offsetof(struct digestlist, arch), NULL, true },
	{ "file_sha256", offsetof(struct digestlist, sha256), NULL, false },
	{ "source", offsetof(struct digestlist, source), NULL, false },
	{ "subtracted", offsetof(struct digestlist, subtracted), NULL, false },
	{ "digest", 0, DIGEST_KIND, true },
	{ "columns", 0, COLUMNS, false },
	{ FRAGMENT, 0, FRAGMENT_KIND, false },
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

struct reader {
	const char *what;
	struct digestlist *list;
	bool seen[N_KEYS];
	bool fragments; /* a line of one was met */
	size_t line;
	struct why *why;
};

static int bad(const struct reader *r, const char *about, const char *how)
{
	char shown[80];

	return why_set(r->why, -EBADMSG, "%s:%zu: '%s' %s", r->what, r->line,
		       text_escape_str(about, shown, sizeof(shown)), how);
}

/* The value of @n lower-case hex digits at @s; false: it is none. */
static bool read_hex(const char *s, size_t n, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret = value;
	return true;
}

static bool is_sha256(const char *s)
{
	uint64_t part;

	return strlen(s) == 64 && read_hex(s, 16, &part) &&
	       read_hex(s + 16, 16, &part) && read_hex(s + 32, 16, &part) &&
	       read_hex(s + 48, 16, &part);
}

bool digestlist_is_value(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return n > 0 && n < DIGESTLIST_TEXT;
}

/* "# key<TAB>value" */
static int read_key(struct reader *r, char *line)
{
	char *name = line + 2, *value = strchr(line, '\t');
	size_t k = 0;

	if (line[1] != ' ' || !value)
		return bad(r, line, "is no '# key<TAB>value' line");
	*value++ = '\0';
	while (k < N_KEYS && strcmp(name, keys[k].name) != 0)
		k++;
	if (k == N_KEYS)
		return bad(r, name,
			   "is no key of a digest list; remove it or "
			   "call it 'source'");
	if (r->seen[k])
		return bad(r, name, "is given twice; keep one");
	if (r->list->n_pages || r->list->n_fragments)
		return bad(r, name, "stands behind a page; keys come first");
	r->seen[k] = true;
	if (keys[k].only)
		return strcmp(value, keys[k].only) == 0
			       ? 0
			       : bad(r, value,
				     "is another kind of digest list than "
				     "davylamp reads");
	if (!digestlist_is_value(value))
		return bad(r, value,
			   "is no value: 1 to 255 printable ASCII "
			   "characters");
	if (strcmp(name, "file_sha256") == 0 && !is_sha256(value))
		return bad(r, value, "is no SHA-256: 64 lower-case hex digits");
	strcpy((char *)r->list + keys[k].offset, value);
	return 0;
}

static bool read_flags(const char *s, uint8_t *ret)
{
	if ((s[0] != 'r' && s[0] != '-') || s[1] != '-' ||
	    (s[2] != 'x' && s[2] != '-') || s[3] != '\0')
		return false;
	*ret = (uint8_t)((s[0] == 'r' ? REGION_READ : 0) |
			 (s[2] == 'x' ? REGION_EXEC : 0));
	return true;
}

static bool read_offset(const char *s, uint64_t *ret)
{
	size_t n = strlen(s);

	return n > 2 && n <= 18 && s[0] == '0' && s[1] == 'x' &&
	       read_hex(s + 2, n - 2, ret) && *ret % FLOW_PAGE == 0;
}

static bool read_digest(const char *s, struct digest *ret)
{
	return strlen(s) == 32 && read_hex(s, 16, &ret->high) &&
	       read_hex(s + 16, 16, &ret->low);
}

/* "r-x<TAB>0x1000<TAB>digest" */
static int read_page(struct reader *r, char *line)
{
	struct digestlist_page page = { 0 };
	char *offset = strchr(line, '\t');
	char *digest = offset ? strchr(offset + 1, '\t') : NULL;

	if (!digest)
		return bad(r, line,
			   "is no 'segment<TAB>offset<TAB>digest' "
			   "line");
	*offset++ = '\0';
	*digest++ = '\0';
	if (!read_flags(line, &page.flags))
		return bad(r, line,
			   "is no segment of this list: r--, r-x or "
			   "--x (writable pages do not belong here)");
	if (!read_offset(offset, &page.offset))
		return bad(r, offset,
			   "is no file offset: 0x and hex digits, "
			   "a multiple of 0x1000");
	if (!read_digest(digest, &page.digest))
		return bad(r, digest, NO_DIGEST);
	if (digestlist_add(r->list, page))
		return bad(r, digest,
			   "is one page too many; a list may have "
			   "1048576");
	return 0;
}

/* "fragment<TAB>digest" */
static int read_fragment(struct reader *r, const char *digest)
{
	struct digestlist_fragment f = { .fixed = true };

	r->fragments = true;
	if (!read_digest(digest, &f.digest))
		return bad(r, digest, NO_DIGEST);
	if (digestlist_add_fragment(r->list, f))
		return bad(r, digest, "is one fragment too many");
	return 0;
}

static int read_line(struct reader *r, char *line)
{
	if (line[0] == '#')
		return read_key(r, line);
	if (!strncmp(line, FRAGMENT "\t", sizeof(FRAGMENT)))
		return read_fragment(r, line + sizeof(FRAGMENT));
	return read_page(r, line);
}

static bool is_needed(const struct reader *r, const struct key *k)
{
	return k->needed || (r->fragments && !strcmp(k->name, FRAGMENT));
}

static int read_lines(struct reader *r, FILE *in)
{
	char line[LINE_MAX_BYTES];
	int error = 0;

	while (!error && fgets(line, sizeof(line), in)) {
		size_t n = strlen(line);

		r->line++;
		if (n == 0 || line[n - 1] != '\n')
			return bad(r, line,
				   "is no line: too long, cut off or "
				   "with a NUL byte");
		line[n - 1] = '\0';
		error = read_line(r, line);
	}
	if (!error && ferror(in))
		return why_set(r->why, -EIO, "%s: %s", r->what,
			       strerror(errno));
	for (size_t k = 0; k < N_KEYS && !error; k++)
		if (is_needed(r, &keys[k]) && !r->seen[k])
			error = bad(r, keys[k].name,
				    "is missing; add a "
				    "'# key<TAB>value' line");
	return error;
}

int digestlist_read(FILE *in, const char *what, struct digestlist *ret,
		    struct why *why)
{
	struct digestlist list = { 0 };
	struct reader r = { .what = what, .list = &list, .why = why };
	int error = read_lines(&r, in);

	if (error)
		digestlist_free(&list);
	else
		*ret = list;
	return error;
}

void digestlist_write(FILE *out, const struct digestlist *list)
{
	for (size_t k = 0; k < N_KEYS; k++) {
		const char *value =
			keys[k].only ? keys[k].only
				     : (const char *)list + keys[k].offset;
		bool none =
			!strcmp(keys[k].name, FRAGMENT) && !list->n_fragments;

		if (*value && !none)
			fprintf(out, "# %s\t%s\n", keys[k].name, value);
	}
	for (size_t i = 0; i < list->n_pages; i++) {
		const struct digestlist_page *p = &list->pages[i];

		fprintf(out,
			"%c-%c\t0x%" PRIx64 "\t%016" PRIx64 "%016" PRIx64 "\n",
			p->flags & REGION_READ ? 'r' : '-',
			p->flags & REGION_EXEC ? 'x' : '-', p->offset,
			p->digest.high, p->digest.low);
	}
	for (size_t i = 0; i < list->n_fragments; i++) {
		const struct digestlist_fragment *f = &list->fragments[i];

		if (f->fixed)
			fprintf(out,
				FRAGMENT "\t%016" PRIx64 "%016" PRIx64 "\n",
				f->digest.high, f->digest.low);
	}
}

static int by_digest(const void *left, const void *right)
{
	const struct digestlist_fragment *a = left, *b = right;

	return hashformat_compare(a->digest, b->digest) ?: b->fixed - a->fixed;
}

void digestlist_sort(struct digestlist *list)
{
	struct digestlist_fragment *f = list->fragments;
	size_t n = 0;

	if (list->n_fragments)
		qsort(f, list->n_fragments, sizeof(*f), by_digest);
	for (size_t i = 0; i < list->n_fragments; i++)
		if (!n || hashformat_compare(f[n - 1].digest, f[i].digest))
			f[n++] = f[i];
	list->n_fragments = n;
}

int digestlist_add(struct digestlist *list, struct digestlist_page page)
{
	void *pages = list->pages;
	int error = hashutil_room(&pages, &list->cap, list->n_pages,
				  DIGESTLIST_PAGES_MAX, sizeof(page));

	if (error)
		return error;
	list->pages = pages;
	list->pages[list->n_pages++] = page;
	return 0;
}

int digestlist_add_fragment(struct digestlist *list,
			    struct digestlist_fragment fragment)
{
	void *fragments = list->fragments;
	int error = hashutil_room(&fragments, &list->cap_fragments,
				  list->n_fragments, DIGESTLIST_FRAGMENTS_MAX,
				  sizeof(fragment));

	if (error)
		return error;
	list->fragments = fragments;
	list->fragments[list->n_fragments++] = fragment;
	return 0;
}

void digestlist_free(struct digestlist *list)
{
	free(list->fragments);
	free(list->pages);
	*list = (struct digestlist){ 0 };
}
