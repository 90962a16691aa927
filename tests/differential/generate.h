/* generate.h - random rule sets, and bytes that their strings match. */
#ifndef GENERATE_H
#define GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The same seed makes the same case, on every machine. */
struct rng {
	uint64_t state;
};

uint64_t rng_next(struct rng *);
uint32_t rng_below(struct rng *, uint32_t n);		  /* 0..n-1 */
uint32_t rng_range(struct rng *, uint32_t a, uint32_t b); /* a..b */
bool rng_chance(struct rng *, uint32_t percent);
uint8_t rng_byte(struct rng *);

/* A hex string or regular expression. */
struct node {
	enum node_type {
		NODE_BYTE,  /* @value where @mask has ones */
		NODE_CLASS, /* of @set; @text as a regular expression has it */
		NODE_JUMP,  /* @min to @max bytes of any value */
		NODE_SEQUENCE,
		NODE_EITHER,
		NODE_REPEAT, /* @child[0], @min to @max times */
		NODE_ANCHOR, /* @text; matches no byte */
	} type;
	uint8_t value, mask;
	uint8_t set[32];
	char text[32];
	uint32_t min, max;
	bool open; /* no upper limit is written */
	bool lazy;
	struct node *child[10];
	size_t n_children;
};

struct string {
	enum { STRING_TEXT, STRING_HEX, STRING_REGEX } type;
	bool nocase, ascii, wide, fullword, xor, base64, base64wide, private;
	bool dot_all;
	uint8_t key_min, key_max;
	uint8_t text[64];
	size_t len;
	struct node *root;
};

#define STRINGS_MAX 400
#define NODES_MAX   8000
#define RULES_MAX   40

struct rule_set {
	char *text; /* of all rules; free() it */
	struct string strings[STRINGS_MAX];
	size_t n_strings, n_rules;
	struct node nodes[NODES_MAX];
	size_t n_nodes;
	bool lazy; /* the regular expression being made */
	bool tiny; /* holds strings that match almost everywhere */
};

void generate_rules(struct rng *, struct rule_set *ret);

/* Gives @rule of @set another `where`, an enum where. */
void generate_where(struct rule_set *set, const char *rule, unsigned where);

/* Bytes that @s matches, or all but; returns their number, at most @cap. */
size_t generate_instance(struct rng *, const struct string *s, uint8_t *ret,
			 size_t cap);

/* For generate.c. */
void generate_string(struct rng *, struct rule_set *, struct string *ret);
void print_string(FILE *, const struct string *);

#endif
