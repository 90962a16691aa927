/* Code is any bytes. */
#include <stdlib.h>
#include "text.c"
#include "hashcheck.c"
#define filter set_filter /* names that others have, too */
#include "hashset.c"
#include "fragment.c"
#include "fragment_aarch64.c"
#include "fragment_x86.c"

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
