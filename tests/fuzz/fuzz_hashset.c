/* A hash set is any bytes: as they come, and with a head made to fit them so
 * that the checksum and the layout do not end every run at the door.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iagent THIS
 * -lxxhash */
#include "text.c"
#include "hashcheck.c"
#include "hashset.c"

static void use(const struct hashset *s)
{
	static const uint8_t code[64] = { [11] = 0xff, [50] = 1 };
	uint16_t at[] = { 0, 8, 32 };
	struct digest d[3];
	uint32_t page[3];
	size_t sum = hashset_likely(s, code, at, 3, at);

	if (sum > 3)
		abort();
	for (uint32_t i = 0; i <= hashset_n_binaries(s); i++) {
		struct hashset_binary b = hashset_binary(s, i);

		sum += strlen(b.family) + strlen(b.name) + strlen(b.version) +
		       strlen(b.arch) + hashset_sha256(s, i)[31];
		if (i < hashset_n_binaries(s) && b.n_pages == 0)
			abort();
	}
	for (uint32_t i = 0; i < hashset_n_pages(s); i++) {
		const uint32_t *ref;
		size_t n = hashset_refs(s, i, &ref);

		for (size_t k = 0; k < n; k++)
			if (HASHSET_REF_BINARY(ref[k]) >=
				    hashset_n_binaries(s) ||
			    HASHSET_REF_KIND(ref[k]) >= HASHSET_KINDS)
				abort();
		d[0] = d[1] = d[2] = s->digests[i];
		d[1].low++;
		d[2].high -= sum;
		hashset_lookup(s, d, 3, page);
		/* its bits may be missing in the filter, but not in order */
		if (find(s, d[0]) != i || (page[0] != i &&
					   page[0] != HASHSET_NONE))
			abort();
	}
}

static void try(const uint8_t *bytes, size_t len)
{
	struct hashset *s;
	struct why why;

	if (hashset_from_memory(bytes, len, &s, &why))
		return;
	use(s);
	hashset_free(s);
}

static void make_fit(uint8_t *bytes, size_t len)
{
	struct hashformat_header *h = (void *)bytes;
	XXH128_canonical_t sum;
	uint64_t part;

	memcpy(h->magic, HASHFORMAT_MAGIC, sizeof(h->magic));
	h->version = HASHFORMAT_VERSION;
	h->header_size = sizeof(*h);
	h->file_size = len;
	h->n_blocks = hashformat_blocks(h->n_pages);
	for (int i = 0; i < HASHFORMAT_SECTIONS; i++)
		h->offset[i] = hashformat_layout(h, i, &part);
	memset(h->zero, 0, sizeof(h->zero));
	memset(h->checksum, 0, sizeof(h->checksum));
	XXH128_canonicalFromHash(&sum, XXH3_128bits(bytes, len));
	memcpy(h->checksum, &sum, sizeof(sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	void *copy = NULL;

	if (posix_memalign(&copy, 64, len ? len : 1))
		abort();
	if (len)
		memcpy(copy, data, len);
	try(copy, len);
	if (len >= sizeof(struct hashformat_header)) {
		make_fit(copy, len);
		try(copy, len);
	}
	free(copy);
	return 0;
}
