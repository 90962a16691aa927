/* strings.c - random strings of every kind. */
#include <ctype.h>
#include <string.h>
#include <yara.h>
#include "generate.h"

/* ---- nodes ----------------------------------------------------------- */

/* Past the pool's end the last node is used again: odd, but a valid one. */
static struct node *new_node(struct rule_set *set, enum node_type type)
{
	struct node *n = &set->nodes[set->n_nodes];

	if (set->n_nodes + 1 < NODES_MAX)
		set->n_nodes++;
	memset(n, 0, sizeof(*n));
	n->type = type;
	return n;
}

static void add_child(struct node *parent, struct node *child)
{
	if (parent->n_children < 10)
		parent->child[parent->n_children++] = child;
}

static struct node *a_byte(struct rng *r, struct rule_set *set)
{
	struct node *n = new_node(set, NODE_BYTE);

	n->value = rng_byte(r);
	n->mask = 0xff;
	return n;
}

/* ---- hex ------------------------------------------------------------- */

static struct node *hex_token(struct rng *r, struct rule_set *set)
{
	struct node *n = a_byte(r, set);
	uint32_t kind = rng_below(r, 100);

	if (kind < 8)
		n->mask = 0;
	else if (kind < 12)
		n->mask = 0xf0;
	else if (kind < 16)
		n->mask = 0x0f;
	return n;
}

static struct node *hex_bytes(struct rng *r, struct rule_set *set, uint32_t n)
{
	struct node *seq = new_node(set, NODE_SEQUENCE);

	/* Its first and last byte must not be wild. */
	for (uint32_t i = 0; i < n; i++)
		add_child(seq, i == 0 || i + 1 == n ? a_byte(r, set)
						    : hex_token(r, set));
	return seq;
}

/* As long as any run that the prefilter takes, and longer. */
static struct node *hex_run(struct rng *r, struct rule_set *set)
{
	struct node *seq = new_node(set, NODE_SEQUENCE);

	for (uint32_t i = rng_range(r, 8, 60); i; i--)
		add_child(seq, a_byte(r, set));
	return seq;
}

static struct node *hex_either(struct rng *r, struct rule_set *set)
{
	struct node *either = new_node(set, NODE_EITHER);
	uint32_t n = rng_range(r, 2, 4);

	for (uint32_t i = 0; i < n; i++)
		add_child(either, hex_bytes(r, set, rng_range(r, 1, 5)));
	return either;
}

static struct node *hex_jump(struct rng *r, struct rule_set *set, bool *chained)
{
	struct node *n = new_node(set, NODE_JUMP);

	if (!*chained && rng_chance(r, 25)) { /* over 200: a chain of strings */
		n->min = rng_range(r, 1, 700);
		n->max = n->min + rng_below(r, 1500);
		*chained = rng_chance(r, 60);
	} else {
		n->min = rng_below(r, 20);
		n->max = n->min + rng_range(r, 1, rng_chance(r, 20) ? 170 : 10);
	}
	return n;
}

/* Nearly as long as a match may be. */
static struct node *long_hex_root(struct rng *r, struct rule_set *set)
{
	struct node *seq = new_node(set, NODE_SEQUENCE);

	for (int i = 0; i < 4; i++) {
		struct node *jump = new_node(set, NODE_JUMP);

		jump->min = rng_range(r, 100, 2500);
		jump->max = jump->min + rng_range(r, 1, 150);
		add_child(seq, hex_bytes(r, set, rng_range(r, 2, 10)));
		add_child(seq, i < 3 ? jump : a_byte(r, set));
	}
	return seq;
}

static struct node *hex_root(struct rng *r, struct rule_set *set)
{
	struct node *seq;
	uint32_t n = rng_range(r, 1, 3);
	bool chained = false;

	if (rng_chance(r, 8))
		return long_hex_root(r, set);
	seq = new_node(set, NODE_SEQUENCE);

	add_child(seq, hex_bytes(r, set, rng_range(r, 2, 10)));
	for (uint32_t i = 0; i < n; i++) {
		if (rng_chance(r, 40))
			add_child(seq, hex_jump(r, set, &chained));
		if (rng_chance(r, 35))
			add_child(seq, hex_either(r, set));
		add_child(seq,
			  rng_chance(r, 20)
				  ? hex_run(r, set)
				  : hex_bytes(r, set, rng_range(r, 1, 10)));
	}
	return seq;
}

static void print_hex(FILE *f, const struct node *n)
{
	switch (n->type) {
	case NODE_BYTE:
		fprintf(f, n->mask & 0xf0 ? "%X" : "?", n->value >> 4);
		fprintf(f, n->mask & 0x0f ? "%X " : "? ", n->value & 15);
		break;
	case NODE_JUMP:
		if (n->min == n->max)
			fprintf(f, "[%u] ", n->min);
		else
			fprintf(f, "[%u-%u] ", n->min, n->max);
		break;
	default:
		fputs(n->type == NODE_EITHER ? "( " : "", f);
		for (size_t i = 0; i < n->n_children; i++) {
			fputs(n->type == NODE_EITHER && i ? "| " : "", f);
			print_hex(f, n->child[i]);
		}
		fputs(n->type == NODE_EITHER ? ") " : "", f);
	}
}

/* ---- regular expressions --------------------------------------------- */

static struct node *a_class(struct rng *r, struct rule_set *set, bool dot_all)
{
	static const char *const texts[] = {
		".",	    "\\d",    "\\w", "\\s",	      "[a-f]",
		"[0-9A-F]", "[^a-z]", "\\S", "[\\x80-\\xff]", "[abc\\x00]"
	};
	struct node *n = new_node(set, NODE_CLASS);
	uint32_t which = rng_below(r, 10);

	strcpy(n->text, texts[which]);
	for (int c = 0; c < 256; c++) {
		bool space = strchr(" \t\n\v\f\r", c) && c;
		bool in[10] = { c != '\n' || dot_all,
				c >= '0' && c <= '9',
				(c < 128 && isalnum(c)) || c == '_',
				space,
				c >= 'a' && c <= 'f',
				(c >= '0' && c <= '9') ||
					(c >= 'A' && c <= 'F'),
				!(c >= 'a' && c <= 'z'),
				!space,
				c >= 0x80,
				c == 0 || (c >= 'a' && c <= 'c') };

		if (in[which])
			n->set[c / 8] |= (uint8_t)(1 << c % 8);
	}
	return n;
}

static struct node *an_anchor(struct rule_set *set, const char *text)
{
	struct node *n = new_node(set, NODE_ANCHOR);

	strcpy(n->text, text);
	return n;
}

static struct node *regex_word(struct rng *r, struct rule_set *set)
{
	struct node *seq = new_node(set, NODE_SEQUENCE);
	uint32_t n = rng_range(r, 1, rng_chance(r, 20) ? 60 : 8);

	for (uint32_t i = 0; i < n; i++) {
		struct node *b = a_byte(r, set);

		if (rng_chance(r, 80))
			b->value = (uint8_t)rng_range(r, 'a', 'z');
		add_child(seq, b);
	}
	return seq;
}

static struct node *regex_piece(struct rng *r, struct rule_set *set,
				bool dot_all, int depth);

static struct node *regex_repeat(struct rng *r, struct rule_set *set,
				 bool dot_all, int depth)
{
	struct node *n = new_node(set, NODE_REPEAT);
	uint32_t kind = rng_below(r, 10);

	add_child(n, rng_chance(r, 70) ? a_class(r, set, dot_all)
				       : regex_piece(r, set, dot_all, depth));
	n->min = kind < 3 ? 0 : kind < 6 ? 1 : rng_below(r, 6);
	n->max = kind == 0 ? 1 : n->min + rng_below(r, 12);
	n->open = kind < 5 && kind;
	n->lazy = set->lazy;
	/* Over 200 of "." are a chain of strings. */
	if (n->child[0]->type == NODE_CLASS && n->child[0]->text[0] == '.' &&
	    !n->open && rng_chance(r, 10))
		n->max = n->min + rng_range(r, 150, 1200);
	return n;
}

static struct node *regex_piece(struct rng *r, struct rule_set *set,
				bool dot_all, int depth)
{
	uint32_t kind = rng_below(r, 100);
	struct node *n;

	if (depth == 0 || kind < 45)
		return regex_word(r, set);
	if (kind < 60)
		return a_class(r, set, dot_all);
	if (kind < 80)
		return regex_repeat(r, set, dot_all, depth - 1);
	n = new_node(set, NODE_EITHER);
	for (uint32_t i = rng_range(r, 2, 3); i; i--)
		add_child(n, regex_piece(r, set, dot_all, depth - 1));
	return n;
}

static struct node *regex_root(struct rng *r, struct rule_set *set,
			       bool dot_all)
{
	struct node *seq = new_node(set, NODE_SEQUENCE);
	uint32_t n = rng_range(r, 1, 4), word = rng_below(r, n);

	if (rng_chance(r, 8))
		add_child(seq, an_anchor(set, rng_chance(r, 60) ? "\\b" : "^"));
	for (uint32_t i = 0; i < n; i++)
		add_child(seq, i == word ? regex_word(r, set)
					 : regex_piece(r, set, dot_all, 2));
	if (rng_chance(r, 8))
		add_child(seq, an_anchor(set, rng_chance(r, 60) ? "\\b" : "$"));
	return seq;
}

static void print_regex(FILE *f, const struct node *n)
{
	switch (n->type) {
	case NODE_BYTE:
		if (n->value < 128 && isalnum(n->value))
			fputc(n->value, f);
		else
			fprintf(f, "\\x%02x", n->value);
		break;
	case NODE_CLASS:
	case NODE_ANCHOR:
		fputs(n->text, f);
		break;
	case NODE_REPEAT:
		fputc('(', f);
		print_regex(f, n->child[0]);
		fputc(')', f);
		if (n->open)
			fprintf(f, "%s", n->min == 0 ? "*" : "+");
		else if (n->min == 0 && n->max == 1)
			fputc('?', f);
		else
			fprintf(f, "{%u,%u}", n->min, n->max + !n->max);
		fputs(n->lazy ? "?" : "", f);
		break;
	default:
		fputs(n->type == NODE_EITHER ? "(" : "", f);
		for (size_t i = 0; i < n->n_children; i++) {
			fputs(n->type == NODE_EITHER && i ? "|" : "", f);
			print_regex(f, n->child[i]);
		}
		fputs(n->type == NODE_EITHER ? ")" : "", f);
	}
}

/* ---- strings --------------------------------------------------------- */

static void text_string(struct rng *r, struct rule_set *set, struct string *s)
{
	uint32_t kind = rng_below(r, 100);
	bool words = rng_chance(r, 60);

	s->len = rng_range(r, 1, rng_chance(r, 30) ? 6 : 60);
	if (s->len < 3 && !rng_chance(r, 10))
		s->len += 3;
	for (size_t i = 0; i < s->len; i++)
		s->text[i] =
			words ? (uint8_t)rng_range(r, 'a', 'z') : rng_byte(r);
	/* Half of it in a page of zeros, where nobody looks. */
	if (rng_chance(r, 6)) {
		s->len = rng_range(r, 3, 6);
		memset(s->text + rng_below(r, 2), 0, s->len - 1);
		return;
	}
	if (kind < 15) {
		s->xor = true;
		if (rng_chance(r, 50)) {
			s->key_min = (uint8_t)rng_below(r, 200);
			s->key_max = s->key_min;
			s->key_max += (uint8_t)rng_below(r, 50);
		}
	} else if (kind < 25 && s->len >= 4) {
		s->base64 = rng_chance(r, 60);
		s->base64wide = !s->base64 || rng_chance(r, 40);
		return;
	} else if (kind < 45) {
		s->nocase = true;
	}
	s->wide = rng_chance(r, 30);
	s->ascii = s->wide && rng_chance(r, 50);
	s->fullword = rng_chance(r, 25);
	set->tiny |= s->len < 2;
}

void generate_string(struct rng *r, struct rule_set *set, struct string *s)
{
	uint32_t kind = rng_below(r, 100);

	memset(s, 0, sizeof(*s));
	s->key_max = 255;
	s->private = rng_chance(r, 10);
	if (kind < 45) {
		text_string(r, set, s);
	} else if (kind < 75) {
		s->type = STRING_HEX;
		s->root = hex_root(r, set);
	} else {
		s->type = STRING_REGEX;
		s->dot_all = rng_chance(r, 30);
		set->lazy = rng_chance(r, 35); /* all of it or nothing */
		s->root = regex_root(r, set, s->dot_all);
		s->nocase = rng_chance(r, 25);
		s->wide = rng_chance(r, 20);
		s->ascii = s->wide && rng_chance(r, 50);
		s->fullword = rng_chance(r, 20);
	}
}

void print_string(FILE *f, const struct string *s)
{
	if (s->type == STRING_TEXT) {
		fputc('"', f);
		for (size_t i = 0; i < s->len; i++)
			if (s->text[i] < 128 && isalnum(s->text[i]))
				fputc(s->text[i], f);
			else
				fprintf(f, "\\x%02x", s->text[i]);
		fputc('"', f);
	} else if (s->type == STRING_HEX) {
		fputs("{ ", f);
		print_hex(f, s->root);
		fputs("}", f);
	} else {
		fputc('/', f);
		print_regex(f, s->root);
		fprintf(f, "/%s", s->dot_all ? "s" : "");
	}
	fputs(s->nocase ? " nocase" : "", f);
	fputs(s->ascii ? " ascii" : "", f);
	fputs(s->wide ? " wide" : "", f);
	fputs(s->fullword ? " fullword" : "", f);
	fputs(s->base64 ? " base64" : "", f);
	fputs(s->base64wide ? " base64wide" : "", f);
	if (s->xor &&s->key_min == 0 && s->key_max == 255)
		fputs(" xor", f);
	else if (s->xor)
		fprintf(f, " xor(0x%02x-0x%02x)", s->key_min, s->key_max);
	fputs(s->private ? " private" : "", f);
}
