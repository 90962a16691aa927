/* What davylamp-verify says, which may have been taken over. */
#include <assert.h>
#include "text.c"
#include "verify.c"

/* Instead of where our programs are, and whose files. */
int self_program(const char *name, char *ret, size_t cap, struct why *why)
{
	(void)name;
	(void)ret;
	(void)cap;
	return why_set(why, -ENOENT, "none");
}

int owned_check(int fd, mode_t type, const char *shown, struct why *why)
{
	(void)fd;
	(void)type;
	return why_set(why, -EPERM, "%s", shown);
}

static void plain(const char *s)
{
	for (; *s; s++)
		assert((unsigned char)*s >= 0x20 && *s != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct verify_answer *a = calloc(1, sizeof(*a));
	struct why why = { "" };
	int err;

	if (!a)
		abort();
	memcpy(a, data, len < sizeof(*a) ? len : sizeof(*a));
	err = check_answer(a, (ssize_t)len, &why);
	if (err) {
		assert(err < 0 && why.text[0]);
		plain(why.text);
	} else {
		assert(len == sizeof(*a) && strlen(a->key) == 16);
		plain(a->key);
		assert(memchr(a->comment, 0, sizeof(a->comment)));
	}
	free(a);
	return 0;
}
