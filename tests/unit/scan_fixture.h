/* scan_fixture.h - processes in which one rule finds what was planted. */
#ifndef SCAN_FIXTURE_H
#define SCAN_FIXTURE_H

#include "hash_fixture.h"
#include "match_fixture.h"
#include "scan.h"

/* A process with a heap of some MiB and memory that it may execute. */
#define HEAP (8UL << 20)
#define CODE (1UL << 16)

/* What the rule looks for is nowhere in this program, which the process is a
 * fork of. */
#define PLANT_BYTES 24
#define PLANT(i)    ((uint8_t)((i)*37 + 11))

static inline void put_plant(uint8_t *at)
{
	for (size_t i = 0; i < PLANT_BYTES; i++)
		at[i] = PLANT(i);
}

static inline void write_rule(void)
{
	char text[256] = "rule planted { meta: where = \"any\" "
			 "strings: $a = {";
	size_t n = strlen(text);

	for (size_t i = 0; i < PLANT_BYTES; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %02x",
				      PLANT(i));
	snprintf(text + n, sizeof(text) - n, " } condition: $a }");
	write_rules("scan.yar", text);
}

static uint8_t *set_bytes;
static struct hashset *set;

struct memory {
	bool in_heap, in_code;
};

static inline void fill_memory(void *user)
{
	const struct memory *m = user;
	uint8_t *heap = child_map(HEAP, PROT_READ | PROT_WRITE);
	uint8_t *code = child_map(CODE, PROT_READ | PROT_WRITE);

	memset(heap, 0x5a, HEAP);
	memset(code, 0x5b, CODE);
	if (m->in_heap)
		put_plant(heap + HEAP / 2 + 3);
	if (m->in_code)
		put_plant(code + 5001);
	if (mprotect(code, CODE, PROT_READ | PROT_EXEC))
		_exit(1);
}

static struct scan *scan;

/* A fresh one, until the next call. */
static inline struct scan *new_scan(void)
{
	static const char *paths[1];
	struct scan_options o = { .rules = { .paths = paths,
					     .n_paths = 1,
					     .no_default_rules = true },
				  .set = set };
	struct why why = { "" };

	scan_free(scan);
	scan = NULL;
	write_rule();
	paths[0] = rules_path;
	if (scan_new(&o, &scan, &why))
		fail_msg("%s", why.text);
	return scan;
}

static inline int make_scan(void **state)
{
	size_t len;

	(void)state;
	use_real_matcher();
	set_bytes = fixture_set(&len);
	return hashset_from_memory(set_bytes, len, &set, NULL);
}

static inline int drop_scan(void **state)
{
	scan_free(scan);
	scan = NULL;
	hashset_free(set);
	free(set_bytes);
	return remove_rules(state);
}

#endif
