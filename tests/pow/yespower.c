/* yespower.c - yespower 1.0 with N = 2048, r = 32 and a coin's personal string
 * (CPUpower).  There is no paper; openwall's yespower-ref.c is the definition.
 * Vectors: its TESTS-OK. */
#include "sha256.h"

#define N	2048
#define R	32
#define S_WORDS (3 << 13) /* three boxes of 2^11 rows of two 64-bit words */

static const char personal[] =
	"CPUpower: The number of CPU working or available for proof-of-work "
	"mining";

struct state {
	uint32_t v[N][32 * R], x[32 * R];
	uint32_t s[S_WORDS];
	uint32_t *box[3];
	uint32_t w;
};

static void hmac(const uint8_t *key, size_t key_len, const uint8_t *data,
		 size_t len, uint8_t out[32])
{
	uint8_t inner[64 + 128], outer[64 + 32];

	memset(inner, 0x36, 64);
	memset(outer, 0x5c, 64);
	for (size_t i = 0; i < key_len; i++) {
		inner[i] ^= key[i];
		outer[i] ^= key[i];
	}
	memcpy(inner + 64, data, len);
	sha256(inner, 64 + len, outer + 64);
	sha256(outer, sizeof(outer), out);
}

/* Salsa20 of two rounds, its words in the order that suits vectors. */
static void salsa2(uint32_t b[16])
{
	uint32_t x[16];

	for (int i = 0; i < 16; i++)
		x[i * 5 % 16] = b[i];
	for (int k = 0; k < 8; k++) {
		int n = k % 4, p[4];

		for (int j = 0; j < 4; j++)
			p[j] = k < 4 ? (4 * (n + j) + n) % 16
				     : 4 * n + (n + j) % 4;
		x[p[1]] ^= rotl32(x[p[0]] + x[p[3]], 7);
		x[p[2]] ^= rotl32(x[p[1]] + x[p[0]], 9);
		x[p[3]] ^= rotl32(x[p[2]] + x[p[1]], 13);
		x[p[0]] ^= rotl32(x[p[3]] + x[p[2]], 18);
	}
	for (int i = 0; i < 16; i++)
		b[i] += x[i * 5 % 16];
}

static uint64_t join(const uint32_t *p)
{
	return (uint64_t)p[1] << 32 | p[0];
}

static void pwx_form(uint32_t x[16], struct state *t)
{
	uint32_t *s0 = t->box[0], *s1 = t->box[1], *s2 = t->box[2];

	for (int round = 0; round < 3; round++)
		for (int j = 0; j < 4; j++) {
			uint32_t *lane = x + 4 * j;
			const uint32_t *p0 = s0 + (lane[0] & 2047 << 4) / 4;
			const uint32_t *p1 = s1 + (lane[1] & 2047 << 4) / 4;

			for (int k = 0; k < 4; k += 2) {
				uint64_t y = (uint64_t)lane[k] * lane[k + 1];

				y = (y + join(p0 + k)) ^ join(p1 + k);
				lane[k] = (uint32_t)y;
				lane[k + 1] = (uint32_t)(y >> 32);
			}
			if (round && j >= 2)
				continue;
			memcpy((j & 1 ? s1 : s0) + 4 * t->w, lane, 16);
			t->w += j & 1;
		}
	t->box[0] = s2;
	t->box[1] = s0;
	t->box[2] = s1;
	t->w &= 2047;
}

static void block_mix(uint32_t *b, struct state *t, int r)
{
	uint32_t x[16];

	memcpy(x, b + 32 * r - 16, 64);
	for (int i = 0; i < 2 * r; i++) {
		for (int k = 0; k < 16; k++)
			x[k] ^= b[16 * i + k];
		pwx_form(x, t);
		memcpy(b + 16 * i, x, 64);
	}
	salsa2(b + 32 * r - 16);
}

static void shuffle(uint32_t *to, const uint32_t *from, int words, bool back)
{
	for (int i = 0; i < words; i++) {
		int other = i / 16 * 16 + i % 16 * 5 % 16;

		to[back ? other : i] = from[back ? i : other];
	}
}

static uint32_t wrap(uint32_t x, uint32_t i)
{
	uint32_t n = 1U << (31 - __builtin_clz(i));

	return (x & (n - 1)) + (i - n);
}

/* Fills the boxes the way scrypt fills its memory. */
static void fill_boxes(uint32_t b[32], struct state *t)
{
	uint32_t x[32];

	shuffle(x, b, 32, false);
	for (uint32_t i = 0; i < S_WORDS / 32; i++) {
		memcpy(t->s + 32 * i, x, 128);
		if (i > 1) {
			const uint32_t *from = t->s + 32 * wrap(x[16], i);

			for (int k = 0; k < 32; k++)
				x[k] ^= from[k];
		}
		for (int half = 0; half < 32; half += 16) {
			for (int k = 0; k < 16; k++)
				x[half + k] ^= x[(half + 16) % 32 + k];
			salsa2(x + half);
		}
	}
	shuffle(b, x, 32, true);
	for (int i = 0; i < 3; i++)
		t->box[i] = t->s + i * S_WORDS / 3;
	t->w = 0;
}

static void s_mix(uint32_t b[32 * R], struct state *t)
{
	uint32_t *x = t->x, j;

	fill_boxes(b, t);
	shuffle(x, b, 32, false);
	for (int k = 1; k < R; k++) {
		memcpy(x + 32 * k, x + 32 * (k - 1), 128);
		block_mix(x + 32 * k, t, 1);
	}
	for (uint32_t i = 0; i < N; i++) {
		memcpy(t->v[i], x, sizeof(t->x));
		if (i > 1) {
			j = wrap(x[32 * R - 16], i);
			for (int k = 0; k < 32 * R; k++)
				x[k] ^= t->v[j][k];
		}
		block_mix(x, t, R);
	}
	for (int i = 0; i < ((N + 2) / 3 + 1) / 2 * 2; i++) {
		j = x[32 * R - 16] & (N - 1);
		for (int k = 0; k < 32 * R; k++)
			x[k] ^= t->v[j][k];
		memcpy(t->v[j], x, sizeof(t->x));
		block_mix(x, t, R);
	}
	shuffle(b, x, 32 * R, true);
}

static void yespower(const uint8_t header[POW_HEADER], const char *pers,
		     size_t pers_len, uint8_t hash[32])
{
	static struct state t;
	static uint32_t b[32 * R];
	uint8_t digest[32], salt[128];

	sha256(header, POW_HEADER, digest);
	memcpy(salt, pers, pers_len);
	for (uint32_t i = 0; i < 4; i++) {
		store32be(salt + pers_len, i + 1);
		hmac(digest, 32, salt, pers_len + 4, (uint8_t *)(b + 8 * i));
	}
	memcpy(digest, b, 32);
	s_mix(b, &t);
	hmac((uint8_t *)(b + 32 * R - 16), 64, digest, 32, hash);
}

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	yespower(header, personal, sizeof(personal) - 1, hash);
}

void pow_check(void)
{
	uint8_t header[POW_HEADER], hash[32];

	for (int i = 0; i < POW_HEADER; i++)
		header[i] = (uint8_t)(i * 3);
	yespower(header, "", 0, hash);
	pow_expect(
		"yespower", hash, 32,
		"d5efb813cd263e9b34540130233cbbc6a921fbff3431e5ec1a1abde2aea6ff"
		"4d");
}
