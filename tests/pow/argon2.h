/* argon2.h - Argon2 (RFC 9106) of one lane, version 0x13. */
#ifndef ARGON2_H
#define ARGON2_H

#include "blake2b.h"

enum argon2_kind { ARGON2_D, ARGON2_I, ARGON2_ID };

struct argon2 {
	enum argon2_kind kind;
	uint32_t passes, kib; /* kib: a multiple of 4 */
	const uint8_t *password, *salt;
	uint32_t password_len, salt_len, tag_len;
};

#define ARGON2_WORDS 128

typedef uint64_t argon2_block[ARGON2_WORDS];

static inline void argon2_long_hash(const void *data, size_t len, uint8_t *out,
				    uint32_t out_len)
{
	uint8_t v[64];
	struct blake2b b;

	blake2b_init(&b, out_len < 64 ? out_len : 64, NULL);
	blake2b_add(&b, &out_len, 4);
	blake2b_add(&b, data, len);
	blake2b_end(&b, v);
	while (out_len > 64) {
		memcpy(out, v, 32);
		out += 32;
		out_len -= 32;
		blake2b(v, 64, v, out_len > 64 ? 64 : out_len);
	}
	memcpy(out, v, out_len);
}

static inline void argon2_g(uint64_t v[16], int a, int b, int c, int d)
{
#define MULTIPLY_ADD(x, y) \
	v[x] += v[y] + 2 * (uint64_t)(uint32_t)v[x] * (uint32_t)v[y]
	MULTIPLY_ADD(a, b);
	v[d] = rotr64(v[d] ^ v[a], 32);
	MULTIPLY_ADD(c, d);
	v[b] = rotr64(v[b] ^ v[c], 24);
	MULTIPLY_ADD(a, b);
	v[d] = rotr64(v[d] ^ v[a], 16);
	MULTIPLY_ADD(c, d);
	v[b] = rotr64(v[b] ^ v[c], 63);
#undef MULTIPLY_ADD
}

static inline void argon2_permute(uint64_t v[16])
{
	argon2_g(v, 0, 4, 8, 12);
	argon2_g(v, 1, 5, 9, 13);
	argon2_g(v, 2, 6, 10, 14);
	argon2_g(v, 3, 7, 11, 15);
	argon2_g(v, 0, 5, 10, 15);
	argon2_g(v, 1, 6, 11, 12);
	argon2_g(v, 2, 7, 8, 13);
	argon2_g(v, 3, 4, 9, 14);
}

/* ret = G(x, y), or ret ^= G(x, y) */
static inline void argon2_compress(argon2_block ret, const argon2_block x,
				   const argon2_block y, bool add)
{
	argon2_block r, q;
	uint64_t v[16];

	for (int i = 0; i < ARGON2_WORDS; i++)
		q[i] = r[i] = x[i] ^ y[i];
	for (int i = 0; i < 8; i++)
		argon2_permute(q + 16 * i);
	for (int i = 0; i < 8; i++) {
		for (int k = 0; k < 8; k++)
			memcpy(v + 2 * k, q + 16 * k + 2 * i, 16);
		argon2_permute(v);
		for (int k = 0; k < 8; k++)
			memcpy(q + 16 * k + 2 * i, v + 2 * k, 16);
	}
	for (int i = 0; i < ARGON2_WORDS; i++)
		ret[i] = r[i] ^ q[i] ^ (add ? ret[i] : 0);
}

static inline void argon2_start(const struct argon2 *a, argon2_block *memory)
{
	const uint32_t parameters[6] = { 1,	    a->tag_len, a->kib,
					 a->passes, 0x13,	a->kind };
	const uint32_t nothing = 0;
	uint8_t h0[72];
	struct blake2b b;

	blake2b_init(&b, 64, NULL);
	blake2b_add(&b, parameters, sizeof(parameters));
	blake2b_add(&b, &a->password_len, 4);
	blake2b_add(&b, a->password, a->password_len);
	blake2b_add(&b, &a->salt_len, 4);
	blake2b_add(&b, a->salt, a->salt_len);
	blake2b_add(&b, &nothing, 4); /* no secret */
	blake2b_add(&b, &nothing, 4); /* no associated data */
	blake2b_end(&b, h0);
	for (uint32_t i = 0; i < 2; i++) {
		store32(h0 + 64, i);
		store32(h0 + 68, 0);
		argon2_long_hash(h0, 72, (uint8_t *)memory[i], 1024);
	}
}

/* The pseudo-random value of one position, by data or by its address. */
static inline uint64_t argon2_pick(const struct argon2 *a, uint32_t pass,
				   uint32_t slice, uint32_t i,
				   const uint64_t *previous, uint64_t *z,
				   uint64_t *addresses)
{
	static const argon2_block zero;

	if (a->kind == ARGON2_D ||
	    (a->kind == ARGON2_ID && (pass > 0 || slice > 1)))
		return previous[0];
	if (i % ARGON2_WORDS == 0 || (pass == 0 && slice == 0 && i == 2)) {
		z[0] = pass;
		z[2] = slice;
		z[3] = a->kib;
		z[4] = a->passes;
		z[5] = a->kind;
		z[6]++;
		argon2_compress(addresses, zero, z, false);
		argon2_compress(addresses, zero, addresses, false);
	}
	return addresses[i % ARGON2_WORDS];
}

static inline void argon2_segment(const struct argon2 *a, uint32_t pass,
				  uint32_t slice, argon2_block *memory)
{
	uint32_t length = a->kib / 4, at = slice * length;
	argon2_block z = { 0 }, addresses;

	for (uint32_t i = pass == 0 && slice == 0 ? 2 : 0; i < length; i++) {
		uint32_t before = (at + i + a->kib - 1) % a->kib;
		uint64_t j = (uint32_t)argon2_pick(
			a, pass, slice, i, memory[before], z, addresses);
		uint64_t area = (pass ? a->kib - length : at) + i - 1;
		uint64_t from = area - 1 - (area * (j * j >> 32) >> 32);

		if (pass && slice < 3)
			from += (uint64_t)(slice + 1) * length;
		argon2_compress(memory[at + i], memory[before],
				memory[from % a->kib], pass > 0);
	}
}

static inline void argon2(const struct argon2 *a, argon2_block *memory,
			  uint8_t *tag)
{
	argon2_start(a, memory);
	for (uint32_t pass = 0; pass < a->passes; pass++)
		for (uint32_t slice = 0; slice < 4; slice++)
			argon2_segment(a, pass, slice, memory);
	argon2_long_hash(memory[a->kib - 1], 1024, tag, a->tag_len);
}

#endif
