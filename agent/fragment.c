/* fragment.c - pieces of code that stay the same wherever they are put. */
#include <stdlib.h>
#include <string.h>
#include "fragment.h"
#include "fragment_own.h"
#include "hashutil.h"

int fragment_find(enum fragment_machine machine, const uint8_t *code,
		  size_t len,
		  int (*take)(void *user, size_t offset, struct digest,
			      bool fixed),
		  void *user)
{
	bool walks = machine != FRAGMENT_UNKNOWN;
	uint8_t *moves = walks ? hashutil_realloc(NULL, len, 1) : NULL;
	int err = 0;

	if (walks)
		memset(moves, 0, len);
	if (machine == FRAGMENT_AARCH64)
		fragment_aarch64(code, len, moves);
	else if (walks)
		fragment_x86(code, len, moves);
	for (size_t i = 0; i + KERNEL_FRAGMENT <= len && !err; i++) {
		const uint8_t *p = code + i;

		if (kernel_is_anchor(p) &&
		    memcmp(p, p + 1, KERNEL_FRAGMENT - 1) != 0)
			err = take(user, i, hashset_fragment(p),
				   walks && !memchr(moves + i, 1,
						    KERNEL_FRAGMENT));
	}
	free(moves);
	return err;
}
