/* The same code has the same shape wherever it lies; other code has not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "hash_fixture.h"
#include "shapeset.h"

/* Of the SDM's and the assembler's making; the first bytes, then the length. */
static const struct {
	uint8_t code[15];
	uint8_t len;
} lengths[] = {
	{ { 0x90 }, 1 },			/* nop */
	{ { 0xc3 }, 1 },			/* ret */
	{ { 0x55 }, 1 },			/* push rbp */
	{ { 0x48, 0x89, 0xe5 }, 3 },		/* mov rbp, rsp */
	{ { 0x89, 0x45, 0xfc }, 3 },		/* mov [rbp-4], eax */
	{ { 0x8b, 0x04, 0x24 }, 3 },		/* mov eax, [rsp] */
	{ { 0x8b, 0x04, 0x25 }, 7 },		/* mov eax, [disp32] */
	{ { 0x48, 0x8d, 0x05 }, 7 },		/* lea rax, [rip+disp32] */
	{ { 0x48, 0x8b, 0x84, 0x24 }, 8 },	/* mov rax, [rsp+disp32] */
	{ { 0xe8 }, 5 },			/* call */
	{ { 0xeb }, 2 },			/* jmp short */
	{ { 0x74 }, 2 },			/* je short */
	{ { 0x0f, 0x84 }, 6 },			/* je near */
	{ { 0xb8 }, 5 },			/* mov eax, imm32 */
	{ { 0x48, 0xb8 }, 10 },			/* mov rax, imm64 */
	{ { 0x66, 0xb8 }, 4 },			/* mov ax, imm16 */
	{ { 0x48, 0xc7, 0xc0 }, 7 },		/* mov rax, imm32 */
	{ { 0x48, 0xa1 }, 10 },			/* mov rax, [moffs64] */
	{ { 0x83, 0xc0 }, 3 },			/* add eax, imm8 */
	{ { 0x81, 0xc1 }, 6 },			/* add ecx, imm32 */
	{ { 0x66, 0x81, 0xc1 }, 5 },		/* add cx, imm16 */
	{ { 0x69, 0xc0 }, 6 },			/* imul eax, eax, imm32 */
	{ { 0x6b, 0xc0 }, 3 },
	{ { 0xf6, 0xc0 }, 3 },			/* test al, imm8 */
	{ { 0xf6, 0xd0 }, 2 },			/* not al */
	{ { 0xf7, 0xc0 }, 6 },			/* test eax, imm32 */
	{ { 0xf7, 0xe1 }, 2 },			/* mul ecx */
	{ { 0xc1, 0xe0 }, 3 },			/* shl eax, imm8 */
	{ { 0xd1, 0xe0 }, 2 },			/* shl eax, 1 */
	{ { 0xc8 }, 4 },			/* enter */
	{ { 0xc2 }, 3 },			/* ret imm16 */
	{ { 0x0f, 0x1f, 0x44, 0x00 }, 5 },	/* nop [rax+rax+0] */
	{ { 0xf3, 0x0f, 0x1e, 0xfa }, 4 },	/* endbr64 */
	{ { 0x0f, 0xa2 }, 2 },			/* cpuid */
	{ { 0x0f, 0x05 }, 2 },			/* syscall */
	{ { 0x0f, 0xb6, 0xc0 }, 3 },		/* movzx eax, al */
	{ { 0x0f, 0xba, 0xe0 }, 4 },		/* bt eax, imm8 */
	{ { 0x0f, 0xc8 }, 2 },			/* bswap eax */
	{ { 0x66, 0x0f, 0x70, 0xc0 }, 5 },	/* pshufd */
	{ { 0x66, 0x0f, 0x38, 0xdc, 0xc1 }, 5 }, /* aesenc */
	{ { 0x66, 0x0f, 0x3a, 0xdf, 0xc1 }, 6 }, /* aeskeygenassist */
	{ { 0xc5, 0xf8, 0x77 }, 3 },		/* vzeroupper */
	{ { 0xc5, 0xfd, 0x6f, 0x00 }, 4 },	/* vmovdqa ymm0, [rax] */
	{ { 0xc4, 0xe2, 0x7d, 0x5a, 0x00 }, 5 }, /* vbroadcasti128 */
	{ { 0xc4, 0xe3, 0x7d, 0x46, 0xc1 }, 6 }, /* vperm2i128, imm8 */
	{ { 0xc5, 0xf9, 0x70, 0xc0 }, 5 },	/* vpshufd, imm8 */
	{ { 0x62, 0xf1, 0x7d, 0x48, 0xef, 0xc0 }, 6 }, /* vpxord zmm0 */
	{ { 0x62, 0xf3, 0x7d, 0x48, 0x25, 0xc0 }, 7 }, /* vpternlogd */
	{ { 0x8f, 0xe8, 0x78, 0xc3, 0xc9 }, 6 }, /* vprotq, imm8 (XOP) */
	{ { 0x8f, 0xc0 }, 2 },			/* pop rax, the long way */
	{ { 0x64, 0x48, 0x8b, 0x04, 0x25 }, 9 }, /* mov rax, fs:[disp32] */
	{ { 0xf0, 0x0f, 0xb1, 0x17 }, 4 },	/* lock cmpxchg */
	{ { 0x06 }, 0 },			/* of 32-bit mode */
	{ { 0x0f, 0x0b }, 2 },			/* ud2 */
};

static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		size_t n = codeshape_x86_length(lengths[i].code, 15);

		if (n != lengths[i].len)
			print_message("number %zu\n", i);
		assert_int_equal(n, lengths[i].len);
		/* cut off it is none */
		for (size_t len = 0; len < n; len++)
			assert_int_equal(codeshape_x86_length(lengths[i].code,
							      len),
					 0);
	}
}

/* Nothing is read behind the end, whatever the bytes. */
static void test_reads_no_further(void **state)
{
	uint8_t *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t random = 1;

	(void)state;
	assert_int_equal(mprotect(page + 4096, 4096, PROT_NONE), 0);
	for (int round = 0; round < 200000; round++) {
		size_t len = fixture_random(&random) % 17;
		uint8_t *code = page + 4096 - len;

		for (size_t i = 0; i < len; i++)
			code[i] = (uint8_t)fixture_random(&random);
		assert_in_range(codeshape_x86_length(code, len), 0,
				len < 15 ? len : 15);
	}
	munmap(page, 8192);
}

/* ---- x86-64 ------------------------------------------------------------------- */

/* @n functions of real instructions, each followed by a call; where the calls
 * and the lea lead to depends on @place, what is computed on @what. */
static size_t make_x86(uint8_t *to, size_t n, uint32_t place, uint64_t what)
{
	uint8_t *at = to;

	for (size_t i = 0; i < n; i++) {
		uint32_t where = place + (uint32_t)i * 77, imm;
		uint8_t op = (uint8_t)(0x80 | 8 * (fixture_random(&what) % 8) |
				       fixture_random(&what) % 8 | 0x40);

		imm = (uint32_t)fixture_random(&what);
		memcpy(at, (uint8_t[]){ 0x48, 0x8d, 0x05 }, 3);
		memcpy(at + 3, &where, 4);
		memcpy(at + 7, (uint8_t[]){ 0x01, op }, 2);
		at[9] = 0x81;
		at[10] = (uint8_t)(0xc0 | fixture_random(&what) % 8);
		memcpy(at + 11, &imm, 4);
		at[15] = 0xe8;
		memcpy(at + 16, &where, 4);
		at += 20;
	}
	return (size_t)(at - to);
}

static struct shapeset shapes_of(enum codeshape_machine m,
				 const uint8_t *code, size_t len)
{
	struct shapeset s = { 0 };

	shapeset_add(&s, m, code, len);
	shapeset_done(&s);
	return s;
}

/* The share of @a's digests that @b has, in percent. */
static size_t share(enum codeshape_machine m, const uint8_t *a, size_t n_a,
		    const uint8_t *b, size_t n_b)
{
	struct shapeset x = shapes_of(m, a, n_a), y = shapes_of(m, b, n_b);
	size_t percent;

	assert_true(x.n > 20);
	percent = 100 * shapeset_common(&x, &y) / x.n;
	shapeset_free(&x);
	shapeset_free(&y);
	return percent;
}

static uint8_t one[65536], two[65536];

static void test_addresses_do_not_count(void **state)
{
	size_t n = make_x86(one, 500, 0x1234, 7);
	size_t m = make_x86(two, 500, 0x99999, 7);

	(void)state;
	assert_memory_not_equal(one, two, n);
	assert_int_equal(share(CODESHAPE_X86_64, one, n, two, m), 100);
}

static void test_constants_count(void **state)
{
	size_t n = make_x86(one, 500, 0x1234, 7);
	size_t m = make_x86(two, 500, 0x1234, 8);

	(void)state;
	assert_int_equal(share(CODESHAPE_X86_64, one, n, two, m), 0);
}

/* Behind bytes of any kind, from the middle of an instruction on. */
static void test_place_does_not_count(void **state)
{
	size_t n = make_x86(one, 500, 0x1234, 7);

	(void)state;
	for (size_t before = 1; before < 40; before++) {
		memset(two, (int)(before * 5 + 1), before);
		memcpy(two + before, one, n);
		assert_in_range(share(CODESHAPE_X86_64, one, n, two,
				      n + before),
				97, 100);
		assert_in_range(share(CODESHAPE_X86_64, one, n, one + before,
				      n - before),
				97, 100);
	}
}

static void test_a_change_is_local(void **state)
{
	size_t n = make_x86(one, 500, 0x1234, 7);

	(void)state;
	memcpy(two, one, n / 2);
	memcpy(two + n / 2, "\x31\xc0\xc3", 3); /* xor eax, eax; ret */
	memcpy(two + n / 2 + 3, one + n / 2, n - n / 2);
	assert_in_range(share(CODESHAPE_X86_64, one, n, two, n + 3), 95, 100);
}

static void test_padding_does_not_count(void **state)
{
	size_t n = make_x86(one, 500, 0x1234, 7), to = 0;

	(void)state;
	for (size_t i = 0; i < n; i += 20) {
		memcpy(two + to, one + i, 20);
		memset(two + to + 20, 0x90, i / 20 % 9);
		to += 20 + i / 20 % 9;
	}
	assert_int_equal(share(CODESHAPE_X86_64, one, n, two, to), 100);
}

/* ---- aarch64 ------------------------------------------------------------------- */

static size_t make_a64(uint8_t *to, size_t n, uint32_t place, uint64_t what)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t random = (uint32_t)fixture_random(&what);
		uint32_t where = place + (uint32_t)i;
		uint32_t insn[6] = {
			0x90000000 | (where & 3) << 29 | (where & 0xff) << 5,
			0x91000000 | (where & 0xfff) << 10, /* add x0, x0 */
			0x0b000000 | (random & 0x1f03ff), /* add w, w, w */
			0x52800000 | (random & 0x1fffe0) >> 0, /* movz w0 */
			0x94000000 | (where & 0x3ffffff), /* bl */
			0x54000000 | (where & 0x7ffff) << 5, /* b.eq */
		};

		memcpy(to + i * sizeof(insn), insn, sizeof(insn));
	}
	return n * 24;
}

static void test_aarch64(void **state)
{
	size_t n = make_a64(one, 500, 0x1234, 7);

	(void)state;
	make_a64(two, 500, 0x4321, 7);
	assert_memory_not_equal(one, two, n);
	assert_int_equal(share(CODESHAPE_AARCH64, one, n, two, n), 100);
	make_a64(two, 500, 0x1234, 8);
	assert_int_equal(share(CODESHAPE_AARCH64, one, n, two, n), 0);
	memmove(two + 4, one, n);
	assert_in_range(share(CODESHAPE_AARCH64, one, n, two, n + 4), 98, 100);
}

/* ---- sets ------------------------------------------------------------------------ */

static void test_sets(void **state)
{
	uint64_t of_a[] = { 5, 1, 9, 1, 7 }, of_b[] = { 7, 7, 2, 1 };
	struct shapeset a = { of_a, 5, 5, false }, b = { of_b, 4, 4, false };

	(void)state;
	shapeset_done(&a);
	shapeset_done(&b);
	assert_int_equal(a.n, 4);
	assert_int_equal(b.n, 3);
	assert_int_equal(shapeset_common(&a, &b), 2);
	shapeset_subtract(&a, &b);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.digest[0], 5);
	assert_int_equal(a.digest[1], 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_reads_no_further),
		cmocka_unit_test(test_addresses_do_not_count),
		cmocka_unit_test(test_constants_count),
		cmocka_unit_test(test_place_does_not_count),
		cmocka_unit_test(test_a_change_is_local),
		cmocka_unit_test(test_padding_does_not_count),
		cmocka_unit_test(test_aarch64),
		cmocka_unit_test(test_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
