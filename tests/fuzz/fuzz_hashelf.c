/* An ELF file is any bytes, in a file since it is read by pread.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iagent THIS
 * -lxxhash */
#include <sys/mman.h>
#include "text.c"
#include "digestlist.c"
#include "sha256.c"
#include "fragment.c"
#include "fragment_aarch64.c"
#include "fragment_x86.c"

#define bad elf_bad /* both modules have one */
#include "hashelf.c"

#include <xxhash.h>

/* What is needed of hashset.c. */
struct digest hashset_digest(const uint8_t page[static 4096])
{
	XXH128_hash_t h = XXH3_128bits(page, 4096);

	return (struct digest){ .high = h.high64, .low = h.low64 };
}

struct digest hashset_fragment(const uint8_t code[static 32])
{
	XXH128_hash_t h = XXH3_128bits(code, 32);

	return (struct digest){ .high = h.high64, .low = h.low64 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	struct digestlist list;
	struct why why;

	if (fd < 0)
		fd = memfd_create("fuzz_hashelf", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) ||
	    pwrite(fd, data, len, 0) != (ssize_t)len)
		abort();
	if (hashelf_read(fd, "input", &list, &why))
		return 0;
	for (size_t i = 0; i < list.n_pages; i++)
		if (list.pages[i].offset + 4096 > len)
			abort();
	digestlist_free(&list);
	return 0;
}
