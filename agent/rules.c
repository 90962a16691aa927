/* rules.c - YARA rules, compiled from source. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <xxhash.h>
#include "rules.h"
#include "rules_generic.h"
#include "rules_plan.h"
#include "rules_source.h"
#include "text.h"
#include "wire.h"

#define PART_BYTES (16U << 10) /* doubled as a part grows */

struct rules {
	struct rules_source source;
	struct rules_plan plan;
	YR_RULES *compiled;
	uint8_t used;	    /* bit per enum where, of rules that are reported */
	struct rule *rules; /* per rule of libyara, private ones too */
	uint8_t *where;	    /* likewise: enum where; WHERE_COUNT: private */
	uint32_t *number;   /* libyara's index -> ours */
	uint32_t *index;    /* ours -> libyara's */
	uint32_t n_all, n;  /* libyara's count; ours, without private */
	char version[17];
};

/* ---- compiling ------------------------------------------------------- */

struct complaint {
	const YR_COMPILER *compiler;
	struct why *why;
	size_t errors;
	bool no_memory; /* the rules are not at fault */
};

/* What libyara says where it had no memory: its own error, what its lexer or
 * flex calls fatal, or nothing, of an error that it has no words for. */
static bool is_no_memory(const struct complaint *c, const char *message)
{
	return c->compiler->last_error == ERROR_INSUFFICIENT_MEMORY ||
	       !message[0] || !strcmp(message, "not enough memory") ||
	       strstr(message, "out of dynamic memory in yy") ||
	       !strcmp(message, "internal fatal error");
}

/* The first error is told in full; the others only count. */
static void complain(int level, const char *file, int line, const YR_RULE *rule,
		     const char *message, void *user)
{
	struct complaint *c = user;
	char shown[160], name[200];

	(void)rule;
	if (level != YARA_ERROR_LEVEL_ERROR)
		return;
	c->no_memory |= is_no_memory(c, message);
	if (c->errors++)
		return;
	text_escape_str(file ? file : "?", name, sizeof(name));
	text_escape_str(message, shown, sizeof(shown));
	if (line > 0)
		why_set(c->why, 0, "rules '%s', line %d: %s", name, line,
			shown);
	else
		why_set(c->why, 0, "rules '%s', at its end: %s", name, shown);
}

struct includer {
	struct rules_source *source;
	const struct rules_choice *choice;
};

static const char *include(const char *name, const char *from,
			   const char *namespace, void *user)
{
	const struct includer *i = user;
	const char *installed = i->choice->installed;

	(void)namespace;
	if (installed && from && !strcmp(from, installed))
		return NULL;
	return rules_source_include(i->source, name, from);
}

/* It is the source's. */
static void free_include(const char *text, void *user)
{
	(void)text;
	(void)user;
}

static int add_file(YR_COMPILER *compiler, const struct rules_file *f)
{
	/* An empty file is no error, but fmemopen(3) does not take it. */
	FILE *stream = f->len ? fmemopen(f->text, f->len, "r") : NULL;
	int errors = 0;

	if (!stream)
		return f->len ? 1 : 0;
	errors = yr_compiler_add_file(compiler, stream, f->name, f->name);
	fclose(stream);
	return errors;
}

/* What is included is added to @source meanwhile. */
static int compile(struct rules_source *source,
		   const struct rules_choice *choice, YR_RULES **ret,
		   struct why *why)
{
	struct includer includer = { source, choice };
	struct complaint c = { .why = why };
	YR_COMPILER *compiler;
	size_t n = source->n;
	int err = 0;

	if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
		return -ENOMEM;
	c.compiler = compiler;
	/* Else libyara zeroes a MiB for each part of them, in use or not. */
	compiler->arena->initial_buffer_size = PART_BYTES;
	yr_compiler_set_callback(compiler, complain, &c);
	yr_compiler_set_include_callback(compiler, include, free_include,
					 &includer);
	/* After an error the compiler must not be given more. */
	for (size_t i = 0; i < n && !err && !source->files[i].included; i++)
		if (add_file(compiler, &source->files[i]))
			err = -EINVAL;
	if (err && (!c.errors || c.no_memory))
		err = why_set(why, -ENOMEM, "rules: no memory to compile them");
	if (!err && yr_compiler_get_rules(compiler, ret) != ERROR_SUCCESS)
		err = why_set(why, -ENOMEM, "rules: libyara has no memory");
	yr_compiler_destroy(compiler);
	return err;
}

/* ---- meta ------------------------------------------------------------ */

static void keep(char *ret, size_t cap, const char *value)
{
	snprintf(ret, cap, "%s", value);
}

static int name_in(const char *const *names, const char *value)
{
	for (int i = 0; names[i]; i++)
		if (!strcasecmp(names[i], value))
			return i;
	return -1;
}

static int blame(struct why *why, const YR_RULE *rule, const char *meta,
		 const char *value, const char *allowed)
{
	char shown[64];

	return why_set(why, -EINVAL,
		       "rule %.128s: meta %s = \"%s\" must be one of %s",
		       rule->identifier, meta,
		       text_escape_str(value, shown, sizeof(shown)), allowed);
}

static int read_meta(const YR_RULE *rule, const YR_META *m, struct rule *ret,
		     struct why *why)
{
	static const char *const wheres[] = { "code", "image", "jit", "any",
					      NULL };
	static const char *const levels[] = { "LOW", "MEDIUM", "HIGH", NULL };
	int n;

	if (m->type != META_TYPE_STRING)
		return 0; /* other collections have numbers here */
	if (!strcmp(m->identifier, "family"))
		keep(ret->family, sizeof(ret->family), m->string);
	else if (!strcmp(m->identifier, "algorithm"))
		keep(ret->algorithm, sizeof(ret->algorithm), m->string);
	else if (!strcmp(m->identifier, "reference"))
		keep(ret->reference, sizeof(ret->reference), m->string);
	else if (!strcmp(m->identifier, "description"))
		keep(ret->description, sizeof(ret->description), m->string);
	else if (!strcmp(m->identifier, "where")) {
		n = name_in(wheres, m->string);
		if (n < 0)
			return blame(why, rule, "where", m->string,
				     "code, image, jit, any");
		ret->where = (uint8_t)n;
	} else if (!strcmp(m->identifier, "severity")) {
		n = name_in(levels, m->string);
		if (n >= 0)
			ret->severity = (uint8_t)n;
	}
	return 0;
}

static bool is_chosen(const char *only, const YR_RULE *rule)
{
	return !RULE_IS_PRIVATE(rule) &&
	       (!only || !strcmp(only, rule->identifier));
}

static int blame_name(const char *only, struct why *why)
{
	char shown[160];

	return why_set(why, -EINVAL,
		       "there is no rule '%s' that is not private; see "
		       "davylamp rules list",
		       text_escape_str(only, shown, sizeof(shown)));
}

static int describe(struct rules *r, YR_RULES *set,
		    const struct rules_choice *choice, struct why *why)
{
	r->n_all = set->num_rules;
	if (r->n_all > WIRE_RULES_MAX)
		return why_set(why, -E2BIG, "rules: %u of them; %d at most",
			       r->n_all, WIRE_RULES_MAX);
	r->rules = calloc(r->n_all + 1, sizeof(*r->rules));
	r->where = calloc(r->n_all + 1, sizeof(*r->where));
	r->number = calloc(r->n_all + 1, sizeof(*r->number));
	r->index = calloc(r->n_all + 1, sizeof(*r->index));
	if (!r->rules || !r->where || !r->number || !r->index)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->n_all; i++) {
		const YR_RULE *rule = &set->rules_table[i];
		struct rule *to = &r->rules[i];
		const char *generic;
		const YR_META *m;
		int err;

		to->where = WHERE_IMAGE;
		to->severity = SEVERITY_HIGH;
		keep(to->name, sizeof(to->name), rule->identifier);
		yr_rule_metas_foreach(rule, m)
		{
			err = read_meta(rule, m, to, why);
			if (err)
				return err;
		}
		r->where[i] = WHERE_COUNT;
		r->number[i] = UINT32_MAX;
		if (!is_chosen(choice->only, rule))
			continue;
		r->where[i] = choice->anywhere ? WHERE_ANY : to->where;
		r->number[i] = r->n;
		r->index[r->n++] = i;
		generic = rules_generic(rule);
		if (generic)
			keep(to->generic, sizeof(to->generic), generic);
	}
	return choice->only && !r->n ? blame_name(choice->only, why) : 0;
}

/* What the plan says of rule @i of libyara's. */
static void take_plan(struct rules *r, uint32_t i)
{
	const struct plan_rule *p = &r->plan.rules[i];
	struct rule *to = &r->rules[i];

	if (p->why)
		snprintf(to->slow, sizeof(to->slow), "%s%s%s", p->why,
			 p->name ? " " : "", p->name ? p->name : "");
	if (p->undefined)
		keep(to->undefined, sizeof(to->undefined), p->undefined);
	r->used |= (uint8_t)(1U << r->where[i]);
}

static void make_version(struct rules *r)
{
	XXH3_state_t *state = XXH3_createState();

	if (!state)
		return;
	XXH3_64bits_reset(state);
	for (size_t i = 0; i < r->source.n; i++)
		XXH3_64bits_update(state, r->source.files[i].text,
				   r->source.files[i].len);
	snprintf(r->version, sizeof(r->version), "%016llx",
		 (unsigned long long)XXH3_64bits_digest(state));
	XXH3_freeState(state);
}

static int read_source(struct rules_source *s, const char *const *paths,
		       size_t n, const struct rules_choice *choice,
		       struct why *why)
{
	struct stat st;
	int err = 0;

	if (choice->kept && !fstat(choice->kept, &st) && st.st_size)
		return rules_source_load(s, choice->kept);
	if (choice->installed)
		err = rules_source_add(s, choice->installed, why);
	else if (!choice->no_default)
		err = rules_source_add_builtin(s, why);
	for (size_t i = 0; i < n && !err; i++)
		err = rules_source_add(s, paths[i], why);
	return err;
}

/* Into memory: that it is full is not the rules' fault. */
static int keep_text(const struct rules_source *s, int fd, struct why *why)
{
	return rules_source_save(s, fd)
		       ? why_set(why, -ENOMEM, "rules: no memory to keep them")
		       : 0;
}

int rules_load(const char *const *paths, size_t n,
	       const struct rules_choice *choice, struct rules **ret,
	       struct why *why)
{
	struct rules *r = calloc(1, sizeof(*r));
	int err = r ? read_source(&r->source, paths, n, choice, why) : -ENOMEM;

	if (!err)
		err = compile(&r->source, choice, &r->compiled, why);
	if (!err && choice->kept && !r->source.whole)
		err = keep_text(&r->source, choice->kept, why);
	if (!err)
		err = describe(r, r->compiled, choice, why);
	if (!err)
		err = rules_plan_make(r->compiled, r->where, &r->plan);
	if (err) {
		rules_free(r);
		return err;
	}
	for (uint32_t i = 0; i < r->n; i++)
		take_plan(r, r->index[i]);
	make_version(r);
	*ret = r;
	return 0;
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	if (r->compiled)
		yr_rules_destroy(r->compiled);
	rules_plan_free(&r->plan);
	rules_source_free(&r->source);
	free(r->rules);
	free(r->where);
	free(r->number);
	free(r->index);
	free(r);
}

/* ---- asking ---------------------------------------------------------- */

uint32_t rules_count(const struct rules *r)
{
	return r->n;
}

const struct rule *rules_rule(const struct rules *r, uint32_t i)
{
	return &r->rules[r->index[i]];
}

void rules_switch(struct rules *r, uint32_t i, bool on)
{
	YR_RULE *rule = &r->compiled->rules_table[r->index[i]];

	(on ? yr_rule_enable : yr_rule_disable)(rule);
}

bool rules_judges(const struct rules *r, unsigned where, uint32_t index)
{
	return r->plan.rules[index].where & 1U << where;
}

bool rules_number(const struct rules *r, unsigned where, const YR_RULE *rule,
		  uint32_t *ret)
{
	size_t i = (size_t)(rule - r->compiled->rules_table);

	if (r->where[i] != where)
		return false;
	*ret = r->number[i];
	return true;
}

uint8_t rules_every_page(const struct rules *r)
{
	return r->plan.every_page;
}

YR_RULES *rules_set(const struct rules *r, unsigned where)
{
	return r->used & 1U << where ? r->compiled : NULL;
}

const struct atom *rules_atoms(const struct rules *r, size_t *ret_n)
{
	*ret_n = r->plan.n;
	return r->plan.atoms;
}

const char *rules_version(const struct rules *r)
{
	return r->version;
}
