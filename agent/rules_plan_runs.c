/* rules_plan_runs.c - the longest run of certain bytes in a hex string or
 * regular expression.
 *
 * Its automaton knows four bytes of it, and the code that libyara runs from
 * there, one for what follows, atom included, and one for what precedes it, in
 * reverse order (yara/re.h; a jump's operands are its least and most, 16 bits
 * each: re.c; compared with 4.2.3 and 4.5.2).  What is read here of that code
 * is a line: up to the first instruction that may be passed by or run twice. */
#include <string.h>
#include "rules_plan_own.h"
#include "wire.h"

#define PIECES 512 /* of a direction: what is longer is cut */

/* What a match may be long, if all of it is seen in one window. */
#define REACHED (WIRE_SPAN - 2 * ATOM_CONTEXT)

struct line {
	struct piece {
		uint8_t byte;
		bool certain;
		uint16_t most; /* bytes that it stands for */
	} piece[2 * PIECES];
	size_t n;
	bool whole; /* it ends where a match does */
};

struct run {
	size_t at, len; /* pieces */
	unsigned worth;
};

static void read_code(const uint8_t *code, bool nocase, struct line *ret)
{
	ret->n = 0;
	ret->whole = false;
	while (code && ret->n < PIECES) {
		struct piece p = { .most = 1 };

		switch (*code) {
		case RE_OPCODE_LITERAL:
			p.certain = true;
			p.byte = nocase ? atom_lower(code[1]) : code[1];
			code += 2;
			break;
		case RE_OPCODE_MASKED_LITERAL:
			code += 3;
			break;
		case RE_OPCODE_ANY:
			code += 1;
			break;
		case RE_OPCODE_REPEAT_ANY_GREEDY:
		case RE_OPCODE_REPEAT_ANY_UNGREEDY:
			memcpy(&p.most, code + 3, sizeof(p.most));
			code += 5;
			break;
		case RE_OPCODE_MATCH:
			ret->whole = true;
			return;
		default:
			return;
		}
		ret->piece[ret->n++] = p;
	}
}

/* Puts @back, turned round, before @l. */
static void join(const struct line *back, struct line *l)
{
	memmove(l->piece + back->n, l->piece, l->n * sizeof(l->piece[0]));
	for (size_t i = 0; i < back->n; i++)
		l->piece[i] = back->piece[back->n - 1 - i];
	l->n += back->n;
}

/* The run that piece @at begins, and how many of its bytes are not like the
 * one before: padding tells nothing. */
static struct run run_at(const struct line *l, size_t at)
{
	struct run r = { .at = at };

	for (; at < l->n && l->piece[at].certain; at++, r.len++)
		r.worth += !r.len || l->piece[at].byte != l->piece[at - 1].byte;
	return r;
}

static struct run best_run(const struct line *l)
{
	struct run best = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		struct run r = run_at(l, i);

		if (r.worth > best.worth)
			best = r;
		i += r.len;
	}
	return best;
}

/* The one around piece @at. */
static struct run run_around(const struct line *l, size_t at)
{
	while (at && l->piece[at - 1].certain)
		at--;
	return run_at(l, at);
}

static size_t bytes_of(const struct line *l, size_t from, size_t to)
{
	size_t n = 0;

	for (; from < to; from++)
		n += l->piece[from].most;
	return n;
}

/* Does the code that follows the atom begin with it? */
static bool begins_with(const struct line *l, const struct atom *a, bool nocase)
{
	for (size_t i = 0; i < a->len; i++)
		if (i >= l->n || !l->piece[i].certain ||
		    (nocase ? atom_lower(a->bytes[i]) : a->bytes[i]) !=
			    l->piece[i].byte)
			return false;
	return true;
}

static unsigned worth_of(const struct atom *a)
{
	unsigned worth = 1;

	for (unsigned i = 1; i < a->len; i++)
		worth += a->bytes[i] != a->bytes[i - 1];
	return worth;
}

/* Puts the atom there, where the line is whole. */
static void place(struct atom *a, const struct line *l, size_t at)
{
	a->before = (uint16_t)(bytes_of(l, 0, at) + ATOM_CONTEXT);
	a->after = (uint16_t)(bytes_of(l, at, l->n) + ATOM_CONTEXT);
}

static void take(struct atom *a, const struct line *l, const struct run *r)
{
	uint8_t bytes[2 * PIECES];
	size_t slice = r->len < ATOM_BYTES ? r->len : ATOM_BYTES, at;

	for (size_t i = 0; i < r->len; i++)
		bytes[i] = l->piece[r->at + i].byte;
	at = rules_plan_slice(bytes, r->len, slice);
	memcpy(a->bytes, bytes + at, slice);
	a->len = (uint8_t)slice;
	a->before = (uint16_t)(a->before + at);
	a->after = (uint16_t)(a->after - at);
}

void rules_plan_extend(struct atom *a, const YR_AC_MATCH *m)
{
	bool nocase = STRING_IS_NO_CASE(m->string);
	struct line l, back;
	struct run r;

	if (m->backtrack != a->len)
		return;
	read_code(m->forward_code, nocase, &l);
	read_code(m->backward_code, nocase, &back);
	if (l.whole && back.whole &&
	    bytes_of(&l, 0, l.n) + bytes_of(&back, 0, back.n) <= REACHED) {
		join(&back, &l);
		r = best_run(&l);
		place(a, &l, r.worth > worth_of(a) ? r.at : back.n);
	} else if (begins_with(&l, a, nocase)) {
		join(&back, &l);
		r = run_around(&l, back.n);
		a->before = (uint16_t)(a->before - (back.n - r.at));
		a->after = (uint16_t)(a->after + (back.n - r.at));
	} else {
		return;
	}
	if (r.worth > worth_of(a)) {
		take(a, &l, &r);
		a->nocase = nocase;
	}
}
