/* randomx_item.c - the registers that an item of RandomX's dataset begins with
 * (tevador/RandomX doc/specs.md 7.3), as a WebAssembly module. */
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

static uint64_t r[8];

EXPORT("registers") uint64_t *registers(void)
{
	return r;
}

EXPORT("begin_item") void begin_item(uint64_t number)
{
	static const uint64_t difference[8] = {
		0,
		9298411001130361340U,
		12065312585734608966U,
		9306329213124626780U,
		5281919268842080866U,
		10536153434571861004U,
		3398623926847679864U,
		9549104520008361294U,
	};
	uint64_t first = (number + 1) * 6364136223846793005;

	for (int i = 0; i < 8; i++)
		r[i] = first ^ difference[i];
}
