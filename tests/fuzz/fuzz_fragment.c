/* Code is any bytes.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iagent THIS
 * -lxxhash */
#include <stdlib.h>
#include <xxhash.h>
#include "fragment.c"
#include "fragment_aarch64.c"
#include "fragment_x86.c"

/* What is needed of hashset.c. */
struct digest hashset_fragment(const uint8_t code[static 32])
{
	XXH128_hash_t h = XXH3_128bits(code, 32);

	return (struct digest){ .high = h.high64, .low = h.low64 };
}

static int count(void *user, size_t offset, struct digest digest, bool fixed)
{
	size_t *n = user;

	(void)digest;
	(void)fixed;
	if (offset + KERNEL_FRAGMENT > n[1])
		abort();
	n[0]++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *code = malloc(len ? len : 1); /* its end is watched */
	size_t n[2] = { 0, len };

	memcpy(code, data, len);
	fragment_find(FRAGMENT_X86_64, code, len, count, n);
	fragment_find(FRAGMENT_AARCH64, code, len, count, n);
	if (n[0] > 2 * len || fragment_x86_length(code, len) > 15)
		abort();
	free(code);
	return 0;
}
