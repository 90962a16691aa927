/* config.c - the configuration file. */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config_keys.h"
#include "text.h"

#define FILE_MAX  (64u << 10)
#define LINE_LONG 180 /* inih cuts at 199: a longer line is refused */

struct parse {
	const char *name, *text;
	size_t len, at;
	int line, err;
	bool seen[CONFIG_KEYS_MAX];
	struct config *config;
	struct why *why;
};

/* Keeps the first error only. */
__attribute__((format(printf, 2, 3))) static void refuse(struct parse *p,
							 const char *format,
							 ...)
{
	char text[384];
	va_list ap;

	if (p->err)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	p->err = why_set(p->why, -EINVAL, "%s:%d: %s", p->name, p->line, text);
}

/* One line for inih, which would cut a long one into two. */
static char *next_line(char *ret, int cap, void *user)
{
	struct parse *p = user;
	const char *line = p->text + p->at, *end;
	size_t n;

	if (p->at >= p->len || p->err)
		return NULL;
	end = memchr(line, '\n', p->len - p->at);
	n = end ? (size_t)(end - line) : p->len - p->at;
	p->at += n + 1;
	p->line++;
	if (n > LINE_LONG || n + 2 > (size_t)cap) {
		refuse(p, "line of %zu bytes; at most %d", n, LINE_LONG);
		return NULL;
	}
	if (memchr(line, 0, n)) {
		refuse(p, "a NUL byte; this must be a text file");
		return NULL;
	}
	/* No continuation lines: inih takes a leading space for one. */
	while (n && (*line == ' ' || *line == '\t'))
		line++, n--;
	memcpy(ret, line, n);
	ret[n] = '\n';
	ret[n + 1] = 0;
	return ret;
}

static int on_key(void *user, const char *section, const char *name,
		  const char *value)
{
	struct parse *p = user;
	char shown[3][96], range[128];
	size_t i;

	text_escape_str(section, shown[0], sizeof(shown[0]));
	text_escape_str(name, shown[1], sizeof(shown[1]));
	text_escape_str(value, shown[2], sizeof(shown[2]));
	for (i = 0; i < config_n_keys; i++)
		if (!strcmp(section, config_keys[i].section) &&
		    !strcmp(name, config_keys[i].name))
			break;
	if (i == config_n_keys) {
		refuse(p,
		       "[%s] has no key '%s'; davylamp-report --help lists "
		       "the keys",
		       shown[0], shown[1]);
		return 0;
	}
	if (p->seen[i]) {
		refuse(p, "[%s] %s is given twice", shown[0], shown[1]);
		return 0;
	}
	p->seen[i] = true;
	if (!config_key_set(p->config, &config_keys[i], value)) {
		config_key_allowed(&config_keys[i], range, sizeof(range));
		refuse(p, "[%s] %s = '%s': must be %s", shown[0], shown[1],
		       shown[2], range);
		return 0;
	}
	return 1;
}

int config_parse(const char *name, const char *text, size_t len,
		 struct config *ret, struct why *why)
{
	struct config c = { 0 };
	struct parse p = {
		.name = name, .text = text, .len = len, .config = &c, .why = why
	};
	int line;

	for (size_t i = 0; i < config_n_keys; i++)
		config_key_set(&c, &config_keys[i], config_keys[i].initial);
	line = ini_parse_stream(next_line, &p, on_key, &p);
	if (line && !p.err) {
		p.line = line;
		refuse(&p, "neither [section] nor key = value nor comment");
	}
	if (!p.err)
		*ret = c;
	return p.err;
}

int config_open_safe(const char *path, bool secret, struct why *why)
{
	mode_t closed = secret ? S_IWGRP | S_IRWXO : S_IWGRP | S_IWOTH;
	struct stat st;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		err = -errno;
		return why_set(why, err, "%s: %s", path, strerror(-err));
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return why_set(why, -EINVAL, "%s: not a regular file", path);
	}
	if ((st.st_uid && st.st_uid != geteuid()) || st.st_mode & closed) {
		close(fd);
		return why_set(why, -EPERM,
			       "%s: owner %u, mode %04o: must belong to root "
			       "or to this user and be closed to others: "
			       "chown root %s; chmod %s %s",
			       path, st.st_uid, st.st_mode & 07777, path,
			       secret ? "g-w,o-rwx" : "go-w", path);
	}
	return fd;
}

int config_load(const char *path, struct config *ret, struct why *why)
{
	const char *name = path ? path : CONFIG_DEFAULT;
	char *text = NULL, shown[256];
	size_t len = 0;
	ssize_t n;
	int fd, err;

	fd = config_open_safe(name, false, why);
	if (fd == -ENOENT && !path)
		return config_parse(name, "", 0, ret, why);
	if (fd < 0)
		return fd;
	text = malloc(FILE_MAX + 1);
	err = text ? 0 : -ENOMEM;
	do {
		n = err ? 0 : read(fd, text + len, FILE_MAX + 1 - len);
		if (n < 0)
			err = why_set(why, -errno, "%s: %s", name,
				      strerror(errno));
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len <= FILE_MAX);
	if (!err && len > FILE_MAX)
		err = why_set(why, -EFBIG, "%s: over %u bytes", name, FILE_MAX);
	if (!err)
		err = config_parse(text_escape_str(name, shown, sizeof(shown)),
				   text, len, ret, why);
	free(text);
	close(fd);
	return err;
}

void config_print(FILE *out)
{
	const char *section = "";
	char range[128];

	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];

		if (strcmp(section, k->section))
			fprintf(out, "%s[%s]\n", i ? "\n" : "", k->section);
		section = k->section;
		config_key_allowed(k, range, sizeof(range));
		fprintf(out, "; %s (%s)\n%s = %s\n", k->help, range, k->name,
			k->initial);
	}
}
