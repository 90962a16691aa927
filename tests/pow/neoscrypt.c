/* neoscrypt.c - NeoScrypt(128, 2, 1) with FastKDF (Feathercoin, 2014).
 * Vectors: the white paper's self test, bytes 0 to 79; hashlib's BLAKE2s. */
#include "blake2s.h"

#define KDF 256

/* Whatever of the buffer's start and of the room behind its end was written is
 * the same again. */
static void mirror(uint8_t *b, size_t at, size_t room)
{
	if (at < room)
		memcpy(b + KDF + at, b + at, 32 < room - at ? 32 : room - at);
	if (KDF - at < 32)
		memcpy(b, b + KDF, 32 - (KDF - at));
}

static void fill(uint8_t *b, size_t size, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < KDF; i++)
		b[i] = from[i % len];
	memcpy(b + KDF, b, size - KDF);
}

static void fast_kdf(const uint8_t *password, const uint8_t *salt,
		     size_t salt_len, uint8_t *out, size_t out_len)
{
	uint8_t a[KDF + 64], b[KDF + 32], digest[32];
	size_t at = 0;

	fill(a, sizeof(a), password, POW_HEADER);
	fill(b, sizeof(b), salt, salt_len);
	for (int i = 0; i < 32; i++) {
		blake2s_keyed(a + at, b + at, digest);
		at = 0;
		for (int k = 0; k < 32; k++)
			at += digest[k];
		at %= KDF;
		for (int k = 0; k < 32; k++)
			b[at + (size_t)k] ^= digest[k];
		mirror(b, at, 32);
	}
	for (size_t i = 0; i < out_len; i++)
		out[i] = b[(at + i) % KDF] ^ a[i];
}

static void chacha20(uint32_t b[16])
{
	uint32_t x[16];

	memcpy(x, b, 64);
	for (int i = 0; i < 10; i++)
		for (int k = 0; k < 8; k++) {
			int d = k / 4; /* columns, then diagonals */
			uint32_t *p = x + k % 4, *q = x + 4 + (k + d) % 4,
				 *r = x + 8 + (k + 2 * d) % 4,
				 *s = x + 12 + (k + 3 * d) % 4;

			*p += *q;
			*s = rotl32(*s ^ *p, 16);
			*r += *s;
			*q = rotl32(*q ^ *r, 12);
			*p += *q;
			*s = rotl32(*s ^ *p, 8);
			*r += *s;
			*q = rotl32(*q ^ *r, 7);
		}
	for (int i = 0; i < 16; i++)
		b[i] += x[i];
}

static void salsa20(uint32_t b[16])
{
	uint32_t x[16];

	memcpy(x, b, 64);
	for (int i = 0; i < 10; i++)
		for (int k = 0; k < 8; k++) {
			int n = k % 4, step = k < 4 ? 4 : 1;
			int row = k < 4 ? 0 : 4 * n, at = n;
			uint32_t *p[4];

			for (int j = 0; j < 4; j++)
				p[j] = step == 4 ? x + (4 * (at + j) + n) % 16
						 : x + row + (at + j) % 4;
			*p[1] ^= rotl32(*p[0] + *p[3], 7);
			*p[2] ^= rotl32(*p[1] + *p[0], 9);
			*p[3] ^= rotl32(*p[2] + *p[1], 13);
			*p[0] ^= rotl32(*p[3] + *p[2], 18);
		}
	for (int i = 0; i < 16; i++)
		b[i] += x[i];
}

static void block_mix(uint32_t x[64], void (*core)(uint32_t *))
{
	uint32_t t[16];

	for (int i = 0; i < 4; i++) {
		for (int k = 0; k < 16; k++)
			x[16 * i + k] ^= x[16 * ((i + 3) % 4) + k];
		core(x + 16 * i);
	}
	memcpy(t, x + 16, 64);
	memcpy(x + 16, x + 32, 64);
	memcpy(x + 32, t, 64);
}

static void s_mix(uint32_t x[64], void (*core)(uint32_t *))
{
	static uint32_t v[128][64];

	for (int i = 0; i < 128; i++) {
		memcpy(v[i], x, 256);
		block_mix(x, core);
	}
	for (int i = 0; i < 128; i++) {
		const uint32_t *from = v[x[48] % 128];

		for (int k = 0; k < 64; k++)
			x[k] ^= from[k];
		block_mix(x, core);
	}
}

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	uint32_t x[64], z[64];

	fast_kdf(header, header, POW_HEADER, (uint8_t *)x, sizeof(x));
	memcpy(z, x, sizeof(z));
	s_mix(z, chacha20);
	s_mix(x, salsa20);
	for (int i = 0; i < 64; i++)
		x[i] ^= z[i];
	fast_kdf(header, (const uint8_t *)x, sizeof(x), hash, POW_HASH);
}

void pow_check(void)
{
	uint8_t header[POW_HEADER], hash[32];

	for (int i = 0; i < POW_HEADER; i++)
		header[i] = (uint8_t)i;
	blake2s_keyed(header, header, hash);
	pow_expect("BLAKE2s", hash, 32,
		   "8975b0577fd35566d750b362b0897a26c399136df07bababbde6203ff29"
		   "54ed4");
	pow_hash(header, hash);
	pow_expect("NeoScrypt", hash, 32,
		   "7258961afb33fd12d00cacb8d63f4f4f52bb691704386"
		   "5dd24a08f578853122d");
	memset(header, 0x80, sizeof(header));
	pow_hash(header, hash);
	pow_expect(
		"NeoScrypt of 0x80", hash, 32,
		"7915d56de262bf23b1fb9104cf5d2a13fcbed2f6b4b9b657309c222b09f54b"
		"c0");
}
