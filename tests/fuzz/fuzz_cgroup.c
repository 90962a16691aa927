/* /proc/PID/cgroup is any text: who may make a cgroup names it.  -ljson-c */
#include <assert.h>
#include <stdlib.h>
#include "text.c"
#include "capture_text.c"
#include "io.c"
#include "proc.c"
#include "proc_thread.c"
#include "report_json.c"
#include "container.c"
#include "container_file.c"
#include "who.c"

/* For who_read(), which is not called. */
int exefile_open(const struct proc *p)
{
	(void)p;
	return -ESRCH;
}

bool exefile_is_nameless(const struct proc *p)
{
	(void)p;
	return false;
}

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
	assert(memchr(w->container.runtime, '\0',
		      sizeof(w->container.runtime)));
	assert(memchr(w->unit, '\0', sizeof(w->unit)));
	assert(!w->container.id[0] == !w->container.runtime[0]);
	if (w->container.id[0])
		assert(strspn(w->container.id, "0123456789abcdef") == 64 &&
		       !w->container.id[64] && strstr(text, w->container.id));
	assert(strspn(w->container.pod_uid, "0123456789abcdef-") ==
	       strlen(w->container.pod_uid));
	(void)who_in_unit(text, "a.slice");
	if (who_in_unit(text, "b.service"))
		assert(strstr(text, "b.service"));
	free(text);
	free(w);
	return 0;
}
