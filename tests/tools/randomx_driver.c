/* randomx_driver.c - the least that mines: real RandomX hashes, one thread.
 *
 *	randomx_driver jit|secure|interpreter
 *
 * Light mode (256 MiB) with Debian's librandomx: compiled programs, compiled
 * programs whose pages are never writable and executable at once, or the
 * interpreter.  Prints "ready" and a hash, then goes on until its end. */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <randomx.h>

static randomx_flags flags_of(const char *mode)
{
	unsigned flags = randomx_get_flags();

	flags &= ~(unsigned)(RANDOMX_FLAG_JIT | RANDOMX_FLAG_SECURE);
	if (!strcmp(mode, "jit"))
		flags |= RANDOMX_FLAG_JIT;
	else if (!strcmp(mode, "secure"))
		flags |= RANDOMX_FLAG_JIT | RANDOMX_FLAG_SECURE;
	else if (strcmp(mode, "interpreter"))
		errx(2, "what is '%s'? jit, secure or interpreter", mode);
	return (randomx_flags)flags;
}

int main(int argc, char **argv)
{
	static const char key[] = "davylamp end-to-end test";
	uint8_t hash[RANDOMX_HASH_SIZE];
	randomx_flags flags;
	randomx_cache *cache;
	randomx_vm *vm;

	if (argc != 2)
		errx(2, "usage: randomx_driver jit|secure|interpreter");
	flags = flags_of(argv[1]);
	cache = randomx_alloc_cache(flags);
	if (!cache)
		errx(1, "no room for the cache, or no compiler for this CPU");
	randomx_init_cache(cache, key, sizeof(key));
	vm = randomx_create_vm(flags, cache, NULL);
	if (!vm)
		errx(1, "no virtual machine");
	for (uint64_t nonce = 0;; nonce++) {
		randomx_calculate_hash(vm, &nonce, sizeof(nonce), hash);
		if (nonce == 0) {
			printf("ready %02x%02x%02x%02x\n", hash[0], hash[1],
			       hash[2], hash[3]);
			fflush(stdout);
		}
	}
}
