/* rules_source.c - the text of the rules. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rules_source.h"
#include "text.h"

/* "the rules in 'x': reason" with the path made printable. */
static int blame(struct why *why, int error, const char *path,
		 const char *reason)
{
	char shown[256];

	return why_set(why, error, "rules '%s': %s",
		       text_escape_str(path, shown, sizeof(shown)), reason);
}

int rules_source_add_text(struct rules_source *s, const char *name,
			  const char *text, size_t len, struct why *why)
{
	struct rules_file *f;

	if (s->n == RULES_SOURCE_FILES ||
	    len > RULES_SOURCE_MAX - s->bytes)
		return blame(why, -E2BIG, name,
			     "more than 10000 files or 64 MiB of rules; name "
			     "a smaller set");
	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 16;

		f = realloc(s->files, room * sizeof(*f));
		if (!f)
			return -ENOMEM;
		s->files = f;
		s->room = room;
	}
	f = &s->files[s->n];
	f->name = strdup(name);
	f->text = malloc(len + 1);
	f->len = len;
	f->included = false;
	if (!f->name || !f->text) {
		free(f->name);
		free(f->text);
		return -ENOMEM;
	}
	memcpy(f->text, text, len);
	f->text[len] = '\0';
	s->n++;
	s->bytes += len;
	return 0;
}

/* They are stored with each byte's highest bit flipped: our own image must
 * hold none of the strings that we look for in others. */
int rules_source_add_builtin(struct rules_source *s, struct why *why)
{
	extern const char builtin_rules[], builtin_rules_end[];
	size_t len = (size_t)(builtin_rules_end - builtin_rules);
	char *text = malloc(len + 1);
	int err;

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++)
		text[i] = (char)(builtin_rules[i] ^ 0x80);
	err = rules_source_add_text(s, "built-in", text, len, why);
	free(text);
	return err;
}

static int check_text(const char *path, const char *text, size_t len,
		      struct why *why)
{
	if (len >= 4 && !memcmp(text, "YARA", 4))
		return blame(why, -EINVAL, path,
			     "compiled rules are not taken (libyara trusts "
			     "them too far); give their source");
	if (memchr(text, '\0', len))
		return blame(why, -EINVAL, path,
			     "holds a NUL byte, so it is no rule source");
	return 0;
}

/* Reads the whole of @path; the caller frees *ret, which ends with a NUL. */
static int read_file(const char *path, char **ret, size_t *ret_len,
		     struct why *why)
{
	/* O_NONBLOCK: a FIFO with a rule file's name must not hold us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st = { 0 };
	char *text = NULL;
	size_t len = 0;
	ssize_t n = 1;
	int err = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		err = blame(why, -errno, path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err = blame(why, -EINVAL, path, "is not a regular file");
	else if (st.st_size > RULES_SOURCE_MAX)
		err = blame(why, -E2BIG, path, "is larger than 64 MiB");
	else if (!(text = malloc((size_t)st.st_size + 1)))
		err = -ENOMEM;
	while (!err && n && len < (size_t)st.st_size) {
		n = read(fd, text + len, (size_t)st.st_size - len);
		if (n < 0)
			err = blame(why, -errno, path, strerror(errno));
		else
			len += (size_t)n;
	}
	if (text && !err)
		err = check_text(path, text, len, why);
	if (fd >= 0)
		close(fd);
	if (err || !text) {
		free(text);
		return err ?: -ENOMEM;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}

static int add_file(struct rules_source *s, const char *path, struct why *why)
{
	char *text;
	size_t len;
	int err = read_file(path, &text, &len, why);

	if (err)
		return err;
	err = rules_source_add_text(s, path, text, len, why);
	free(text);
	return err;
}

/* A file that was included is so once, and stays as it was. */
static const char *included(const struct rules_source *s, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->files[i].included && !strcmp(s->files[i].name, path))
			return s->files[i].text;
	return NULL;
}

const char *rules_source_include(struct rules_source *s, const char *name,
				 const char *from)
{
	const char *slash = from ? strrchr(from, '/') : NULL, *known;
	struct why why;
	char path[4096];
	int n;

	if (*name == '/' || !slash)
		n = snprintf(path, sizeof(path), "%s", name);
	else
		n = snprintf(path, sizeof(path), "%.*s/%s",
			     (int)(slash - from), from, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return NULL;
	known = included(s, path);
	if (known || s->whole || add_file(s, path, &why))
		return known;
	s->files[s->n - 1].included = true;
	return s->files[s->n - 1].text;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_rules_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (!strcmp(dot, ".yar") || !strcmp(dot, ".yara"));
}

static int add_below(struct rules_source *s, FTS *tree, struct why *why)
{
	FTSENT *e;
	int err = 0;

	while (!err && (e = fts_read(tree))) {
		bool given = e->fts_level == FTS_ROOTLEVEL;

		if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR ||
		    e->fts_info == FTS_NS)
			err = blame(why, -e->fts_errno, e->fts_path,
				    strerror(e->fts_errno));
		else if (given && e->fts_info != FTS_D &&
			 e->fts_info != FTS_DP)
			err = add_file(s, e->fts_path, why);
		else if ((e->fts_info == FTS_F || e->fts_info == FTS_DEFAULT) &&
			 is_rules_name(e->fts_name))
			err = add_file(s, e->fts_path, why);
	}
	return err;
}

int rules_source_add(struct rules_source *s, const char *path,
		     struct why *why)
{
	char *const paths[] = { (char *)path, NULL };
	size_t before = s->n;
	FTS *tree;
	int err;

	if (!*path)
		return blame(why, -EINVAL, path, "the path is empty");
	tree = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR,
			by_name);
	if (!tree)
		return blame(why, -errno, path, strerror(errno));
	err = add_below(s, tree, why);
	fts_close(tree);
	if (!err && s->n == before)
		err = blame(why, -ENOENT, path,
			    "the directory holds no .yar or .yara file");
	return err;
}

/* ---- kept -------------------------------------------------------------- */

/* Before each file in what is saved: its name, then its text. */
struct saved {
	uint32_t name_len, len, included;
};

static void put(uint8_t **at, const void *bytes, size_t n)
{
	memcpy(*at, bytes, n);
	*at += n;
}

int rules_source_save(const struct rules_source *s, int fd)
{
	size_t size = s->bytes;
	uint8_t *map, *at;

	for (size_t i = 0; i < s->n; i++)
		size += sizeof(struct saved) + strlen(s->files[i].name);
	if (!size)
		return 0;
	if (ftruncate(fd, (off_t)size))
		return -errno;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	at = map;
	for (size_t i = 0; i < s->n; i++) {
		const struct rules_file *f = &s->files[i];
		const struct saved head = { (uint32_t)strlen(f->name),
					    (uint32_t)f->len, f->included };

		put(&at, &head, sizeof(head));
		put(&at, f->name, head.name_len);
		put(&at, f->text, head.len);
	}
	munmap(map, size);
	return 0;
}

/* The next file in the @n bytes at @*at, which moves behind it. */
static int load_file(struct rules_source *s, const char **at, size_t n)
{
	struct saved head;
	struct why why;
	char name[4096];
	int err;

	if (n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, *at, sizeof(head));
	n -= sizeof(head);
	if (head.name_len >= sizeof(name) || head.name_len > n ||
	    head.len > n - head.name_len)
		return -EBADMSG;
	*at += sizeof(head);
	memcpy(name, *at, head.name_len);
	name[head.name_len] = '\0';
	*at += head.name_len;
	err = rules_source_add_text(s, name, *at, head.len, &why);
	*at += head.len;
	if (!err)
		s->files[s->n - 1].included = head.included;
	return err;
}

int rules_source_load(struct rules_source *s, int fd)
{
	struct stat st;
	const char *at;
	char *map;
	int err = 0;

	s->whole = true;
	if (fstat(fd, &st))
		return -errno;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	at = map;
	while (!err && at < map + st.st_size)
		err = load_file(s, &at, (size_t)(map + st.st_size - at));
	munmap(map, (size_t)st.st_size);
	return err;
}

void rules_source_free(struct rules_source *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->files[i].name);
		free(s->files[i].text);
	}
	free(s->files);
	memset(s, 0, sizeof(*s));
}
