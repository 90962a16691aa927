/* cuckatoo.c - Cuckatoo Cycle with 2^29 edges (Grin; Tromp, "Cuckoo Cycle",
 * 2015), lean: a bit for each edge and for each node of one side. Vector: Grin
 * core/src/pow/cuckatoo.rs, V1_29.  With AVX2 four edges at once, and rotations
 * by whole bytes as shuffles, as the reference solvers do.  Words to the pool:
 * Grin doc/stratum.md. */
#include <sys/mman.h>
#include "blake2b.h"
#include "session.h"

#define EDGE_BITS 29
#define EDGES	  (1ULL << EDGE_BITS)
#define CYCLE	  42
#define ROUNDS	  90

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl64(v[1], 13) ^ v[0];
	v[3] = rotl64(v[3], 16) ^ v[2];
	v[0] = rotl64(v[0], 32) + v[3];
	v[2] += v[1];
	v[1] = rotl64(v[1], 17) ^ v[2];
	v[3] = rotl64(v[3], 21) ^ v[0];
	v[2] = rotl64(v[2], 32);
}

static uint64_t sip_hash(const uint64_t key[4], uint64_t nonce)
{
	uint64_t v[4] = { key[0], key[1], key[2], key[3] ^ nonce };

	sip_round(v);
	sip_round(v);
	v[0] ^= nonce;
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint32_t node(const uint64_t key[4], uint64_t edge, unsigned side)
{
	return (uint32_t)(sip_hash(key, 2 * edge + side) & (EDGES - 1));
}

#define LANES 4

#ifdef __AVX2__
typedef uint64_t lanes __attribute__((vector_size(8 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(8 * LANES)));

static lanes rotate(lanes x, int n)
{
	return x << n | x >> (64 - n);
}

static lanes rotate_16(lanes x)
{
	return (lanes)__builtin_shufflevector(
		(bytes)x, (bytes)x, 6, 7, 0, 1, 2, 3, 4, 5, 14, 15, 8, 9, 10, 11,
		12, 13, 22, 23, 16, 17, 18, 19, 20, 21, 30, 31, 24, 25, 26, 27,
		28, 29);
}

static void sip_round_lanes(lanes v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate_16(v[3]) ^ v[2];
	v[0] = rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* The nodes of the LANES edges from @edge on. */
static void nodes_of(const uint64_t key[4], uint64_t edge, unsigned side,
		     uint32_t ret[LANES])
{
	lanes v[4], nonce;

	for (int i = 0; i < LANES; i++)
		nonce[i] = 2 * (edge + (uint64_t)i) + side;
	for (int i = 0; i < 4; i++)
		v[i] = (lanes){ key[i], key[i], key[i], key[i] };
	v[3] ^= nonce;
	sip_round_lanes(v);
	sip_round_lanes(v);
	v[0] ^= nonce;
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round_lanes(v);
	v[0] = (v[0] ^ v[1] ^ v[2] ^ v[3]) & (EDGES - 1);
	for (int i = 0; i < LANES; i++)
		ret[i] = (uint32_t)v[0][i];
}
#else
static void nodes_of(const uint64_t key[4], uint64_t edge, unsigned side,
		     uint32_t ret[LANES])
{
	for (int i = 0; i < LANES; i++)
		ret[i] = node(key, edge + (uint64_t)i, side);
}
#endif

/* Do the edges make one cycle? A node's partner differs in its lowest bit. */
static bool is_cycle(const uint64_t key[4], const uint32_t edges[CYCLE])
{
	uint32_t ends[2 * CYCLE];
	int at = 0, n = 0;

	for (int i = 0; i < 2 * CYCLE; i++)
		ends[i] = node(key, edges[i / 2], (unsigned)i % 2);
	do {
		int next = -1;

		for (int k = at % 2; k < 2 * CYCLE; k += 2)
			if (ends[k] == (ends[at] ^ 1))
				next = next < 0 ? k : 2 * CYCLE;
		if (next < 0 || next == 2 * CYCLE)
			return false;
		at = next ^ 1; /* the edge's other end */
		n++;
	} while (at);
	return n == CYCLE;
}

static void set(uint64_t *bits, uint64_t i)
{
	bits[i / 64] |= 1ULL << i % 64;
}

static bool get(const uint64_t *bits, uint64_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

/* Drops edges of which one end has no partner; how many are left. */
static uint64_t trim(const uint64_t key[4], uint64_t *dead, uint64_t *nodes,
		     unsigned side)
{
	uint64_t left = 0;
	uint32_t end[LANES];

	memset(nodes, 0, EDGES / 8);
	for (uint64_t e = 0; e < EDGES; e += LANES) {
		nodes_of(key, e, side, end);
		for (unsigned i = 0; i < LANES; i++)
			if (!get(dead, e + i))
				set(nodes, end[i]);
	}
	for (uint64_t e = 0; e < EDGES; e += LANES) {
		nodes_of(key, e, side, end);
		for (unsigned i = 0; i < LANES; i++) {
			if (get(dead, e + i))
				continue;
			if (get(nodes, end[i] ^ 1))
				left++;
			else
				set(dead, e + i);
		}
	}
	return left;
}

static void *memory(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	static uint64_t *dead, *nodes;
	uint64_t key[4], left = EDGES;

	if (!dead) {
		dead = memory(EDGES / 8);
		nodes = memory(EDGES / 8);
	}
	blake2b(header, POW_HEADER, (uint8_t *)key, 32);
	memset(dead, 0, EDGES / 8);
	for (unsigned r = 0; r < ROUNDS && left >= CYCLE; r++)
		left = trim(key, dead, nodes, r % 2);
	memcpy(hash, key, POW_HASH); /* what is left would be searched now */
}

void pow_check(void)
{
	static const uint32_t known[CYCLE] = {
		0x48a9e2,   0x9cf043,	0x155ca30,  0x18f4783,	0x248f86c,
		0x2629a64,  0x5bad752,	0x72e3569,  0x93db760,	0x97d3b37,
		0x9e05670,  0xa315d5a,	0xa3571a1,  0xa48db46,	0xa7796b6,
		0xac43611,  0xb64912f,	0xbb6c71e,  0xbcc8be1,	0xc38a43a,
		0xd4faa99,  0xe018a66,	0xe37e49c,  0xfa975fa,	0x11786035,
		0x1243b60a, 0x12892da0, 0x141b5453, 0x1483c3a0, 0x1505525e,
		0x1607352c, 0x16181fe3, 0x17e3a1da, 0x180b651e, 0x1899d678,
		0x1931b0bb, 0x19606448, 0x1b041655, 0x1b2c20ad, 0x1bd7a83c,
		0x1c05d5b0, 0x1c0b9caa,
	};
	uint8_t header[POW_HEADER] = { [76] = 20 }, ok;
	uint32_t end[LANES];
	uint64_t key[4];

	blake2b(header, POW_HEADER, (uint8_t *)key, 32);
	ok = is_cycle(key, known);
	nodes_of(key, 4711, 1, end);
	for (unsigned i = 0; i < LANES; i++)
		ok &= end[i] == node(key, 4711 + i, 1);
	pow_expect("Grin's cycle", &ok, 1, "01");
	session_ask("0", "2.0", "login", true, "login", "grin1.rig", "pass", "x",
		    "agent", "pow/1.0", NULL);
	session_ask("1", "2.0", "getjobtemplate", true, NULL);
	session_talk();
}
