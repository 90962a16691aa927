/* davylamp-verify - the process that checks a signature, and nothing else.
 *
 * Started by `davylamp rules install` and `davylamp hash install` with the
 * file, its signature and the trusted keys; gives up root, network, files and
 * all but a few system calls, and only then looks at any of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>
#include "match_sandbox.h"
#include "minisign.h"
#include "verify.h"

struct bytes {
	const uint8_t *at;
	size_t len;
};

static int map(int fd, struct bytes *ret)
{
	struct stat st;
	void *at;

	if (fstat(fd, &st))
		return -errno;
	*ret = (struct bytes){ (const uint8_t *)"", 0 };
	if (!st.st_size)
		return 0;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	*ret = (struct bytes){ at, (size_t)st.st_size };
	return 0;
}

/* The key files one behind the other, a NUL after each. */
static int read_keys(const struct bytes *texts,
		     struct minisign_key keys[static MINISIGN_KEYS],
		     size_t *ret_n, struct why *why)
{
	const char *at = (const char *)texts->at, *end = at + texts->len;
	size_t n = 0;

	while (at < end) {
		const char *stop = memchr(at, '\0', (size_t)(end - at));
		struct why how = { "" };

		if (!stop)
			stop = end;
		if (n == MINISIGN_KEYS)
			return why_set(why, -EBADMSG,
				       "more than %d keys are trusted here",
				       MINISIGN_KEYS);
		if (minisign_read_key(at, (size_t)(stop - at), &keys[n], &how))
			return why_set(why, -EBADMSG,
				       "key number %zu of " VERIFY_KEYS " %s",
				       n + 1, how.text);
		n++;
		at = stop + 1;
	}
	*ret_n = n;
	return 0;
}

static int check(const struct bytes *file, const struct bytes *signature,
		 const struct bytes *texts, struct verify_answer *ret,
		 struct why *why)
{
	static struct minisign_key keys[MINISIGN_KEYS];
	struct minisign_signature s;
	struct why how = { "" };
	size_t n = 0;
	int err = read_keys(texts, keys, &n, why);

	if (err)
		return err;
	if (minisign_read_signature((const char *)signature->at,
				    signature->len, &s, &how))
		return why_set(why, -EBADMSG, "the signature %s", how.text);
	err = minisign_verify(&s, file->at, file->len, keys, n, why);
	if (err)
		return err;
	minisign_key_name(s.id, ret->key);
	snprintf(ret->comment, sizeof(ret->comment), "%s", s.comment);
	return 0;
}

static int answer(struct verify_answer *a, int error, const struct why *why)
{
	a->error = error;
	snprintf(a->text, sizeof(a->text), "%s",
		 why->text[0] ? why->text : strerror(-error));
	return send(VERIFY_SOCKET, a, sizeof(*a), MSG_NOSIGNAL) < 0 ? 4 : 0;
}

int main(void)
{
	static struct verify_answer a; /* zeros */
	struct bytes file = { 0 }, signature = { 0 }, keys = { 0 };
	struct why why = { "" };
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (fcntl(VERIFY_KEY_TEXTS, F_GETFD) < 0) {
		fputs("davylamp-verify is started by davylamp, not by hand; "
		      "try: davylamp rules install FILE\n",
		      stderr);
		return 2;
	}
	err = minisign_begin();
	if (err)
		return answer(&a, err, &why);
	err = map(VERIFY_FILE, &file) ?: map(VERIFY_SIGNATURE, &signature)
		      ?: map(VERIFY_KEY_TEXTS, &keys);
	if (!err)
		err = match_sandbox_enter(&why);
	if (!err)
		err = check(&file, &signature, &keys, &a, &why);
	return answer(&a, err, &why);
}
