/* /proc/PID/stat is any text: the name in it is the process's to choose. */
#include <assert.h>
#include "text.c"
#include "capture_text.c"
#include "io.c"
#include "proc.c"
#include "proc_thread.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct proc was = { .dir = 3, .uid = 4 }, p = was;
	char *text = malloc(len + 1);

	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	if (proc_parse_stat(text, len, &p)) {
		assert(!memcmp(&p, &was, sizeof(p)));
	} else {
		assert(p.pid > 0 && p.dir == 3 && p.uid == 4);
		assert(memchr(p.comm, '\0', sizeof(p.comm)));
		assert(memchr(text, '(', len) && memchr(text, ')', len));
	}
	free(text);
	return 0;
}
