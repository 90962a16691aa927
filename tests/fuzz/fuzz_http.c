/* The lines of a reply's head are from anybody, and so is its body.  -lcurl */
#include <assert.h>
#include "text.c"
#include "http.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct http h = { 0 };

	while (len) {
		const uint8_t *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) + 1 : len;
		char *line = malloc(n); /* libcurl's has no end */

		memcpy(line, data, n);
		assert(on_header(line, 1, n, &h) == n || h.too_large);
		assert(h.retry_after_s < 86400);
		assert(on_body(line, 1, n, &h) == n || h.too_large);
		assert(h.len < h.cap && h.len <= HTTP_BODY_MAX);
		free(line);
		data += n;
		len -= n;
	}
	free(h.body);
	return 0;
}
