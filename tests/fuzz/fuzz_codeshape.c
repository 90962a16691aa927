/* Code is any bytes. */
#include <stdlib.h>
#include "codeshape.c"
#include "codeshape_aarch64.c"
#include "codeshape_x86.c"

static void count(void *user, uint64_t digest)
{
	(void)digest;
	++*(size_t *)user;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *code = malloc(len ? len : 1); /* its end is watched */
	size_t n = 0;

	memcpy(code, data, len);
	codeshape(CODESHAPE_X86_64, code, len, count, &n);
	codeshape(CODESHAPE_AARCH64, code, len, count, &n);
	if (n > 2 * len || codeshape_x86_length(code, len) > 15)
		abort();
	free(code);
	return 0;
}
