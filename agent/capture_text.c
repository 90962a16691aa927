/* capture_text.c - the texts of a capture, for programs that read no memory and
 * so link no zstd. */
#include "capture_own.h"

const char *capture_text(const struct capture *c, enum capture_text which,
			 size_t *ret_len)
{
	*ret_len = c->text_len[which];
	return c->text[which];
}
