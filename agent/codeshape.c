/* codeshape.c - what code looks like once addresses are taken out of it. */
#include <stdbool.h>
#include <string.h>
#include "codeshape.h"
#include "codeshape_own.h"

/* An odd number whose powers have no pattern (2^64 / golden ratio). */
#define STEP UINT64_C(0x9e3779b97f4a7c15)

/* One in eight. */
#define CHOSEN(hash) (!((hash) >> 61))

/* A rolling polynomial of the last CODESHAPE_WINDOW tokens. */
struct roll {
	uint64_t token[CODESHAPE_WINDOW];
	uint64_t sum, oldest; /* STEP to the power of the window */
	size_t n;
};

uint64_t codeshape_mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

static void begin(struct roll *r)
{
	memset(r, 0, sizeof(*r));
	r->oldest = 1;
	for (int i = 0; i < CODESHAPE_WINDOW; i++)
		r->oldest *= STEP;
}

/* True: the window is full; its hash is in *ret. */
static bool add(struct roll *r, uint64_t token, uint64_t *ret)
{
	uint64_t *slot = &r->token[r->n % CODESHAPE_WINDOW];

	r->sum = r->sum * STEP + token;
	if (r->n >= CODESHAPE_WINDOW)
		r->sum -= *slot * r->oldest;
	*slot = token;
	*ret = codeshape_mix(r->sum);
	return ++r->n >= CODESHAPE_WINDOW;
}

void codeshape(enum codeshape_machine machine, const uint8_t *code,
	       size_t len, void (*digest)(void *user, uint64_t), void *user)
{
	size_t (*const next)(const uint8_t *, size_t, uint64_t *) =
		machine == CODESHAPE_AARCH64 ? codeshape_aarch64
					     : codeshape_x86;
	struct roll roll;
	uint64_t token, hash;

	begin(&roll);
	while (len) {
		size_t n = next(code, len, &token);

		if (!n)
			begin(&roll);
		else if (token && add(&roll, token, &hash) && CHOSEN(hash))
			digest(user, hash);
		n = n ? n : machine == CODESHAPE_AARCH64 && len >= 4 ? 4 : 1;
		code += n;
		len -= n;
	}
}
