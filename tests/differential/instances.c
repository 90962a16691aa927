/* instances.c - chance, and bytes that a string matches. */
#include <ctype.h>
#include <string.h>
#include "generate.h"

/* splitmix64 */
uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9E3779B97F4A7C15ULL;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return z ^ z >> 31;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rng_next(r) >> 32) * n >> 32);
}

uint32_t rng_range(struct rng *r, uint32_t a, uint32_t b)
{
	return a + rng_below(r, b - a + 1);
}

bool rng_chance(struct rng *r, uint32_t percent)
{
	return rng_below(r, 100) < percent;
}

/* Zeros, 0xff and code's favourites come more often than by chance, since
 * they are where a prefilter has its trouble. */
uint8_t rng_byte(struct rng *r)
{
	static const uint8_t common[] = { 0x00, 0xff, 0x48, 0x8b, 0x89,
					  0x0f, 0x20, 0x65, 0x90, 0xcc };

	if (rng_chance(r, 12))
		return common[rng_below(r, sizeof(common))];
	return (uint8_t)rng_below(r, 256);
}

/* ---- instances ------------------------------------------------------- */

struct out {
	uint8_t *bytes;
	size_t n, cap;
};

static void put(struct out *o, uint8_t byte)
{
	if (o->n < o->cap)
		o->bytes[o->n++] = byte;
}

static uint8_t member(struct rng *r, const struct node *n)
{
	uint8_t c = (uint8_t)rng_below(r, 256);

	while (!(n->set[c / 8] >> c % 8 & 1))
		c++;
	return c;
}

static void put_node(struct rng *r, const struct node *n, struct out *o)
{
	uint32_t times = 1;

	switch (n->type) {
	case NODE_BYTE:
		put(o, (n->value & n->mask) | ((uint8_t)rng_below(r, 256) &
					       (uint8_t)~n->mask));
		break;
	case NODE_CLASS:
		put(o, member(r, n));
		break;
	case NODE_JUMP:
		for (times = rng_range(r, n->min, n->max); times; times--)
			put(o, rng_byte(r));
		break;
	case NODE_EITHER:
		put_node(r, n->child[rng_below(r, (uint32_t)n->n_children)], o);
		break;
	case NODE_REPEAT:
		for (times = rng_range(r, n->min, n->max); times; times--)
			put_node(r, n->child[0], o);
		break;
	case NODE_SEQUENCE:
		for (size_t i = 0; i < n->n_children; i++)
			put_node(r, n->child[i], o);
		break;
	case NODE_ANCHOR:
		break;
	}
}

static void put_base64(struct rng *r, const struct string *s, struct out *o)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t before = rng_below(r, 3), n = before + s->len + 3;
	uint8_t plain[sizeof(s->text) + 8];

	for (size_t i = 0; i < n; i++)
		plain[i] = (uint8_t)rng_below(r, 256);
	for (size_t i = 0; i < s->len; i++)
		plain[before + i] = s->text[i];
	for (size_t i = 0; i + 3 <= n; i += 3) {
		unsigned v = (unsigned)(plain[i] << 16 | plain[i + 1] << 8 |
					plain[i + 2]);

		for (int shift = 18; shift >= 0; shift -= 6)
			put(o, (uint8_t)digits[v >> shift & 63]);
	}
}

static void widen(struct out *o)
{
	size_t n = o->n * 2 < o->cap ? o->n : o->cap / 2;

	for (size_t i = n; i-- > 0;) {
		o->bytes[2 * i] = o->bytes[i];
		o->bytes[2 * i + 1] = 0;
	}
	o->n = n * 2;
}

size_t generate_instance(struct rng *r, const struct string *s, uint8_t *ret,
			 size_t cap)
{
	struct out o = { .bytes = ret, .cap = cap };
	uint8_t key = (uint8_t)rng_range(r, s->key_min, s->key_max);

	if (s->base64 || s->base64wide)
		put_base64(r, s, &o);
	else if (s->type == STRING_TEXT)
		for (size_t i = 0; i < s->len; i++)
			put(&o, s->text[i]);
	else
		put_node(r, s->root, &o);
	for (size_t i = 0; i < o.n && s->nocase; i++)
		if (o.bytes[i] < 128 && isalpha(o.bytes[i]) &&
		    rng_chance(r, 50))
			o.bytes[i] ^= 0x20;
	if (s->base64wide ? !s->base64 || rng_chance(r, 50)
			  : s->wide && (!s->ascii || rng_chance(r, 50)))
		widen(&o);
	for (size_t i = 0; i < o.n && s->xor ; i++)
		o.bytes[i] ^= key;
	return o.n;
}
