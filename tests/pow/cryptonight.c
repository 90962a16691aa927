/* cryptonight.c - CryptoNight, original variant (CryptoNote standard CNS008).
 *
 * Vector: Monero tests/hash/tests-slow.txt. */
#include <sys/mman.h>
#include "aes.h"
#include "blake.h"
#include "groestl.h"
#include "jh.h"
#include "keccak.h"
#include "skein.h"

#define SCRATCHPAD (2 << 20)
#define PASSES	   (1 << 19)

/* Ten round keys of AES-256's schedule. */
static void expand_key(const uint8_t *key, uint32_t k[40])
{
	uint32_t rcon = 1;

	memcpy(k, key, 32);
	for (int i = 8; i < 40; i++) {
		uint32_t t = k[i - 1];

		if (i % 8 == 0) {
			t = aes_sub_word(rotr32(t, 8)) ^ rcon;
			rcon <<= 1;
		} else if (i % 8 == 4) {
			t = aes_sub_word(t);
		}
		k[i] = k[i - 8] ^ t;
	}
}

static void ten_rounds(uint8_t *text, const uint32_t k[40])
{
	for (int b = 0; b < 8; b++) {
		uint32_t s[4];

		memcpy(s, text + 16 * b, 16);
		for (int r = 0; r < 10; r++)
			aes_round(s, k + 4 * r);
		memcpy(text + 16 * b, s, 16);
	}
}

static void explode(const uint8_t *state, uint8_t *pad)
{
	uint32_t k[40];
	uint8_t text[128];

	expand_key(state, k);
	memcpy(text, state + 64, 128);
	for (size_t i = 0; i < SCRATCHPAD; i += 128) {
		ten_rounds(text, k);
		memcpy(pad + i, text, 128);
	}
}

static void implode(uint8_t *state, const uint8_t *pad)
{
	uint32_t k[40];

	expand_key(state + 32, k);
	for (size_t i = 0; i < SCRATCHPAD; i += 128) {
		for (size_t n = 0; n < 128; n++)
			state[64 + n] ^= pad[i + n];
		ten_rounds(state + 64, k);
	}
}

static void walk(const uint8_t *state, uint8_t *pad)
{
	uint64_t a[2], b[2], c[2], d[2];

	for (int i = 0; i < 2; i++) {
		a[i] = load64(state + 8 * i) ^ load64(state + 32 + 8 * i);
		b[i] = load64(state + 16 + 8 * i) ^ load64(state + 48 + 8 * i);
	}
	for (int i = 0; i < PASSES; i++) {
		uint8_t *p = pad + (a[0] & 0x1ffff0);
		unsigned __int128 product;
		uint32_t text[4], key[4];

		memcpy(text, p, 16);
		memcpy(key, a, 16);
		aes_round(text, key);
		memcpy(c, text, 16);
		store64(p, b[0] ^ c[0]);
		store64(p + 8, b[1] ^ c[1]);
		memcpy(b, c, 16);
		p = pad + (c[0] & 0x1ffff0);
		memcpy(d, p, 16);
		product = (unsigned __int128)c[0] * d[0];
		a[0] += (uint64_t)(product >> 64);
		a[1] += (uint64_t)product;
		memcpy(p, a, 16);
		a[0] ^= d[0];
		a[1] ^= d[1];
	}
}

static void cryptonight(const void *data, size_t len, uint8_t hash[32])
{
	static uint8_t *pad;
	uint64_t state[25];
	uint8_t *s = (uint8_t *)state;

	if (!pad)
		pad = mmap(NULL, SCRATCHPAD, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	aes_tables();
	keccak_absorb(state, data, len, 136, 1);
	explode(s, pad);
	walk(s, pad);
	implode(s, pad);
	keccak_f(state);
	switch (s[0] & 3) {
	case 0:
		blake256(s, 200, hash);
		break;
	case 1:
		groestl(s, 200, hash, 256);
		break;
	case 2:
		jh(s, 200, hash, 256);
		break;
	case 3:
		skein(s, 200, hash, 256);
	}
}

void pow_hash(const uint8_t header[POW_HEADER], uint8_t hash[POW_HASH])
{
	cryptonight(header, 76, hash);
}

void pow_check(void)
{
	static const struct {
		const char *text, *hash;
	} known[] = {
		{ "de omnibus dubitandum",
		  "2f8e3df40bd11f9ac90c743ca8e32bb391da4fb98612aa3b6cdc639ee00b"
		  "31f5" },
		{ "abundans cautela non nocet",
		  "722fa8ccd594d40e4a41f3822734304c8d5eff7e1b528408e2229da38ba5"
		  "53c4" },
		{ "This is a test",
		  "a084f01d1437a09c6985401b60d43554ae105802c5f5d8a9b3253649c0be"
		  "6605" },
	};
	uint8_t out[64];

	groestl(NULL, 0, out, 256);
	pow_expect(
		"Groestl-256", out, 32,
		"1a52d11d550039be16107f9c58db9ebcc417f16f736adb2502567119f00834"
		"67");
	jh(NULL, 0, out, 256);
	pow_expect(
		"JH-256", out, 32,
		"46e64619c18bb0a92a5e87185a47eef83ca747b8fcc8e1412921357e326df4"
		"34");
	skein(NULL, 0, out, 256);
	pow_expect(
		"Skein-512-256", out, 32,
		"39ccc4554a8b31853b9de7a1fe638a24cce6b35a55f2431009e18780335d26"
		"21");
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		cryptonight(known[i].text, strlen(known[i].text), out);
		pow_expect(known[i].text, out, 32, known[i].hash);
	}
}
