/* cmd_rules_test.c - `davylamp rules test`: hands over to the program of
 * bench/rules, which starts processes, scans them with us and counts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd_rules.h"
#include "commands.h"
#include "io.h"
#include "self.h"

int cmd_rules_test(int argc, char **argv)
{
	char path[4096], self[4096];
	char **words = calloc((size_t)argc + 4, sizeof(*words));
	struct why why = { "" };

	if (!words)
		return EXIT_UNABLE;
	if (io_link_at(AT_FDCWD, "/proc/self/exe", self, sizeof(self)) < 0)
		why_set(&why, -errno,
			"/proc/self/exe can not be read: mount "
			"/proc");
	if (why.text[0] ||
	    self_program("rules-test/__main__.py", path, sizeof(path), &why)) {
		fprintf(stderr, "davylamp rules test: %s\n", why.text);
		free(words);
		return EXIT_UNABLE;
	}
	words[0] = path;
	words[1] = (char *)"--davylamp";
	words[2] = self;
	memcpy(words + 3, argv + 1, (size_t)argc * sizeof(*argv) -
					    sizeof(*argv));
	execv(path, words);
	fprintf(stderr,
		"davylamp rules test: %s: %s; it needs /usr/bin/python3 "
		"(3.11 or later)\n",
		path, strerror(errno));
	free(words);
	return EXIT_UNABLE;
}
