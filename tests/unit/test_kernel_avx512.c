/* The kernel's variant for AVX-512 on a CPU that need not have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "hash_fixture.h"
#include "kernel.h"

#ifdef __x86_64__
#include "avx512.h"
#include "kernel_x86.c"

#define LOG2   12 /* words of a table */
#define ROUNDS 400

static uint64_t seed = 5;

static const struct kernel *scalar(void)
{
	size_t i = 0;

	while (strcmp(kernel_variant(i)->name, "scalar"))
		i++;
	return kernel_variant(i);
}

/* Its last byte is the last that may be read. */
static uint8_t *last_page(void)
{
	uint8_t *p = mmap(NULL, 2 * FLOW_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_int_equal(mprotect(p + FLOW_PAGE, FLOW_PAGE, PROT_NONE), 0);
	return p;
}

/* One bit of @some in the table, on the average: from nearly none to all. */
static void fill_table(uint32_t *bits, unsigned some)
{
	for (size_t i = 0; i < 1U << LOG2; i++) {
		bits[i] = some ? 0 : UINT32_MAX;
		for (unsigned k = 0; k < 32 && some; k++)
			bits[i] |= (uint32_t)(fixture_random(&seed) % some == 0)
				   << k;
	}
}

static void it_answers_as_the_definition(void **state)
{
	static const unsigned some[] = { 0, 2, 40, 700, 5000 };
	static uint32_t bits[1U << LOG2];
	const struct kernel_table table = { bits, 64 - LOG2 };
	uint8_t *page = last_page();
	uint64_t met = 0, blocks;

	(void)state;
	if (!has_avx2()) {
		puts("this CPU lacks AVX2");
		skip();
	}
	for (size_t s = 0; s < sizeof(some) / sizeof(some[0]); s++) {
		fill_table(bits, some[s]);
		for (unsigned r = 0; r < ROUNDS; r++) {
			for (size_t i = 0; i < FLOW_PAGE; i++)
				page[i] = (uint8_t)fixture_random(&seed);
			for (size_t g = 0; g < KERNEL_GROUPS; g++) {
				blocks = scalar()->look[g](&table, page);
				met |= blocks;
				assert_int_equal(
					kernel_avx512.look[g](&table, page),
					blocks);
			}
		}
	}
	assert_int_not_equal(met, 0);
	munmap(page, 2 * FLOW_PAGE);
}
#else
static void it_answers_as_the_definition(void **state)
{
	(void)state;
	puts("not x86-64");
	skip();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_answers_as_the_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
