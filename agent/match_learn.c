/* match_learn.c - what a fresh matcher introduces itself with. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "match_own.h"
#include "text.h"

#define COMPILE_MS 120000 /* for the rules: big sets take a while */

static void end_strings(struct rule *r)
{
	r->name[sizeof(r->name) - 1] = '\0';
	r->family[sizeof(r->family) - 1] = '\0';
	r->algorithm[sizeof(r->algorithm) - 1] = '\0';
	r->reference[sizeof(r->reference) - 1] = '\0';
	r->description[sizeof(r->description) - 1] = '\0';
	r->slow[sizeof(r->slow) - 1] = '\0';
	r->undefined[sizeof(r->undefined) - 1] = '\0';
	r->generic[sizeof(r->generic) - 1] = '\0';
}

int match_grow(void *array, size_t n, size_t *room, size_t more, size_t size,
	       size_t max)
{
	void **a = array, *p;
	size_t want = *room ? *room : 64;

	if (n + more > max)
		return -EBADMSG;
	while (want < n + more)
		want *= 2;
	if (want == *room)
		return 0;
	p = realloc(*a, want * size);
	if (!p)
		return -ENOMEM;
	*a = p;
	*room = want;
	return 0;
}

static int add_rules(struct match *m)
{
	const struct wire_rules *part = &m->message.rules;
	int err = match_grow(&m->rules, m->n_rules, &m->rules_room, part->n,
			     sizeof(*m->rules), WIRE_RULES_MAX);

	for (uint32_t i = 0; i < part->n && !err; i++) {
		struct rule *r = &m->rules[m->n_rules];

		*r = part->rule[i];
		end_strings(r);
		if (r->where >= WHERE_COUNT || r->severity > SEVERITY_HIGH)
			err = -EBADMSG;
		else
			m->n_rules++;
	}
	return err;
}

static int add_atoms(struct match *m)
{
	const struct wire_atoms *part = &m->message.atoms;
	int err = match_grow(&m->atoms, m->n_atoms, &m->atoms_room, part->n,
			     sizeof(*m->atoms), ATOMS_MAX);

	if (err)
		return err;
	memcpy(m->atoms + m->n_atoms, part->atom,
	       part->n * sizeof(*part->atom));
	m->n_atoms += part->n;
	return 0;
}

static int add_ready(struct match *m)
{
	m->ready = m->message.ready;
	m->ready.engine[sizeof(m->ready.engine) - 1] = '\0';
	m->ready.version[sizeof(m->ready.version) - 1] = '\0';
	if (m->ready.n_rules != m->n_rules || m->ready.n_atoms != m->n_atoms ||
	    m->ready.every_page >= 1U << WHERE_COUNT)
		return -EBADMSG;
	return 0;
}

int match_learn(struct match *m, struct why *why)
{
	static int (*const take[WIRE_TYPES])(struct match *) = {
		[WIRE_RULES_PART] = add_rules,
		[WIRE_ATOMS_PART] = add_atoms,
		[WIRE_READY] = add_ready,
	};

	m->n_rules = m->n_atoms = 0;
	for (;;) {
		int got = match_receive(m, COMPILE_MS);
		uint32_t type = m->message.type;

		if (got == 1 && type == WIRE_REFUSED) {
			m->message.refused.text[511] = '\0';
			text_check_str(m->message.refused.text, why->text,
				       sizeof(why->text));
			return m->message.refused.unable ? -EIO : -EINVAL;
		}
		if (got == 1)
			got = take[type] ? take[type](m) ?: 1 : -EBADMSG;
		if (got != 1)
			return match_failed(m, got, why);
		if (type == WIRE_READY)
			return 0;
	}
}
