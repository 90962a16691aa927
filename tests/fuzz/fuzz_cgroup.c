/* /proc/PID/cgroup is any text: who may make a cgroup names it. */
#include <assert.h>
#include <stdlib.h>
#include "text.c"
#include "capture_text.c"
#include "io.c"
#include "proc.c"
#include "who.c"

void peers_read(const struct proc *p, struct peers *ret)
{
	(void)p;
	(void)ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct who *w = calloc(1, sizeof(*w));
	char *text = malloc(len + 1);

	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	who_parse_cgroup(text, w);
	assert(memchr(w->runtime, '\0', sizeof(w->runtime)));
	assert(memchr(w->unit, '\0', sizeof(w->unit)));
	assert(!w->container[0] == !w->runtime[0]);
	if (w->container[0])
		assert(strspn(w->container, "0123456789abcdef") == 64 &&
		       !w->container[64] && strstr(text, w->container));
	free(text);
	free(w);
	return 0;
}
