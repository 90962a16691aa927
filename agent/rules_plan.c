/* rules_plan.c - which memory must each rule see?  What the atoms of its
 * strings lead to (rules_plan_atoms.c), or all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rules_plan_own.h"

/* A condition that takes longer over nothing is taken for slow, not judged. */
#define NOTHING_SECONDS 10

void rules_plan_every_page(struct planner *p, uint32_t rule, const char *why,
			   const char *name)
{
	struct plan_rule *r = &p->plan->rules[rule];

	if (r->why)
		return;
	r->why = why;
	r->name = name;
}

/* ---- conditions ------------------------------------------------------ */

static void judge_code(struct planner *p)
{
	for (uint32_t i = 0; i < p->set->num_rules; i++) {
		uint8_t uses = p->code.uses[i];

		if (p->code.unknown)
			rules_plan_every_page(
				p, i, "this libyara's bytecode is not known",
				NULL);
		if (uses & CODE_MODULE)
			p->plan->rules[i].undefined = "a module's value";
		if (uses & CODE_FILESIZE)
			p->plan->rules[i].undefined = "filesize";
		if (uses & CODE_READS)
			p->plan->rules[i].undefined = "uintN() or intN()";
		if (uses & CODE_TIME)
			rules_plan_every_page(p, i, "it asks for the time",
					      NULL);
		if (uses & CODE_ENTRYPOINT)
			rules_plan_every_page(p, i, "entrypoint", NULL);
	}
}

static YR_MEMORY_BLOCK *no_block(YR_MEMORY_BLOCK_ITERATOR *it)
{
	(void)it;
	return NULL;
}

static int note_match(YR_SCAN_CONTEXT *context, int message, void *data,
		      void *user)
{
	struct planner *p = user;

	(void)context;
	if (message == CALLBACK_MSG_RULE_MATCHING)
		rules_plan_every_page(
			p, (uint32_t)((YR_RULE *)data - p->set->rules_table),
			"it can hold without any string", NULL);
	return CALLBACK_CONTINUE;
}

/* What holds over nothing holds without a string.  Private rules are not
 * reported: for the rules that rest on them the answer is theirs. */
static void judge_without_strings(struct planner *p)
{
	YR_MEMORY_BLOCK_ITERATOR nothing = { .first = no_block,
					     .next = no_block };

	if (yr_rules_scan_mem_blocks(
		    p->set, &nothing,
		    SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_PROCESS_MEMORY |
			    SCAN_FLAGS_REPORT_RULES_MATCHING,
		    note_match, p, NOTHING_SECONDS) == ERROR_SUCCESS)
		return;
	for (uint32_t i = 0; i < p->set->num_rules; i++)
		rules_plan_every_page(p, i, "conditions could not be tried",
				      NULL);
}

/* ---- rules that rest on rules ---------------------------------------- */

static bool pass(uint8_t from, uint8_t *to)
{
	uint8_t was = *to;

	*to |= from;
	return *to != was;
}

/* A rule rests on those that it names and on the global rules of its
 * namespace (on all of its namespace, where the code is unknown).  Passes
 * @bits of each rule on to those that rest on it (@up), or to those it rests
 * on, until nothing changes. */
static int spread(const struct planner *p, uint8_t *bits, bool up)
{
	const YR_RULE *rules = p->set->rules_table;
	uint8_t *ns = calloc(p->set->num_namespaces + 1, 1);
	bool changed = true;

	if (!ns)
		return -ENOMEM;
	while (changed) {
		changed = false;
		for (size_t i = 0; i < p->code.n_refs; i++) {
			const struct rules_code_ref *r = &p->code.refs[i];

			changed |= up ? pass(bits[r->to], &bits[r->from])
				      : pass(bits[r->from], &bits[r->to]);
		}
		for (uint32_t i = 0; i < p->set->num_rules; i++) {
			uint8_t *of_ns = &ns[rules[i].ns->idx];
			bool below =
				RULE_IS_GLOBAL(&rules[i]) || p->code.unknown;

			if (!up || below)
				changed |= pass(bits[i], of_ns);
			if (up || below)
				changed |= pass(*of_ns, &bits[i]);
		}
	}
	free(ns);
	return 0;
}

/* What a rule can not see in suspects, those that rest on it can not. */
static int judge_rests(struct planner *p, uint8_t *bits)
{
	int err;

	for (uint32_t i = 0; i < p->set->num_rules; i++)
		bits[i] = !!p->plan->rules[i].why;
	err = spread(p, bits, true);
	for (uint32_t i = 0; !err && i < p->set->num_rules; i++)
		if (bits[i])
			rules_plan_every_page(
				p, i, "it rests on a rule that must", NULL);
	return err;
}

/* Each rule is judged with those for the same memory, and with those that rest
 * on it. */
static int judge_where(struct planner *p, const uint8_t *where, uint8_t *bits)
{
	struct plan_rule *rules = p->plan->rules;
	int err;

	for (uint32_t i = 0; i < p->set->num_rules; i++) {
		/* Private ones have none. */
		bits[i] = (uint8_t)((1U << where[i]) & ~(1U << WHERE_COUNT));
		if (rules[i].why)
			p->plan->every_page |= bits[i];
	}
	err = spread(p, bits, false);
	for (uint32_t i = 0; !err && i < p->set->num_rules; i++)
		rules[i].where = bits[i];
	return err;
}

static int judge(struct planner *p, const uint8_t *where)
{
	uint8_t *bits = calloc(p->set->num_rules + 1, 1);
	int err = bits ? 0 : -ENOMEM;

	if (!err)
		err = rules_plan_judge_strings(p);
	judge_code(p);
	if (!err)
		err = judge_rests(p, bits);
	/* Behind the above: a rule that rests on one that can hold without a
	 * string may still need one itself. */
	judge_without_strings(p);
	if (!err)
		err = judge_where(p, where, bits);
	free(bits);
	return err;
}

int rules_plan_make(YR_RULES *set, const uint8_t *where, struct rules_plan *ret)
{
	struct planner p = { .set = set, .plan = ret };

	memset(ret, 0, sizeof(*ret));
	ret->rules = calloc(set->num_rules + 1, sizeof(*ret->rules));
	p.reached = calloc(set->num_strings + 1, sizeof(bool));
	p.error = rules_code_read(set, &p.code);
	if (!p.reached || !ret->rules)
		p.error = -ENOMEM;
	if (!p.error)
		p.error = judge(&p, where);
	if (!p.error)
		p.error = rules_plan_add_atoms(&p);
	free(p.reached);
	free(p.pool);
	rules_code_free(&p.code);
	if (p.error)
		rules_plan_free(ret);
	return p.error;
}

void rules_plan_free(struct rules_plan *plan)
{
	free(plan->atoms);
	free(plan->rules);
	memset(plan, 0, sizeof(*plan));
}
