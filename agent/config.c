/* config.c - the text of a configuration file over what was read before it. */
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include "config_keys.h"
#include "exclude.h"
#include "text.h"

#define LINE_LONG 180 /* inih cuts at 199: a longer line is refused */

struct parse {
	const char *name, *text; /* name: as struct config keeps it */
	size_t len, at;
	int line, err;
	bool seen[CONFIG_KEYS];
	char exclude[EXCLUDE_NAME + 1]; /* whose keys are in @seen */
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

/* ---- one key --------------------------------------------------------- */

static bool is_exclude_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
			     "XYZ0123456789-_.");

	return n && n <= EXCLUDE_NAME && !s[n];
}

static bool is_exclude(const char *section)
{
	return !strncmp(section, CONFIG_EXCLUDE " ",
			sizeof(CONFIG_EXCLUDE " ") - 1);
}

/* The exclusion of [exclude NAME].  One of an earlier file is replaced, one of
 * this file goes on only where it stands: its keys are together. */
static struct exclusion *exclusion(struct parse *p, const char *name)
{
	struct exclusion *x;
	char shown[96];

	if (!is_exclude_name(name)) {
		refuse(p,
		       "[exclude %s]: a name is 1 to %d letters, digits and - "
		       "_ .",
		       text_escape_str(name, shown, sizeof(shown)),
		       EXCLUDE_NAME);
		return NULL;
	}
	x = exclude_take(p->config->excludes, name);
	if (!x) {
		refuse(p, "over %d exclusions", EXCLUDE_MAX);
		return NULL;
	}
	if (!strcmp(p->exclude, name))
		return x;
	if (x->file == p->name) {
		refuse(p, "[exclude %s] is given twice", name);
		return NULL;
	}
	*x = (struct exclusion){ .file = p->name, .line = p->line };
	memcpy(x->name, name, strlen(name) + 1);
	memcpy(p->exclude, x->name, sizeof(p->exclude));
	for (size_t i = 0; i < config_n_keys; i++)
		if (config_key_excludes(&config_keys[i]))
			p->seen[i] = false;
	return x;
}

static bool is_key(const struct config_key *k, const char *section,
		   const char *name)
{
	bool exclude = is_exclude(section);

	return exclude == config_key_excludes(k) &&
	       (exclude || !strcmp(section, k->section)) &&
	       !strcmp(name, k->name);
}

static size_t find_key(struct parse *p, const char *section, const char *name)
{
	char shown[2][96];

	for (size_t i = 0; i < config_n_keys; i++)
		if (is_key(&config_keys[i], section, name))
			return i;
	refuse(p, "[%s] has no key '%s'; davylamp-report --help lists the keys",
	       text_escape_str(section, shown[0], sizeof(shown[0])),
	       text_escape_str(name, shown[1], sizeof(shown[1])));
	return config_n_keys;
}

static int on_key(void *user, const char *section, const char *name,
		  const char *value)
{
	struct parse *p = user;
	void *base = p->config;
	char shown[2][96], range[128];
	const struct config_key *k;
	size_t i;

	if (p->err)
		return 0;
	text_escape_str(section, shown[0], sizeof(shown[0]));
	i = find_key(p, section, name);
	if (!p->err && is_exclude(section))
		base = exclusion(p, section + sizeof(CONFIG_EXCLUDE));
	if (p->err)
		return 0;
	k = &config_keys[i];
	if (p->seen[i]) {
		refuse(p, "[%s] %s is given twice", shown[0], k->name);
		return 0;
	}
	p->seen[i] = true;
	if (!config_key_set(base, k, value)) {
		config_key_allowed(k, range, sizeof(range));
		refuse(p, "[%s] %s = '%s': must be %s", shown[0], k->name,
		       text_escape_str(value, shown[1], sizeof(shown[1])),
		       range);
		return 0;
	}
	if (!config_key_excludes(k))
		p->config->origin[i] =
			(struct config_origin){ p->name, p->line };
	return 1;
}

/* ---- a file ---------------------------------------------------------- */

static void check_exclusions(struct parse *p)
{
	for (size_t i = 0; i < exclude_count(p->config->excludes); i++) {
		struct exclusion *x =
			exclude_take(p->config->excludes,
				     exclude_get(p->config->excludes, i)->name);
		struct why why = { "" };

		if (p->err || x->file != p->name || !exclude_check(x, &why))
			continue;
		p->line = x->line;
		refuse(p, "[exclude %s]: %s", x->name, why.text);
	}
}

/* Keeps the name for as long as @c lives. */
static const char *keep_name(struct config *c, const char *name)
{
	char **more = realloc(c->files, (c->n_files + 1) * sizeof(*more));
	char *copy = strdup(name);

	if (more)
		c->files = more;
	if (!more || !copy) {
		free(copy);
		return NULL;
	}
	c->files[c->n_files++] = copy;
	return copy;
}

int config_begin(struct config *ret)
{
	struct config c = { .excludes = exclude_new() };

	if (!c.excludes)
		return -ENOMEM;
	for (size_t i = 0; i < config_n_keys; i++)
		if (!config_key_excludes(&config_keys[i]))
			config_key_set(&c, &config_keys[i],
				       config_keys[i].initial);
	*ret = c;
	return 0;
}

int config_add(struct config *c, const char *name, const char *text, size_t len,
	       struct why *why)
{
	struct parse p = { .name = keep_name(c, name),
			   .text = text,
			   .len = len,
			   .config = c,
			   .why = why };
	int line;

	if (!p.name)
		return -ENOMEM;
	line = ini_parse_stream(next_line, &p, on_key, &p);
	if (line && !p.err) {
		p.line = line;
		refuse(&p, "neither [section] nor key = value nor comment");
	}
	check_exclusions(&p);
	return p.err;
}

int config_parse(const char *name, const char *text, size_t len,
		 struct config *ret, struct why *why)
{
	struct config c;
	int err = config_begin(&c);

	if (err)
		return err;
	err = config_add(&c, name, text, len, why);
	if (err)
		config_free(&c);
	else
		*ret = c;
	return err;
}

void config_free(struct config *c)
{
	exclude_free(c->excludes);
	for (size_t i = 0; i < c->n_files; i++)
		free(c->files[i]);
	free(c->files);
	c->excludes = NULL;
	c->files = NULL;
	c->n_files = 0;
}
