/* hashread.c - a hash set back as the digest lists that it was made of. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "flow.h"
#include "hashread.h"
#include "hashutil.h"
#include "sha256.h"

static void describe(const struct hashset *s, uint32_t i,
		     struct digestlist *ret)
{
	static const uint8_t unknown[32];
	struct hashset_binary b = hashset_binary(s, i);

	snprintf(ret->family, sizeof(ret->family), "%s", b.family);
	snprintf(ret->name, sizeof(ret->name), "%s", b.name);
	snprintf(ret->version, sizeof(ret->version), "%s", b.version);
	snprintf(ret->arch, sizeof(ret->arch), "%s", b.arch);
	if (memcmp(hashset_sha256(s, i), unknown, sizeof(unknown)))
		sha256_hex(hashset_sha256(s, i), ret->sha256);
}

static void give(const struct hashset *s, struct digest d, uint32_t ref,
		 struct digestlist *lists)
{
	uint32_t binary = HASHSET_REF_BINARY(ref);
	uint32_t kind = HASHSET_REF_KIND(ref);
	struct digestlist *l = &lists[binary];
	bool code = l->n_pages < hashset_binary(s, binary).n_code_pages;

	if (kind == HASHSET_FRAGMENT)
		digestlist_add_fragment(
			l, (struct digestlist_fragment){ d, true });
	else
		digestlist_add(l, (struct digestlist_page){
					  .digest = d,
					  .flags = (uint8_t)(
						  REGION_READ |
						  (code ? REGION_EXEC : 0)) });
}

void hashread_lists(const struct hashset *s, struct digestlist **ret,
		    size_t *ret_n)
{
	size_t n = hashset_n_binaries(s);
	struct digestlist *lists = hashutil_realloc(NULL, n, sizeof(*lists));

	memset(lists, 0, n * sizeof(*lists));
	for (uint32_t i = 0; i < n; i++)
		describe(s, i, &lists[i]);
	for (uint32_t page = 0; page < hashset_n_pages(s); page++) {
		const uint32_t *refs;
		size_t n_refs = hashset_refs(s, page, &refs);

		for (size_t k = 0; k < n_refs; k++)
			give(s, hashset_page(s, page), refs[k], lists);
	}
	*ret = lists;
	*ret_n = n;
}

void hashread_free(struct digestlist *lists, size_t n)
{
	for (size_t i = 0; i < n; i++)
		digestlist_free(&lists[i]);
	free(lists);
}

/* @of: for each binary a count of each kind. */
static int count(const struct hashset *s, uint32_t (*of)[HASHSET_KINDS],
		 struct why *why)
{
	for (uint32_t page = 0; page < hashset_n_pages(s); page++) {
		struct digest d = hashset_page(s, page);
		const uint32_t *refs;
		uint32_t found;
		size_t n = hashset_refs(s, page, &refs);

		hashset_lookup(s, &d, 1, &found);
		if (found != page)
			return why_set(why, -EBADMSG,
				       "page %u is not found: its filter is "
				       "damaged",
				       page);
		if (!n)
			return why_set(why, -EBADMSG,
				       "page %u is no binary's", page);
		for (size_t k = 0; k < n; k++)
			of[HASHSET_REF_BINARY(refs[k])]
			  [HASHSET_REF_KIND(refs[k])]++;
	}
	return 0;
}

int hashread_verify(const struct hashset *s, struct why *why)
{
	size_t n = hashset_n_binaries(s);
	uint32_t(*of)[HASHSET_KINDS] = hashutil_realloc(NULL, n, sizeof(*of));
	int err;

	memset(of, 0, n * sizeof(*of));
	err = count(s, of, why);
	for (uint32_t i = 0; i < n && !err; i++) {
		struct hashset_binary b = hashset_binary(s, i);

		if (of[i][HASHSET_PAGE] != b.n_pages ||
		    of[i][HASHSET_FRAGMENT] != b.n_fragments)
			err = why_set(why, -EBADMSG,
				      "binary %u (%s) has %u pages and %u "
				      "fragments, not %u and %u",
				      i, b.name, of[i][HASHSET_PAGE],
				      of[i][HASHSET_FRAGMENT], b.n_pages,
				      b.n_fragments);
	}
	free(of);
	return err;
}
