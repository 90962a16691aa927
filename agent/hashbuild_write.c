/* hashbuild_write.c - sorted binaries and entries as the bytes of a set. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include "hashbuild_own.h"
#include "hashutil.h"

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

		refs[i] = w->entries[i].binary | (uint32_t)w->entries[i].kind
							 << 16;
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

/* The texts, where each begins, and what the head says of all. */
static int begin(struct writer *w, const struct hashbuild_sum *sum,
		 size_t n_entries, struct why *why)
{
	size_t n = (size_t)sum->n_binaries * TEXTS, at = 0;

	if (sum->n_pages > HASHFORMAT_PAGES_MAX)
		return why_set(why, -E2BIG,
			       "more than %u distinct pages; "
			       "build several sets",
			       HASHFORMAT_PAGES_MAX);
	w->texts = hashutil_realloc(NULL, n, sizeof(*w->texts));
	w->n_texts = collect_texts(w->binaries, sum->n_binaries, w->texts);
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
	w->head.n_refs = (uint32_t)n_entries;
	w->head.strings_size = (uint32_t)at;
	return 0;
}

int hashbuild_write(struct binary *const *binaries, const struct entry *entries,
		    size_t n_entries, const struct hashbuild_sum *sum,
		    uint8_t **ret, size_t *ret_len, struct why *why)
{
	struct writer w = { .binaries = binaries, .entries = entries };
	int error = begin(&w, sum, n_entries, why);

	if (!error) {
		write_all(&w);
		*ret = w.bytes;
		*ret_len = w.head.file_size;
	}
	free(w.texts);
	free(w.text_at);
	return error;
}
