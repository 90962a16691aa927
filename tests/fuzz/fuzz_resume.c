/* What the service knew when it ended: a file of its own user, or damaged. */
#include <assert.h>
#include "io.c"
#include "queue.c"
#include "resume.c"

#define TARGETS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char first[256];
	static struct queue *q;
	uint64_t now;
	char *text;
	size_t n;

	if (!q && (queue_new(&q) || head("1", first, sizeof(first))))
		abort();
	for (int i = 1; i <= TARGETS; i++)
		queue_add(q, i, 10 * (unsigned)i)->full_ns = 0;
	n = strlen(first);
	text = malloc(n + len + 1);
	memcpy(text, first, n);
	if (len)
		memcpy(text + n, data, len);
	text[n + len] = '\0';
	if (len && data[0] == '!')
		memmove(text, text + n, len + 1); /* no such file */
	(void)resume_parse(text, "1", q);
	now = io_now_ns();
	for (size_t i = 0; i < TARGETS; i++)
		assert(queue_target(q, i)->full_ns <= now &&
		       queue_target(q, i)->start_ticks == 10 * (i + 1));
	assert(!queue_target(q, TARGETS)); /* it makes none */
	free(text);
	return 0;
}
