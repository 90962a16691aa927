/* The ledger's file: a line with a right digest says anything, then the input
 * as it is, lines with digests that are hardly ever right.  -ljson-c */
#include <assert.h>
#include <ctype.h>
#include "sha256.c"
#include "report_json.c"
#include "ledger_file.c"

static void check(const struct ledger *l)
{
	for (size_t i = 0; i < LEDGER_MAX; i++) {
		const struct ledger_entry *e = &l->entries[i];

		assert(memchr(e->id, 0, sizeof(e->id)) &&
		       memchr(e->boot, 0, sizeof(e->boot)) &&
		       memchr(e->exe, 0, sizeof(e->exe)));
		assert(!e->id[0] == !e->finding);
		assert(e->category < CATEGORIES && e->severity <= SEVERITY_HIGH);
		assert(!e->finding || strlen(e->finding) <= LEDGER_FINDING);
	}
}

/* What is kept is read again as the same. */
static void check_again(struct ledger *l, struct ledger *again)
{
	for (size_t i = 0; i < LEDGER_MAX; i++) {
		const struct ledger_entry *e = &l->entries[i];
		char *line = e->id[0] ? line_of(e, false) : NULL;
		const struct ledger_entry *a = &again->entries[0];

		if (!line)
			continue;
		assert(strlen(line) <= LINE_MOST);
		read_line(again, line, strcspn(line, "\n"));
		assert(!strcmp(a->id, e->id) && !strcmp(a->exe, e->exe) &&
		       !strcmp(a->finding, e->finding) && a->pid == e->pid &&
		       a->seen_ns == e->seen_ns && a->clean == e->clean);
		free(line);
		free(again->entries[0].finding);
		memset(&again->entries[0], 0, sizeof(again->entries[0]));
	}
}

static void read_lines(struct ledger *l, const uint8_t *data, size_t len,
		       bool sound)
{
	while (len) {
		const uint8_t *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;
		char *line = malloc(n + DIGEST + 2), hex[65];
		size_t at = sound ? DIGEST + 1 : 0;

		memcpy(line + at, data, n);
		line[at + n] = '\0';
		if (sound) {
			digest(line + at, n, hex);
			memcpy(line, hex, DIGEST);
			line[DIGEST] = ' ';
		}
		read_line(l, line, at + n);
		free(line);
		n += end != NULL;
		data += n;
		len -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct ledger l, again;

	read_lines(&l, data, len, true);
	read_lines(&l, data, len, false);
	check(&l);
	check_again(&l, &again);
	for (size_t i = 0; i < LEDGER_MAX; i++)
		free(l.entries[i].finding);
	memset(&l, 0, sizeof(l));
	return 0;
}
