/* A signature comes from anybody; what it signs does not verify: -lcrypto */
#include <stdlib.h>
#include "text.c"
#include "minisign.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool begun;
	struct minisign_key key = { .id = { 1 } };
	struct minisign_signature s;
	struct why why = { "" };

	if (!begun && minisign_begin())
		abort();
	begun = true;
	minisign_read_key((const char *)data, len, &key, &why);
	if (minisign_read_signature((const char *)data, len, &s, &why))
		return 0;
	memcpy(key.id, s.id, sizeof(key.id));
	if (!minisign_verify(&s, data, len, &key, 1, &why))
		abort();
	return 0;
}
