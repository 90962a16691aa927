/* match_scan.c - the windows of one process, fed to libyara as they come. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "match_scan.h"

/* Matches of one string beyond this are not counted: memory written full of
 * one rule's string must not fill ours (libyara's own limit is a million). */
#define STRING_MATCHES 20000

/* So near to a match does libyara look for a word's end (in wide text). */
#define EDGE 2

/* libyara keeps its matches wherever its notebook has room, aligned or not. */
#define ANY_ALIGNMENT __attribute__((no_sanitize("alignment")))

struct scan {
	YR_SCANNER *scanner;
	YR_MEMORY_BLOCK_ITERATOR blocks;
	YR_MEMORY_BLOCK block;
	struct match_scan *all;
	unsigned where; /* enum where */
	bool started;
	uint32_t next; /* window of the LOOK at hand */
};

struct match_scan {
	struct rules *rules;
	struct scan scan[WHERE_COUNT];
	const struct wire_look *look; /* NULL: the process is at its end */
	const uint8_t *memory;
	struct match_scan_tell tell;
	struct wire_done done;
	int error;
};

/* ---- blocks ---------------------------------------------------------- */

/* Windows overlap, and an edge that is not page-aligned was cut by davylamp
 * (wire.h): libyara takes it for the end of memory, so fullword, ^, $ and \b
 * may hold there and what goes on behind it is not seen.  So a match is
 * believed from the last window that holds it whole: what the next window
 * will find for itself is dropped before it, what touches a cut edge of the
 * window at hand is dropped after it. */
ANY_ALIGNMENT static void drop_matches(YR_MATCHES *list,
				       const YR_MEMORY_BLOCK *block,
				       bool before)
{
	uint64_t from = block->base, to = block->base + block->size;
	YR_MATCH *m = list->tail, *prev;

	from += from % FLOW_PAGE ? EDGE : 0;
	to -= to % FLOW_PAGE ? EDGE : 0;
	/* They are in the order of their addresses. */
	for (; m && (uint64_t)(m->base + m->offset) >= block->base; m = prev) {
		uint64_t start = (uint64_t)(m->base + m->offset);
		bool whole = start >= from &&
			     start + (uint64_t)m->match_length <= to;

		prev = m->prev;
		if (before ? !whole
			   : whole || (uint64_t)m->base != block->base)
			continue;
		*(m->prev ? &m->prev->next : &list->head) = m->next;
		*(m->next ? &m->next->prev : &list->tail) = m->prev;
		list->count--;
	}
}

/* The parts of a string with long jumps are forgotten: libyara measures the
 * jump in offsets, as if all blocks were one.  The overlap lets the next
 * window find them again. */
static void settle(struct scan *s, bool before)
{
	const YR_RULES *set = rules_set(s->all->rules, s->where);
	YR_SCANNER *scanner = s->scanner;

	for (uint32_t i = 0; i < set->num_strings; i++) {
		if (scanner->matches[i].count &&
		    !yr_bitmask_is_set(scanner->strings_temp_disabled, i))
			drop_matches(&scanner->matches[i], &s->block, before);
		if (scanner->unconfirmed_matches[i].count)
			memset(&scanner->unconfirmed_matches[i], 0,
			       sizeof(YR_MATCHES));
	}
}

static const uint8_t *fetch(YR_MEMORY_BLOCK *block)
{
	return block->context;
}

static YR_MEMORY_BLOCK *next_block(YR_MEMORY_BLOCK_ITERATOR *it)
{
	struct scan *s = it->context;
	const struct wire_look *look = s->all->look;

	if (s->block.size)
		settle(s, false);
	s->block.size = 0;
	while (look && s->next < look->n) {
		const struct wire_window *w = &look->window[s->next++];

		if (!(w->where & 1U << s->where))
			continue;
		s->block.size = w->len;
		s->block.base = w->address;
		s->block.context = (void *)(s->all->memory + w->offset);
		s->block.fetch_data = fetch;
		settle(s, true);
		it->last_error = ERROR_SUCCESS;
		return &s->block;
	}
	it->last_error = look ? ERROR_BLOCK_NOT_READY : ERROR_SUCCESS;
	return NULL;
}

static uint64_t no_file_size(YR_MEMORY_BLOCK_ITERATOR *it)
{
	(void)it;
	return YR_UNDEFINED;
}

/* ---- what libyara says ----------------------------------------------- */

ANY_ALIGNMENT static void copy_match(struct hit_string *to,
				     const YR_STRING *string,
				     const YR_MATCH *m)
{
	memset(to, 0, sizeof(*to));
	snprintf(to->name, sizeof(to->name), "%s", string->identifier);
	to->address = (uint64_t)(m->base + m->offset);
	to->length = (uint32_t)m->match_length;
	to->n_bytes = m->data_length < HIT_BYTES ? (uint32_t)m->data_length
						 : HIT_BYTES;
	memcpy(to->bytes, m->data, to->n_bytes);
}

/* Every string gets its turn before any gets a second match. */
ANY_ALIGNMENT static void copy_strings(YR_SCAN_CONTEXT *context, YR_RULE *rule,
			 struct wire_hit *hit)
{
	bool more = true;

	for (uint32_t turn = 0; more; turn++) {
		YR_STRING *string;

		more = false;
		yr_rule_strings_foreach(rule, string) {
			YR_MATCH *m;
			uint32_t i = 0;

			if (STRING_IS_PRIVATE(string))
				continue;
			yr_string_matches_foreach(context, string, m) {
				if (turn == 0)
					hit->n_matches++;
				if (i++ != turn ||
				    hit->n_strings == HIT_STRINGS)
					continue;
				copy_match(&hit->string[hit->n_strings++],
					   string, m);
				more = hit->n_strings < HIT_STRINGS;
			}
		}
	}
}

static void tell_hit(struct scan *s, YR_SCAN_CONTEXT *context, YR_RULE *rule)
{
	struct match_scan *all = s->all;
	struct wire_hit hit = { 0 };

	if (!rules_number(all->rules, s->where, rule, &hit.rule))
		return;
	copy_strings(context, rule, &hit);
	all->error = all->tell.hit(all->tell.user, &hit);
	all->done.n_hits++;
}

ANY_ALIGNMENT static void tell_string(struct match_scan *all,
				      YR_SCAN_CONTEXT *context,
				      const YR_STRING *string)
{
	struct wire_string told = { .number = string->idx };
	YR_MATCH *m;

	snprintf(told.name, sizeof(told.name), "%s", string->identifier);
	yr_string_matches_foreach(context, string, m) {
		told.n_matches++;
		if (told.n_kept < HIT_STRINGS)
			copy_match(&told.kept[told.n_kept++], string, m);
	}
	all->error = all->tell.string(all->tell.user, &told);
}

/* The parts behind a long jump are their string's first part's. */
static void tell_strings(struct scan *s, YR_SCAN_CONTEXT *context,
			 YR_RULE *rule)
{
	YR_STRING *string;
	uint32_t number;

	if (!s->all->tell.string ||
	    !rules_number(s->all->rules, s->where, rule, &number))
		return;
	yr_rule_strings_foreach(rule, string)
		if (!string->chained_to && !s->all->error)
			tell_string(s->all, context, string);
}

static void say_incomplete(struct match_scan *all, const char *what,
			   const YR_STRING *string)
{
	if (all->done.incomplete)
		return;
	all->done.incomplete = 1;
	snprintf(all->done.text, sizeof(all->done.text), "%s%s%s", what,
		 string ? " " : "", string ? string->identifier : "");
}

static int on_message(YR_SCAN_CONTEXT *context, int message, void *data,
		      void *user)
{
	struct scan *s = user;

	if (message == CALLBACK_MSG_RULE_MATCHING ||
	    message == CALLBACK_MSG_RULE_NOT_MATCHING)
		tell_strings(s, context, data);
	if (message == CALLBACK_MSG_RULE_MATCHING && !s->all->error)
		tell_hit(s, context, data);
	else if (message == CALLBACK_MSG_TOO_MANY_MATCHES)
		say_incomplete(s->all, "too many matches of string", data);
	return s->all->error ? CALLBACK_ERROR : CALLBACK_CONTINUE;
}

/* ---- running --------------------------------------------------------- */

/* Strings that have matched often enough are not looked for any further, by
 * the switch that libyara has for it. */
static void limit_matches(struct scan *s)
{
	YR_RULES *set = rules_set(s->all->rules, s->where);

	for (uint32_t i = 0; i < set->num_strings; i++) {
		if ((s->scanner->matches[i].count < STRING_MATCHES &&
		     s->scanner->unconfirmed_matches[i].count <
			     STRING_MATCHES) ||
		    yr_bitmask_is_set(s->scanner->strings_temp_disabled, i))
			continue;
		yr_bitmask_set(s->scanner->strings_temp_disabled, i);
		say_incomplete(s->all, "too many matches of string",
			       &set->strings_table[i]);
	}
}

/* Before the first window of a process: the strings of rules for other memory
 * are switched off (libyara switches all on when a scan ends), and the entry
 * point that it keeps for good is forgotten. */
static void begin(struct scan *s)
{
	const YR_RULES *set = rules_set(s->all->rules, s->where);

	s->started = true;
	s->scanner->entry_point = YR_UNDEFINED;
	for (uint32_t i = 0; i < set->num_strings; i++)
		if (!rules_judges(s->all->rules, s->where,
				  set->strings_table[i].rule_idx))
			yr_bitmask_set(s->scanner->strings_temp_disabled, i);
}

static void run(struct scan *s)
{
	int result;

	if (!s->started)
		begin(s);
	result = yr_scanner_scan_mem_blocks(s->scanner, &s->blocks);
	if (result == ERROR_BLOCK_NOT_READY) {
		limit_matches(s);
		return;
	}
	s->started = false;
	s->block.size = 0;
	s->blocks.last_error = ERROR_SUCCESS;
	if (result != ERROR_SUCCESS && !s->all->error)
		say_incomplete(s->all, result == ERROR_INSUFFICIENT_MEMORY
					       ? "the matcher has no memory left"
					       : "libyara failed",
			       NULL);
}

static bool is_wanted(const struct scan *s, const struct wire_look *look)
{
	for (uint32_t i = 0; i < look->n; i++)
		if (look->window[i].where & 1U << s->where)
			return true;
	return false;
}

static bool is_skipped(const struct wire_only *only, uint32_t rule)
{
	for (uint32_t i = 0; i < only->n; i++)
		if (only->skipped[i] == rule)
			return true;
	return rule < only->from || rule >= only->to;
}

int match_scan_only(struct match_scan *all, const struct wire_only *only)
{
	if (only->n > WIRE_SKIPPED)
		return -EBADMSG;
	for (unsigned i = 0; i < WHERE_COUNT; i++)
		if (all->scan[i].started)
			return -EBADMSG;
	for (uint32_t i = 0; i < rules_count(all->rules); i++)
		rules_switch(all->rules, i, !is_skipped(only, i));
	return 0;
}

int match_scan_look(struct match_scan *all, const struct wire_look *look,
		    const uint8_t *memory)
{
	for (uint32_t i = 0; i < look->n; i++)
		if (look->window[i].offset > WIRE_BYTES ||
		    look->window[i].len >
			    WIRE_BYTES - look->window[i].offset)
			return -EBADMSG;
	all->look = look;
	all->memory = memory;
	for (unsigned i = 0; i < WHERE_COUNT; i++) {
		struct scan *s = &all->scan[i];

		if (!s->scanner || !is_wanted(s, look))
			continue;
		s->next = 0;
		run(s);
	}
	return 0;
}

/* A scanner that was shown nothing has nothing to judge, but strings to name.
 */
int match_scan_end(struct match_scan *all, struct wire_done *ret_done)
{
	all->look = NULL;
	all->error = 0;
	for (unsigned i = 0; i < WHERE_COUNT; i++)
		if (all->scan[i].scanner &&
		    (all->scan[i].started || all->tell.string))
			run(&all->scan[i]);
	*ret_done = all->done;
	memset(&all->done, 0, sizeof(all->done));
	return all->error;
}

int match_scan_new(struct rules *rules, const struct match_scan_tell *tell,
		   struct match_scan **ret)
{
	struct match_scan *all = calloc(1, sizeof(*all));
	int flags = SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_PROCESS_MEMORY |
		    SCAN_FLAGS_REPORT_RULES_MATCHING;

	if (!all)
		return -ENOMEM;
	all->rules = rules;
	all->tell = *tell;
	if (tell->string)
		flags |= SCAN_FLAGS_REPORT_RULES_NOT_MATCHING;
	for (unsigned i = 0; i < WHERE_COUNT; i++) {
		struct scan *s = &all->scan[i];
		YR_RULES *set = rules_set(rules, i);

		if (!set)
			continue;
		if (yr_scanner_create(set, &s->scanner) != ERROR_SUCCESS) {
			match_scan_free(all);
			return -ENOMEM;
		}
		s->all = all;
		s->where = i;
		s->blocks.context = s;
		s->blocks.first = next_block;
		s->blocks.next = next_block;
		s->blocks.file_size = no_file_size;
		yr_scanner_set_flags(s->scanner, flags);
		yr_scanner_set_callback(s->scanner, on_message, s);
	}
	*ret = all;
	return 0;
}

void match_scan_free(struct match_scan *all)
{
	if (!all)
		return;
	for (unsigned i = 0; i < WHERE_COUNT; i++)
		if (all->scan[i].scanner)
			yr_scanner_destroy(all->scan[i].scanner);
	free(all);
}
