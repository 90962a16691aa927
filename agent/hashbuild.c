/* hashbuild.c - from digest lists to the bytes of a set.
 *
 * All pages of all binaries stand in one array of {digest, binary}; sorted
 * and without duplicates it is the digests, the lists and the refs of the
 * file, read off from front to back.  Binaries are numbered in the order of
 * their names first, so that nothing depends on the order of arguments. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "flow.h"
#include "hashbuild.h"
#include "hashformat.h"
#include "hashutil.h"

enum { NAME, FAMILY, VERSION, ARCH, TEXTS };

struct binary {
	char *text[TEXTS];
	uint8_t sha256[32];
	uint32_t number; /* in the set */
	uint32_t n_pages, n_code_pages, n_fragments;
};

struct entry {
	struct digest digest;
	uint32_t binary; /* in the order they came, then as numbered */
	uint8_t kind;	 /* HASHSET_REF_KIND() */
	bool code;
};

struct hashbuild {
	struct binary **binaries;
	size_t n_binaries, cap_binaries;
	struct entry *entries;
	size_t n_entries, cap_entries;
};

struct hashbuild *hashbuild_new(void)
{
	struct hashbuild *b = hashutil_realloc(NULL, 1, sizeof(*b));

	*b = (struct hashbuild){ 0 };
	return b;
}

void hashbuild_free(struct hashbuild *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_binaries; i++) {
		for (int k = 0; k < TEXTS; k++)
			free(b->binaries[i]->text[k]);
		free(b->binaries[i]);
	}
	free(b->binaries);
	free(b->entries);
	free(b);
}

/* ---- collecting --------------------------------------------------------- */

/* "" is 32 zeros; digestlist has checked the digits. */
static void parse_sha256(const char *hex, uint8_t ret[static 32])
{
	memset(ret, 0, 32);
	for (size_t i = 0; i < 64 && hex[i]; i++) {
		int digit = hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10;

		ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | (digit & 15));
	}
}

static int add_binary(struct hashbuild *b, const struct digestlist *list,
		      struct why *why)
{
	const char *const text[TEXTS] = { list->name, list->family,
					  list->version, list->arch };
	static const char *const what[TEXTS] = { "name", "family", "version",
						 "architecture" };
	void *binaries = b->binaries;
	struct binary *binary;

	for (int k = 0; k < TEXTS; k++)
		if (!digestlist_is_value(text[k]) && (k != VERSION || *text[k]))
			return why_set(why, -EINVAL,
				       "a binary needs a %s of 1 to 255 "
				       "printable ASCII characters",
				       what[k]);
	if (hashutil_room(&binaries, &b->cap_binaries, b->n_binaries,
			  HASHFORMAT_BINARIES_MAX, sizeof(binary)))
		return why_set(why, -E2BIG,
			       "more than %u binaries; build "
			       "several sets",
			       HASHFORMAT_BINARIES_MAX);
	b->binaries = binaries;
	binary = hashutil_realloc(NULL, 1, sizeof(*binary));
	*binary = (struct binary){ 0 };
	for (int k = 0; k < TEXTS; k++) {
		size_t len = strlen(text[k]) + 1;

		binary->text[k] = hashutil_realloc(NULL, len, 1);
		memcpy(binary->text[k], text[k], len);
	}
	parse_sha256(list->sha256, binary->sha256);
	b->binaries[b->n_binaries++] = binary;
	return 0;
}

static int add_entry(struct hashbuild *b, struct digest digest, uint8_t kind,
		     bool code, struct why *why)
{
	void *entries = b->entries;

	if (hashutil_room(&entries, &b->cap_entries, b->n_entries,
			  HASHFORMAT_REFS_MAX, sizeof(*b->entries)))
		return why_set(why, -E2BIG,
			       "more than %u pages; build several sets",
			       HASHFORMAT_REFS_MAX);
	b->entries = entries;
	b->entries[b->n_entries++] = (struct entry){
		.digest = digest,
		.binary = (uint32_t)b->n_binaries - 1,
		.kind = kind,
		.code = code,
	};
	return 0;
}

int hashbuild_add(struct hashbuild *b, const struct digestlist *list,
		  struct why *why)
{
	int error = add_binary(b, list, why);

	for (size_t i = 0; i < list->n_pages && !error; i++)
		error = add_entry(b, list->pages[i].digest, HASHSET_PAGE,
				  list->pages[i].flags & REGION_EXEC, why);
	for (size_t i = 0; i < list->n_fragments && !error; i++)
		if (list->fragments[i].fixed)
			error = add_entry(b, list->fragments[i].digest,
					  HASHSET_FRAGMENT, false, why);
	return error;
}

/* ---- ordering ----------------------------------------------------------- */

static int compare_binaries(const void *left, const void *right)
{
	const struct binary *a = *(struct binary *const *)left;
	const struct binary *b = *(struct binary *const *)right;
	int order = strcmp(a->text[NAME], b->text[NAME]);

	if (!order)
		order = memcmp(a->sha256, b->sha256, sizeof(a->sha256));
	for (int k = FAMILY; k < TEXTS && !order; k++)
		order = strcmp(a->text[k], b->text[k]);
	return order;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = hashformat_compare(a->digest, b->digest);

	if (!order)
		order = (a->binary > b->binary) - (a->binary < b->binary);
	return order ? order : a->kind - b->kind;
}

/* Sorts the binaries; those that agree in all are one, and only the first of
 * them stays in @sorted.  Returns how many stay. */
static size_t number_binaries(struct hashbuild *b, struct binary **sorted)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_binaries; i++)
		sorted[i] = b->binaries[i];
	if (b->n_binaries)
		qsort(sorted, b->n_binaries, sizeof(*sorted), compare_binaries);
	for (size_t i = 0; i < b->n_binaries; i++) {
		if (n == 0 || compare_binaries(&sorted[n - 1], &sorted[i]) != 0)
			sorted[n++] = sorted[i];
		sorted[i]->number = (uint32_t)n - 1;
	}
	return n;
}

/* Do HASHBUILD_COMMON families or more have the digest whose entries begin at
 * @i?  The entries are sorted. */
static bool is_common(const struct hashbuild *b, struct binary *const *sorted,
		      size_t i)
{
	const char *met[HASHBUILD_COMMON];
	size_t n = 0;

	for (size_t k = i; k < b->n_entries && n < HASHBUILD_COMMON &&
			   !hashformat_compare(b->entries[k].digest,
					       b->entries[i].digest);
	     k++) {
		const char *family =
			sorted[b->entries[k].binary]->text[FAMILY];
		size_t m = 0;

		while (m < n && strcmp(met[m], family) != 0)
			m++;
		if (m == n)
			met[n++] = family;
	}
	return n == HASHBUILD_COMMON;
}

/* Sorts the entries, makes them unique, takes out what is good or common. */
static void order_entries(struct hashbuild *b, struct hashgood *good,
			  struct binary **sorted, struct hashbuild_sum *sum)
{
	size_t n = 0;
	bool drop = false;

	for (size_t i = 0; i < b->n_entries; i++)
		b->entries[i].binary =
			b->binaries[b->entries[i].binary]->number;
	if (b->n_entries)
		qsort(b->entries, b->n_entries, sizeof(*b->entries),
		      compare_entries);
	for (size_t i = 0; i < b->n_entries; i++) {
		struct entry e = b->entries[i];

		/* Nothing is written ahead of i: i - 1 is as it was. */
		if (i == 0 ||
		    hashformat_compare(e.digest, b->entries[i - 1].digest)) {
			bool is_good = hashgood_has(good, e.digest);

			drop = is_good || is_common(b, sorted, i);
			sum->n_subtracted += is_good;
			sum->n_common += drop && !is_good;
		}
		if (drop)
			continue;
		if (n && compare_entries(&b->entries[n - 1], &e) == 0)
			b->entries[n - 1].code |= e.code;
		else
			b->entries[n++] = e;
	}
	b->n_entries = n;
	for (size_t i = 0; i < n; i++) {
		struct binary *owner = sorted[b->entries[i].binary];

		owner->n_pages += b->entries[i].kind == HASHSET_PAGE;
		owner->n_code_pages += b->entries[i].code;
	}
}

/* Counts what stays: of a binary's fragments so many, and none of one without
 * pages. */
static void count_entries(struct hashbuild *b, struct binary **sorted,
			  struct hashbuild_sum *sum)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_entries; i++) {
		struct entry e = b->entries[i];
		struct binary *owner = sorted[e.binary];
		bool is_new = n == 0 || hashformat_compare(
						e.digest,
						b->entries[n - 1].digest);

		if (!owner->n_pages ||
		    (e.kind && owner->n_fragments == HASHBUILD_FRAGMENTS))
			continue;
		owner->n_fragments += e.kind == HASHSET_FRAGMENT;
		sum->n_pages += is_new;
		sum->n_fragments += is_new && e.kind;
		b->entries[n++] = e;
	}
	b->n_entries = n;
}

/* ---- writing ------------------------------------------------------------ */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each different text of the binaries once, sorted: how many. */
static size_t collect_texts(struct binary *const *binaries, size_t n_binaries,
			    const char **texts)
{
	size_t n = 0, n_all = n_binaries * TEXTS;

	for (size_t i = 0; i < n_all; i++)
		texts[i] = binaries[i / TEXTS]->text[i % TEXTS];
	if (n_all)
		qsort(texts, n_all, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < n_all; i++)
		if (n == 0 || strcmp(texts[n - 1], texts[i]) != 0)
			texts[n++] = texts[i];
	return n;
}

struct writer {
	struct hashformat_header head;
	struct binary *const *binaries;
	const struct entry *entries;
	const char **texts;
	uint32_t *text_at; /* where each begins */
	size_t n_texts;
	uint8_t *bytes;
};

static uint32_t text_offset(const struct writer *w, const char *text)
{
	const char **found = bsearch(&text, w->texts, w->n_texts,
				     sizeof(*w->texts), compare_texts);

	return w->text_at[found - w->texts];
}

static void write_binaries(const struct writer *w)
{
	struct hashformat_binary *to =
		(void *)(w->bytes + w->head.offset[HASHFORMAT_BINARIES]);
	char *strings = (char *)w->bytes + w->head.offset[HASHFORMAT_STRINGS];

	for (size_t i = 0; i < w->n_texts; i++)
		strcpy(strings + w->text_at[i], w->texts[i]);
	for (uint32_t i = 0; i < w->head.n_binaries; i++) {
		const struct binary *from = w->binaries[i];

		to[i].family = text_offset(w, from->text[FAMILY]);
		to[i].name = text_offset(w, from->text[NAME]);
		to[i].version = text_offset(w, from->text[VERSION]);
		to[i].arch = text_offset(w, from->text[ARCH]);
		to[i].n_pages = from->n_pages;
		to[i].n_code_pages = from->n_code_pages;
		memcpy(to[i].sha256, from->sha256, sizeof(to[i].sha256));
		to[i].n_fragments = from->n_fragments;
	}
}

static void set_start(const struct writer *w, struct digest d)
{
	uint32_t *starts =
		(void *)(w->bytes + w->head.offset[HASHFORMAT_STARTS]);
	uint64_t bit =
		d.high >> (64 - hashformat_start_bits(w->head.n_fragments));

	starts[bit / 32] |= 1U << bit % 32;
}

static void write_pages(const struct writer *w)
{
	const uint64_t *at = w->head.offset;
	struct hashformat_block *filter =
		(void *)(w->bytes + at[HASHFORMAT_FILTER]);
	struct digest *digests = (void *)(w->bytes + at[HASHFORMAT_DIGESTS]);
	uint32_t *pages = (void *)(w->bytes + at[HASHFORMAT_PAGES]);
	uint32_t *refs = (void *)(w->bytes + at[HASHFORMAT_REFS]);
	size_t n = 0;

	for (uint32_t i = 0; i < w->head.n_refs; i++) {
		struct digest d = w->entries[i].digest;
		uint32_t *word;

		refs[i] = w->entries[i].binary |
			  (uint32_t)w->entries[i].kind << 16;
		if (n && hashformat_compare(digests[n - 1], d) == 0)
			continue;
		digests[n] = d;
		pages[n++] = i;
		word = filter[hashformat_block(d, w->head.n_blocks)].word;
		for (int k = 0; k < 8; k++)
			word[k] |= hashformat_bit(d, k);
		if (w->entries[i].kind == HASHSET_FRAGMENT)
			set_start(w, d);
	}
}

static void write_head(struct writer *w)
{
	XXH128_canonical_t sum;

	memcpy(w->bytes, &w->head, sizeof(w->head));
	XXH128_canonicalFromHash(&sum,
				 XXH3_128bits(w->bytes, w->head.file_size));
	memcpy(w->head.checksum, &sum, sizeof(sum));
	memcpy(w->bytes, &w->head, sizeof(w->head));
}

/* The counts are set; the rest of the head follows from them. */
static void write_all(struct writer *w)
{
	uint64_t len = 0;
	size_t room;

	memcpy(w->head.magic, HASHFORMAT_MAGIC, sizeof(w->head.magic));
	w->head.version = HASHFORMAT_VERSION;
	w->head.header_size = sizeof(w->head);
	w->head.n_blocks = hashformat_blocks(w->head.n_pages);
	for (int i = 0; i < HASHFORMAT_SECTIONS; i++) {
		w->head.offset[i] = hashformat_layout(&w->head, i, &len);
		w->head.file_size = w->head.offset[i] + len;
	}
	room = (w->head.file_size + 63) & ~(size_t)63;
	w->bytes = aligned_alloc(64, room);
	if (!w->bytes)
		hashutil_out_of_memory();
	memset(w->bytes, 0, room);
	write_binaries(w);
	write_pages(w);
	write_head(w);
}

/* Binaries without pages leave; entries follow the new numbers. */
static void drop_empty(struct hashbuild *b, struct binary **sorted, size_t n,
		       struct hashbuild_sum *sum)
{
	uint32_t *number = hashutil_realloc(NULL, n, sizeof(*number));

	for (size_t i = 0; i < n; i++) {
		number[i] = sum->n_binaries;
		if (sorted[i]->n_pages)
			sorted[sum->n_binaries++] = sorted[i];
		else
			sum->n_empty++;
	}
	for (size_t i = 0; i < b->n_entries; i++)
		b->entries[i].binary = number[b->entries[i].binary];
	free(number);
}

static int write_set(const struct hashbuild *b, struct binary *const *binaries,
		     const struct hashbuild_sum *sum, struct writer *w,
		     struct why *why)
{
	size_t n = (size_t)sum->n_binaries * TEXTS, at = 0;

	if (sum->n_pages > HASHFORMAT_PAGES_MAX)
		return why_set(why, -E2BIG,
			       "more than %u distinct pages; "
			       "build several sets",
			       HASHFORMAT_PAGES_MAX);
	w->binaries = binaries;
	w->entries = b->entries;
	w->texts = hashutil_realloc(NULL, n, sizeof(*w->texts));
	w->n_texts = collect_texts(binaries, sum->n_binaries, w->texts);
	w->text_at = hashutil_realloc(NULL, w->n_texts, sizeof(*w->text_at));
	for (size_t i = 0; i < w->n_texts && at <= HASHFORMAT_STRINGS_MAX;
	     i++) {
		w->text_at[i] = (uint32_t)at;
		at += strlen(w->texts[i]) + 1;
	}
	if (at > HASHFORMAT_STRINGS_MAX)
		return why_set(why, -E2BIG,
			       "more than %u bytes of names; "
			       "build several sets",
			       HASHFORMAT_STRINGS_MAX);
	w->head.n_binaries = sum->n_binaries;
	w->head.n_pages = sum->n_pages;
	w->head.n_fragments = sum->n_fragments;
	w->head.n_refs = (uint32_t)b->n_entries;
	w->head.strings_size = (uint32_t)at;
	write_all(w);
	return 0;
}

int hashbuild_bytes(struct hashbuild *b, struct hashgood *subtract,
		    uint8_t **ret, size_t *ret_len,
		    struct hashbuild_sum *ret_sum, struct why *why)
{
	struct binary **sorted =
		hashutil_realloc(NULL, b->n_binaries, sizeof(*sorted));
	size_t n = number_binaries(b, sorted);
	struct hashbuild_sum sum = { 0 };
	struct writer w = { 0 };
	int error;

	order_entries(b, subtract, sorted, &sum);
	count_entries(b, sorted, &sum);
	drop_empty(b, sorted, n, &sum);
	error = write_set(b, sorted, &sum, &w, why);
	if (!error) {
		*ret = w.bytes;
		*ret_len = w.head.file_size;
		*ret_sum = sum;
	}
	free(w.texts);
	free(w.text_at);
	free(sorted);
	return error;
}
