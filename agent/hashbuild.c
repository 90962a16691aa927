/* hashbuild.c - from digest lists to what a set holds, in its order.
 *
 * All pages of all binaries stand in one array of {digest, binary}; sorted
 * and without duplicates it is the digests, the lists and the refs of the
 * file, which hashbuild_write.c reads off from front to back.  Binaries are
 * numbered in the order of their names first, so that nothing depends on the
 * order of arguments. */
#include <stdlib.h>
#include <string.h>
#include "flow.h"
#include "hashbuild_own.h"
#include "hashutil.h"

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

/* ---- collecting ------------------------------------------------------ */

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

/* ---- ordering -------------------------------------------------------- */

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

int hashbuild_bytes(struct hashbuild *b, struct hashgood *subtract,
		    uint8_t **ret, size_t *ret_len,
		    struct hashbuild_sum *ret_sum, struct why *why)
{
	struct binary **sorted =
		hashutil_realloc(NULL, b->n_binaries, sizeof(*sorted));
	size_t n = number_binaries(b, sorted);
	struct hashbuild_sum sum = { 0 };
	int error;

	order_entries(b, subtract, sorted, &sum);
	count_entries(b, sorted, &sum);
	drop_empty(b, sorted, n, &sum);
	error = hashbuild_write(sorted, b->entries, b->n_entries, &sum, ret,
				ret_len, why);
	if (!error)
		*ret_sum = sum;
	free(sorted);
	return error;
}
