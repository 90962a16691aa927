/* self.c - where our other programs are. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "io.h"
#include "self.h"
#include "text.h"

int self_program(const char *name, char *ret, size_t cap, struct why *why)
{
	char self[4096], shown[256];
	ssize_t n = io_link_at(AT_FDCWD, "/proc/self/exe", self, sizeof(self));
	char *slash = n > 0 ? strrchr(self, '/') : NULL;

	if (slash) {
		*slash = '\0';
		if ((size_t)snprintf(ret, cap, "%s/%s", self, name) < cap &&
		    access(ret, X_OK) == 0)
			return 0;
	}
	if ((size_t)snprintf(ret, cap, "%s/%s", DAVYLAMP_LIBEXEC, name) < cap &&
	    access(ret, X_OK) == 0)
		return 0;
	return why_set(why, -ENOENT,
		       "%s is neither in '%s' nor in '%s'; install davylamp "
		       "whole, or keep its programs in one directory",
		       name,
		       text_escape_str(slash ? self : "?", shown,
				       sizeof(shown)),
		       DAVYLAMP_LIBEXEC);
}
