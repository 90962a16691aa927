/* A configuration file is any text: taken whole or refused with a reason, and
 * what was taken prints as a file that means the same.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iagent THIS -linih -ljson-c
 */
#include "text.c"
#include "io.c"
#include "sha256.c"
#include "fstype.c"
#include "exefile.c"
#include "report_json.c"
#include "container.c"
#include "container_file.c"
#include "who.c"
#include "exclude.c"
#include "config_keys.c"
#include "config_values.c"
#include "config.c"
#include "config_print.c"
#include "no_reader.h"

/* For who_read(), which is not called. */
int proc_open(int procfs, pid_t pid, struct proc *ret)
{
	(void)procfs;
	(void)pid;
	(void)ret;
	return -ESRCH;
}

ssize_t proc_read(const struct proc *p, enum capture_text which, char *ret,
		  size_t cap)
{
	(void)p;
	(void)which;
	(void)ret;
	(void)cap;
	return -ESRCH;
}

void proc_close(struct proc *p)
{
	(void)p;
}

void peers_read(const struct proc *p, struct peers *ret)
{
	(void)p;
	(void)ret;
}

static char *print(const struct config *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	config_print_effective(f, c);
	fclose(f);
	return text;
}

/* Comments tell where a value was read, so they differ. */
static void cut_comments(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == ' ' && s[1] == ';')
			s += strcspn(s, "\n");
		*to++ = *s;
	}
	*to = 0;
}

static bool is_number(enum config_type t)
{
	return t == YES || t == SIZE || t == CHOICE || t == DECIMAL ||
	       t == DURATION;
}

static bool needs_no_escape(const struct config *c)
{
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];

		if (config_key_excludes(k) || is_number(k->type))
			continue;
		for (const char *s = (const char *)c + k->offset; *s; s++)
			if (*s < ' ' || *s == '\\' || *s == 0x7f)
				return false;
	}
	return !exclude_count(c->excludes);
}

/* What needs no escape comes back as it was. */
static void check_print(const struct config *c)
{
	char *once = print(c), *twice;
	struct why why = { "" };
	struct config again;

	if (needs_no_escape(c)) {
		if (config_parse("again", once, strlen(once), &again, &why)) {
			if (!strstr(why.text, "line of")) {
				fprintf(stderr, "%s\n%s", why.text, once);
				abort();
			}
			free(once);
			return;
		}
		twice = print(&again);
		cut_comments(once);
		cut_comments(twice);
		if (strcmp(once, twice))
			abort();
		free(twice);
		config_free(&again);
	}
	free(once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct why why = { "" };
	struct config c;

	if (config_parse("input", (const char *)data, len, &c, &why)) {
		if (!why.text[0])
			abort();
		return 0;
	}
	/* Each text has its end, and no token leaves for nowhere. */
	if (memchr(c.scc.endpoint, 0, CONFIG_TEXT) == NULL ||
	    (c.scc.endpoint[0] && strncmp(c.scc.endpoint, "http", 4)) ||
	    c.spool.max_bytes < 1 << 20 || c.scc.api < 1 || c.scc.api > 2 ||
	    c.run.cpu_budget < 0.1 || c.run.cpu_budget > 100 ||
	    c.run.pass_interval_ns < 60000000000 ||
	    c.run.sensors > SENSORS_POLLING)
		abort();
	for (size_t i = 0; i < exclude_count(c.excludes); i++) {
		const struct exclusion *x = exclude_get(c.excludes, i);

		if (!x->reason[0] || strlen(x->until) != 10 ||
		    (!x->exe[0] && !x->user[0] && !x->unit[0] &&
		     !x->container[0] && !x->label[0]))
			abort();
	}
	check_print(&c);
	config_free(&c);
	return 0;
}
