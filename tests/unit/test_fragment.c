/* The same code has the same fragments wherever it lies; other code has not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "hash_fixture.h"
#include "fragment.h"
#include "fragment_own.h"
#include "hashformat.h"

/* Of the SDM's and the assembler's making; the first bytes, then the length. */
static const struct {
	uint8_t code[15];
	uint8_t len;
} lengths[] = {
	{ { 0x90 }, 1 },		   /* nop */
	{ { 0xc3 }, 1 },		   /* ret */
	{ { 0x55 }, 1 },		   /* push rbp */
	{ { 0x48, 0x89, 0xe5 }, 3 },	   /* mov rbp, rsp */
	{ { 0x89, 0x45, 0xfc }, 3 },	   /* mov [rbp-4], eax */
	{ { 0x8b, 0x04, 0x24 }, 3 },	   /* mov eax, [rsp] */
	{ { 0x8b, 0x04, 0x25 }, 7 },	   /* mov eax, [disp32] */
	{ { 0x48, 0x8d, 0x05 }, 7 },	   /* lea rax, [rip+disp32] */
	{ { 0x48, 0x8b, 0x84, 0x24 }, 8 }, /* mov rax, [rsp+disp32] */
	{ { 0xe8 }, 5 },		   /* call */
	{ { 0xeb }, 2 },		   /* jmp short */
	{ { 0x74 }, 2 },		   /* je short */
	{ { 0x0f, 0x84 }, 6 },		   /* je near */
	{ { 0xb8 }, 5 },		   /* mov eax, imm32 */
	{ { 0x48, 0xb8 }, 10 },		   /* mov rax, imm64 */
	{ { 0x66, 0xb8 }, 4 },		   /* mov ax, imm16 */
	{ { 0x48, 0xc7, 0xc0 }, 7 },	   /* mov rax, imm32 */
	{ { 0x48, 0xa1 }, 10 },		   /* mov rax, [moffs64] */
	{ { 0x83, 0xc0 }, 3 },		   /* add eax, imm8 */
	{ { 0x81, 0xc1 }, 6 },		   /* add ecx, imm32 */
	{ { 0x66, 0x81, 0xc1 }, 5 },	   /* add cx, imm16 */
	{ { 0x69, 0xc0 }, 6 },		   /* imul eax, eax, imm32 */
	{ { 0x6b, 0xc0 }, 3 },
	{ { 0xf6, 0xc0 }, 3 },			       /* test al, imm8 */
	{ { 0xf6, 0xd0 }, 2 },			       /* not al */
	{ { 0xf7, 0xc0 }, 6 },			       /* test eax, imm32 */
	{ { 0xf7, 0xe1 }, 2 },			       /* mul ecx */
	{ { 0xc1, 0xe0 }, 3 },			       /* shl eax, imm8 */
	{ { 0xd1, 0xe0 }, 2 },			       /* shl eax, 1 */
	{ { 0xc8 }, 4 },			       /* enter */
	{ { 0xc2 }, 3 },			       /* ret imm16 */
	{ { 0x0f, 0x1f, 0x44, 0x00 }, 5 },	       /* nop [rax+rax+0] */
	{ { 0xf3, 0x0f, 0x1e, 0xfa }, 4 },	       /* endbr64 */
	{ { 0x0f, 0xa2 }, 2 },			       /* cpuid */
	{ { 0x0f, 0x05 }, 2 },			       /* syscall */
	{ { 0x0f, 0xb6, 0xc0 }, 3 },		       /* movzx eax, al */
	{ { 0x0f, 0xba, 0xe0 }, 4 },		       /* bt eax, imm8 */
	{ { 0x0f, 0xc8 }, 2 },			       /* bswap eax */
	{ { 0x66, 0x0f, 0x70, 0xc0 }, 5 },	       /* pshufd */
	{ { 0x66, 0x0f, 0x38, 0xdc, 0xc1 }, 5 },       /* aesenc */
	{ { 0x66, 0x0f, 0x3a, 0xdf, 0xc1 }, 6 },       /* aeskeygenassist */
	{ { 0xc5, 0xf8, 0x77 }, 3 },		       /* vzeroupper */
	{ { 0xc5, 0xfd, 0x6f, 0x00 }, 4 },	       /* vmovdqa ymm0, [rax] */
	{ { 0xc4, 0xe2, 0x7d, 0x5a, 0x00 }, 5 },       /* vbroadcasti128 */
	{ { 0xc4, 0xe3, 0x7d, 0x46, 0xc1 }, 6 },       /* vperm2i128, imm8 */
	{ { 0xc5, 0xf9, 0x70, 0xc0 }, 5 },	       /* vpshufd, imm8 */
	{ { 0x62, 0xf1, 0x7d, 0x48, 0xef, 0xc0 }, 6 }, /* vpxord zmm0 */
	{ { 0x62, 0xf3, 0x7d, 0x48, 0x25, 0xc0 }, 7 }, /* vpternlogd */
	{ { 0x8f, 0xe8, 0x78, 0xc3, 0xc9 }, 6 },       /* vprotq, imm8 (XOP) */
	{ { 0x8f, 0xc0 }, 2 },			 /* pop rax, the long way */
	{ { 0x64, 0x48, 0x8b, 0x04, 0x25 }, 9 }, /* mov rax, fs:[disp32] */
	{ { 0xf0, 0x0f, 0xb1, 0x17 }, 4 },	 /* lock cmpxchg */
	{ { 0x06 }, 0 },			 /* of 32-bit mode */
	{ { 0x0f, 0x0b }, 2 },			 /* ud2 */
};

static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		size_t n = fragment_x86_length(lengths[i].code, 15);

		if (n != lengths[i].len)
			print_message("number %zu\n", i);
		assert_int_equal(n, lengths[i].len);
		/* cut off it is none */
		for (size_t len = 0; len < n; len++)
			assert_int_equal(
				fragment_x86_length(lengths[i].code, len), 0);
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
		assert_in_range(fragment_x86_length(code, len), 0,
				len < 15 ? len : 15);
	}
	munmap(page, 8192);
}

/* ---- what moves ------------------------------------------------------ */

/* Instructions, and which of their bytes say where things lie. */
static const struct {
	const char *code;
	size_t len;
	uint32_t moves;
} moving[] = {
	{ "\x48\x89\xe5", 3, 0 },		     /* mov rbp, rsp */
	{ "\xe8\x01\x02\x03\x04", 5, 0x1e },	     /* call */
	{ "\xe9\x01\x02\x03\x04", 5, 0x1e },	     /* jmp */
	{ "\x0f\x84\x01\x02\x03\x04", 6, 0x3c },     /* je near */
	{ "\x74\x05", 2, 0 },			     /* je short */
	{ "\x48\x8d\x05\x01\x02\x03\x04", 7, 0x78 }, /* lea [rip+disp32] */
	{ "\x8b\x45\xfc", 3, 0 },		     /* mov eax, [rbp-4] */
	{ "\xc7\x05\x01\x02\x03\x04\x05\x06\x07\x08", 10, 0x3c },
	{ "\xb8\x01\x02\x03\x04", 5, 0 },		 /* a constant */
	{ "\xc5\xf9\x6f\x05\x01\x02\x03\x04", 8, 0xf0 }, /* vmovdqa */
	{ "\x06\xe8\x01\x02\x03\x04", 6, 0x3c }, /* behind what is none */
};

static void test_what_moves_x86(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(moving) / sizeof(*moving); i++) {
		uint8_t moves[16] = { 0 };
		uint32_t bits = 0;

		fragment_x86((const uint8_t *)moving[i].code, moving[i].len,
			     moves);
		for (uint32_t k = 0; k < 16; k++)
			bits |= (uint32_t)moves[k] << k;
		if (bits != moving[i].moves)
			fail_msg("number %zu: %x", i, bits);
	}
}

static void test_what_moves_aarch64(void **state)
{
	static const struct {
		uint32_t insn;
		bool moves;
	} code[] = {
		{ 0x910043ff, false }, /* add sp, sp, #16 */
		{ 0xf9400420, false }, /* ldr x0, [x1, #8] */
		{ 0x90000001, true },  /* adrp x1, . */
		{ 0x8b020020, false }, /* add x0, x1, x2 */
		{ 0x91012021, true },  /* add x1, x1, #72 */
		{ 0xf9400420, true },  /* ldr x0, [x1, #8] */
		{ 0x91004042, false }, /* add x2, x2, #16 */
		{ 0x94000010, true },  /* bl */
		{ 0x54000041, false }, /* b.ne */
		{ 0xb4000040, false }, /* cbz */
		{ 0x58000041, true },  /* ldr x1, . + 8 */
		{ 0x3dc00420, true },  /* ldr q0, [x1, #16] */
	};
	uint32_t words[12];
	uint8_t moves[48] = { 0 };

	(void)state;
	for (size_t i = 0; i < 12; i++)
		words[i] = code[i].insn;
	fragment_aarch64((const uint8_t *)words, sizeof(words), moves);
	for (size_t i = 0; i < 48; i++)
		if (moves[i] != code[i / 4].moves)
			fail_msg("instruction %zu: %u", i / 4, moves[i]);
}

/* ---- fragments ------------------------------------------------------- */

struct found {
	struct digest digest[4096];
	size_t n, n_fixed;
};

static int keep(void *user, size_t offset, struct digest digest, bool fixed)
{
	struct found *f = user;

	(void)offset;
	if (fixed)
		f->digest[f->n_fixed++] = digest;
	f->n++;
	return f->n_fixed == 4096 ? -E2BIG : 0;
}

static void find(enum fragment_machine m, const uint8_t *code, size_t len,
		 struct found *ret)
{
	memset(ret, 0, sizeof(*ret));
	assert_int_equal(fragment_find(m, code, len, keep, ret), 0);
}

/* The share of @a's fixed fragments that @b has, in percent. */
static size_t share(enum fragment_machine m, const uint8_t *a, size_t n_a,
		    const uint8_t *b, size_t n_b)
{
	static struct found x, y;
	size_t n = 0;

	find(m, a, n_a, &x);
	find(m, b, n_b, &y);
	assert_true(x.n_fixed > 20);
	for (size_t i = 0; i < x.n_fixed; i++)
		for (size_t k = 0; k < y.n_fixed; k++)
			if (!hashformat_compare(x.digest[i], y.digest[k])) {
				n++;
				break;
			}
	return 100 * n / x.n_fixed;
}

/* @n functions: 60 bytes of instructions that @what says, then a call and a
 * lea that lead where @place says. */
static size_t make_x86(uint8_t *to, size_t n, uint32_t place, uint64_t what)
{
	uint8_t *at = to;

	for (size_t i = 0; i < n; i++) {
		uint32_t where = place + (uint32_t)i * 77;

		for (int k = 0; k < 10; k++, at += 6) {
			uint32_t imm = (uint32_t)fixture_random(&what);

			at[0] = 0x81; /* add, or, ... reg, imm32 */
			at[1] = (uint8_t)(0xc0 | fixture_random(&what) % 64);
			memcpy(at + 2, &imm, 4);
		}
		at[0] = 0xe8;
		memcpy(at + 1, &where, 4);
		memcpy(at + 5, (uint8_t[]){ 0x48, 0x8d, 0x05 }, 3);
		memcpy(at + 8, &where, 4);
		at += 12;
	}
	return (size_t)(at - to);
}

static uint8_t one[65536], two[65536];

static void test_addresses_do_not_count(void **state)
{
	size_t n = make_x86(one, 500, 0x1234, 7);
	size_t m = make_x86(two, 500, 0x99999, 7);
	static struct found f;

	(void)state;
	assert_memory_not_equal(one, two, n);
	assert_int_equal(share(FRAGMENT_X86_64, one, n, two, m), 100);
	find(FRAGMENT_X86_64, one, n, &f);
	assert_true(f.n > f.n_fixed); /* they are told, too */
}

static void test_constants_count(void **state)
{
	size_t n = make_x86(one, 500, 0x1234, 7);
	size_t m = make_x86(two, 500, 0x1234, 8);

	(void)state;
	assert_int_equal(share(FRAGMENT_X86_64, one, n, two, m), 0);
}

/* Behind bytes of any kind, from the middle of an instruction on. */
static void test_place_does_not_count(void **state)
{
	size_t n = make_x86(one, 500, 0x1234, 7);

	(void)state;
	for (size_t before = 1; before < 40; before++) {
		memset(two, (int)(before * 5 + 1), before);
		memcpy(two + before, one, n);
		assert_in_range(share(FRAGMENT_X86_64, one, n, two, n + before),
				97, 100);
		assert_in_range(share(FRAGMENT_X86_64, one, n, one + before,
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
	assert_in_range(share(FRAGMENT_X86_64, one, n, two, n + 3), 95, 100);
}

static void test_padding_is_none(void **state)
{
	static struct found f;

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		memset(one, byte, 4096);
		find(FRAGMENT_X86_64, one, 4096, &f);
		assert_int_equal(f.n, 0);
	}
}

static size_t make_a64(uint8_t *to, size_t n, uint32_t place, uint64_t what)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t where = place + (uint32_t)i, insn[20];

		for (int k = 0; k < 17; k++) /* movz, add */
			insn[k] = k % 2 ? 0x52800000 | (fixture_random(&what) &
							0x1fffff)
					: 0x0b000000 | (fixture_random(&what) &
							0x1f03ff);
		insn[17] = 0x90000000 | (where & 0xff) << 5 | 9;
		insn[18] = 0x91000129 | (where & 0xfff) << 10;
		insn[19] = 0x94000000 | (where & 0x3ffffff);
		memcpy(to + i * sizeof(insn), insn, sizeof(insn));
	}
	return n * 80;
}

static void test_aarch64(void **state)
{
	size_t n = make_a64(one, 500, 0x1234, 7);

	(void)state;
	make_a64(two, 500, 0x4321, 7);
	assert_memory_not_equal(one, two, n);
	assert_int_equal(share(FRAGMENT_AARCH64, one, n, two, n), 100);
	make_a64(two, 500, 0x1234, 8);
	assert_int_equal(share(FRAGMENT_AARCH64, one, n, two, n), 0);
	memmove(two + 4, one, n);
	assert_in_range(share(FRAGMENT_AARCH64, one, n, two, n + 4), 98, 100);
}

static int refuse(void *user, size_t offset, struct digest digest, bool fixed)
{
	(void)offset;
	(void)digest;
	(void)fixed;
	++*(size_t *)user;
	return -E2BIG;
}

static void test_errors_end_it(void **state)
{
	size_t n = make_x86(one, 500, 1, 7), calls = 0;

	(void)state;
	assert_int_equal(fragment_find(FRAGMENT_X86_64, one, n, refuse, &calls),
			 -E2BIG);
	assert_int_equal(calls, 1);
	assert_int_equal(
		fragment_find(FRAGMENT_X86_64, one, 31, refuse, &calls), 0);
	assert_int_equal(fragment_find(FRAGMENT_X86_64, one, 0, refuse, &calls),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_reads_no_further),
		cmocka_unit_test(test_what_moves_x86),
		cmocka_unit_test(test_what_moves_aarch64),
		cmocka_unit_test(test_addresses_do_not_count),
		cmocka_unit_test(test_constants_count),
		cmocka_unit_test(test_place_does_not_count),
		cmocka_unit_test(test_a_change_is_local),
		cmocka_unit_test(test_padding_is_none),
		cmocka_unit_test(test_aarch64),
		cmocka_unit_test(test_errors_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
