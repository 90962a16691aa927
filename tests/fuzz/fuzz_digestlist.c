/* A digest list is any text; what is accepted must survive being written and
 * read again.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iagent THIS */
#include "text.c"
#include "digestlist.c"

static int read_text(const char *text, size_t len, struct digestlist *ret,
		     struct why *why)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, len, "r");
	int error;

	if (!in)
		abort();
	error = digestlist_read(in, "input", ret, why);
	fclose(in);
	return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct digestlist list, again;
	struct why why = { "" };
	char *text = NULL;
	size_t text_len = 0;
	FILE *out;

	if (len == 0)
		return 0;
	if (read_text((const char *)data, len, &list, &why)) {
		if (!why.text[0])
			abort();
		return 0;
	}
	out = open_memstream(&text, &text_len);
	if (!out)
		abort();
	digestlist_write(out, &list);
	fclose(out);
	if (read_text(text, text_len, &again, &why) ||
	    again.n_pages != list.n_pages)
		abort();
	free(text);
	digestlist_free(&list);
	digestlist_free(&again);
	return 0;
}
