/* A configuration file is any text: taken whole or refused with a reason.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iagent THIS -linih
 */
#include "text.c"
#include "config_keys.c"
#include "config.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct why why = { "" };
	struct config c;

	if (config_parse("input", (const char *)data, len, &c, &why)) {
		if (!why.text[0])
			abort();
		return 0;
	}
	/* Each text has its end, and no token leaves for nowhere. */
	if (memchr(c.scc.endpoint, 0, CONFIG_TEXT) == NULL ||
	    (c.scc.endpoint[0] && strncmp(c.scc.endpoint, "http", 4)) ||
	    c.spool.max_bytes < 1 << 20 || c.scc.api < 1 || c.scc.api > 2)
		abort();
	return 0;
}
