/* A line of /proc/net/tcp, or whatever is mounted there. */
#include <assert.h>
#include <stdlib.h>
#include "io.c"
#include "peers.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *line = malloc(len + 1), text[46];
	const uint16_t families[] = { AF_INET, AF_INET6 };

	if (len)
		memcpy(line, data, len);
	line[len] = '\0';
	for (int i = 0; i < 2; i++) {
		struct peer p;
		uint64_t inode;
		unsigned state;

		if (peers_parse(line, families[i], &p, &inode, &state))
			continue;
		assert(p.family == families[i] && state <= 0xff);
		peers_normalize(&p);
		assert(strlen(peers_address(p.family, p.address, text)) > 1);
	}
	free(line);
	return 0;
}
