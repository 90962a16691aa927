/* Anybody can send a DNS answer. */
#include <assert.h>
#include <stdlib.h>
#include "dns.c"

static void take(void *user, const char *name, int family,
		 const uint8_t *address)
{
	size_t *n = user;
	volatile uint8_t sum = 0;

	assert(strlen(name) > 0 && strlen(name) < DNS_NAME);
	for (const char *s = name; *s; s++)
		assert(*s > ' ' && *s < 0x7f);
	for (int i = 0; i < (family == AF_INET ? 4 : 16); i++)
		sum = (uint8_t)(sum + address[i]);
	(*n)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len + !len);
	size_t n = 0;

	if (len)
		memcpy(copy, data, len);
	assert(dns_answers(copy, len, take, &n) == n);
	assert(n <= RECORDS);
	free(copy);
	return 0;
}
