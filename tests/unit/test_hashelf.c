#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>
#include "hash_fixture.h"
#include "hashelf.h"
#include "kernel.h"
#include "sha256.h"

#define HEADS (sizeof(Elf64_Ehdr) + 5 * sizeof(Elf64_Phdr))

static struct why why;

/* Ten pages: 0 headers, then page i of random bytes but for 3, which is all
 * 0xcc; half a page at the end. */
struct image {
	Elf64_Ehdr head;
	Elf64_Phdr segment[5];
	uint8_t rest[10 * FLOW_PAGE + 2048 - HEADS];
};

static Elf64_Phdr segment(uint32_t type, uint32_t flags, uint64_t offset,
			  uint64_t len)
{
	return (Elf64_Phdr){ .p_type = type,
			     .p_flags = flags,
			     .p_offset = offset,
			     .p_filesz = len,
			     .p_memsz = len,
			     .p_vaddr = offset };
}

static struct image *make_image(void)
{
	struct image *m = calloc(1, sizeof(*m));
	uint64_t state = 1;

	assert_non_null(m);
	for (size_t i = 0; i < sizeof(m->rest); i++)
		m->rest[i] = (uint8_t)fixture_random(&state);
	memset((uint8_t *)m + 3 * FLOW_PAGE, 0xcc, FLOW_PAGE);
	memcpy(m->head.e_ident, ELFMAG, SELFMAG);
	m->head.e_ident[EI_CLASS] = ELFCLASS64;
	m->head.e_ident[EI_DATA] = ELFDATA2LSB;
	m->head.e_type = ET_DYN;
	m->head.e_machine = EM_X86_64;
	m->head.e_phoff = sizeof(m->head);
	m->head.e_phentsize = sizeof(Elf64_Phdr);
	m->head.e_phnum = 5;
	m->segment[0] = segment(PT_LOAD, PF_R, 0, 0x800);
	m->segment[1] = segment(PT_LOAD, PF_R | PF_X, 0x1200, 0x3001);
	m->segment[2] = segment(PT_LOAD, PF_R | PF_W, 0x5000, 0x1000);
	m->segment[3] = segment(PT_NOTE, PF_R, 0x6000, 0x1000);
	m->segment[4] = segment(PT_LOAD, PF_R, 0x8000, 0x2800);
	return m;
}

static int file_of(const void *bytes, size_t len)
{
	int fd = memfd_create("test_hashelf", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	return fd;
}

static int read_bytes(const void *bytes, size_t len, struct digestlist *ret)
{
	int fd = file_of(bytes, len);
	int error = hashelf_read(fd, "file", ret, &why);

	close(fd);
	return error;
}

static void whole_constantless_pages_are_listed(void **state)
{
	/* The half page at 0xa000 is no whole one; 3 is constant; 5 is
	 * writable, 6 a note, 7 in no segment. */
	static const struct {
		uint64_t offset;
		uint8_t flags;
	} want[] = {
		{ 0x0, REGION_READ },
		{ 0x1000, REGION_READ | REGION_EXEC },
		{ 0x2000, REGION_READ | REGION_EXEC },
		{ 0x4000, REGION_READ | REGION_EXEC },
		{ 0x8000, REGION_READ },
		{ 0x9000, REGION_READ },
	};
	struct image *m = make_image();
	struct digestlist list = { 0 };

	(void)state;
	assert_int_equal(read_bytes(m, sizeof(*m), &list), 0);
	assert_string_equal(list.arch, "x86_64");
	assert_string_equal(list.family, "");
	assert_int_equal(list.n_pages, 6);
	for (size_t i = 0; i < 6; i++) {
		struct digest d =
			hashset_digest((const uint8_t *)m + want[i].offset);

		assert_int_equal(list.pages[i].offset, want[i].offset);
		assert_int_equal(list.pages[i].flags, want[i].flags);
		assert_true(list.pages[i].digest.high == d.high &&
			    list.pages[i].digest.low == d.low);
	}
	digestlist_free(&list);
	m->head.e_machine = EM_AARCH64;
	assert_int_equal(read_bytes(m, sizeof(*m), &list), 0);
	assert_string_equal(list.arch, "aarch64");
	digestlist_free(&list);
	free(m);
}

static bool has_fragment(const struct digestlist *l, const uint8_t *at)
{
	struct digest d = hashset_fragment(at);

	for (size_t i = 0; i < l->n_fragments; i++)
		if (l->fragments[i].digest.high == d.high &&
		    l->fragments[i].digest.low == d.low)
			return true;
	return false;
}

/* Of executable segments; where sections say what is code, of that alone. */
static void fragments_are_of_code(void **state)
{
	struct image *m = make_image();
	const uint8_t *bytes = (const uint8_t *)m;
	Elf64_Shdr code = { .sh_type = SHT_PROGBITS,
			    .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
			    .sh_offset = 0x1800,
			    .sh_size = 0x1000 };
	struct digestlist list;

	(void)state;
	for (int round = 0; round < 3; round++) {
		uint64_t from = round == 1 ? 0x1800 : 0x1000;
		uint64_t to = round == 1 ? 0x2800 : 0x5000;

		m->head.e_shentsize = sizeof(code);
		m->head.e_shnum = round ? 1 : 0;
		/* the third time they are behind the end */
		m->head.e_shoff = round == 1 ? 0x6000 : UINT64_MAX - 8;
		memcpy((uint8_t *)m + 0x6000, &code, sizeof(code));
		assert_int_equal(read_bytes(m, sizeof(*m), &list), 0);
		assert_true(list.n_fragments > 10);
		for (uint64_t at = 0; at + 32 <= sizeof(*m); at++)
			if (kernel_is_anchor(bytes + at) &&
			    (at + 32 <= 0x3000 || at >= 0x4000))
				assert_int_equal(
					has_fragment(&list, bytes + at),
					at >= from && at + 32 <= to);
		digestlist_free(&list);
	}
	free(m);
}

static void more_than_one_run_is_read(void **state)
{
	size_t len = 100 * FLOW_PAGE;
	struct image *m = make_image();
	uint8_t *bytes = calloc(1, len);
	struct digestlist list = { 0 };
	uint64_t seed = 2;

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)fixture_random(&seed);
	m->segment[1] = segment(PT_LOAD, PF_R | PF_X, 0, len);
	m->head.e_phnum = 2;
	memcpy(bytes, m, HEADS);
	assert_int_equal(read_bytes(bytes, len, &list), 0);
	assert_int_equal(list.n_pages, 101); /* the first is in both */
	for (size_t at = 0; at + 32 <= len; at++)
		if (kernel_is_anchor(bytes + at))
			assert_true(has_fragment(&list, bytes + at));
	for (size_t i = 0; i < 100; i++)
		assert_true(list.pages[i + 1].digest.high ==
			    hashset_digest(bytes + i * FLOW_PAGE).high);
	digestlist_free(&list);
	free(bytes);
	free(m);
}

/* Its own executable: the pages that the loader mapped are those listed. */
static void the_loader_agrees(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	FILE *maps = fopen("/proc/self/maps", "re");
	struct digestlist list = { 0 };
	char line[4352], exe[4096];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	size_t n_seen = 0;

	(void)state;
	assert_true(n > 0);
	exe[n] = '\0';
	assert_int_equal(hashelf_read(fd, "self", &list, &why), 0);
	while (fgets(line, sizeof(line), maps)) {
		uint64_t start, end, offset;

		if (!strstr(line, exe) ||
		    sscanf(line, "%" SCNx64 "-%" SCNx64 " r-xp %" SCNx64,
			   &start, &end, &offset) != 3)
			continue;
		for (; start < end; start += FLOW_PAGE, offset += FLOW_PAGE) {
			const uint8_t *page = (const void *)(uintptr_t)start;
			struct digest d = hashset_digest(page);
			size_t i = 0;

			if (memcmp(page, page + 1, FLOW_PAGE - 1) == 0)
				continue;
			while (i < list.n_pages &&
			       (list.pages[i].offset != offset ||
				!(list.pages[i].flags & REGION_EXEC)))
				i++;
			assert_true(i < list.n_pages);
			assert_true(list.pages[i].digest.high == d.high &&
				    list.pages[i].digest.low == d.low);
			n_seen++;
		}
	}
	assert_true(n_seen > 2);
	fclose(maps);
	close(fd);
	digestlist_free(&list);
}

/* What is subtracted has the same pages and fragments, whatever moves. */
static void benign_files_are_not_walked(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct digestlist list = { 0 }, good = { 0 };
	size_t n_fixed = 0;

	(void)state;
	assert_int_equal(hashelf_read(fd, "self", &list, &why), 0);
	assert_int_equal(hashelf_read_good(fd, "self", &good, &why), 0);
	assert_int_equal(good.n_pages, list.n_pages);
	assert_int_equal(good.n_fragments, list.n_fragments);
	for (size_t i = 0; i < list.n_pages; i++)
		assert_memory_equal(&good.pages[i].digest,
				    &list.pages[i].digest,
				    sizeof(struct digest));
	for (size_t i = 0; i < list.n_fragments; i++) {
		assert_memory_equal(&good.fragments[i].digest,
				    &list.fragments[i].digest,
				    sizeof(struct digest));
		assert_false(good.fragments[i].fixed);
		n_fixed += list.fragments[i].fixed;
	}
	assert_true(n_fixed > 0);
	close(fd);
	digestlist_free(&list);
	digestlist_free(&good);
}

static void assert_refused(const struct image *m, int error, const char *says)
{
	struct digestlist list = { 0 };

	assert_int_equal(read_bytes(m, sizeof(*m), &list), error);
	if (!strstr(why.text, says))
		fail_msg("'%s' lacks '%s'", why.text, says);
	assert_null(list.pages);
}

static void other_files_are_refused(void **state)
{
	struct image *m = make_image(), good = *m;

	(void)state;
	m->head.e_ident[0] = 0;
	assert_refused(m, -ENOEXEC, "no ELF file");
	*m = good;
	m->head.e_ident[EI_CLASS] = ELFCLASS32;
	assert_refused(m, -EBADMSG, "another machine");
	*m = good;
	m->head.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_refused(m, -EBADMSG, "another machine");
	*m = good;
	m->head.e_machine = EM_RISCV;
	assert_refused(m, -EBADMSG, "another machine");
	*m = good;
	m->head.e_type = ET_REL;
	assert_refused(m, -EBADMSG, "neither program nor library");
	*m = good;
	m->head.e_phentsize++;
	assert_refused(m, -EBADMSG, "wrong size");
	*m = good;
	m->head.e_phnum = 0;
	assert_refused(m, -EBADMSG, "without segments");
	m->head.e_phnum = PN_XNUM;
	assert_refused(m, -EBADMSG, "more than 512");
	*m = good;
	m->head.e_phoff = sizeof(*m) - 5 * sizeof(Elf64_Phdr) + 1;
	assert_refused(m, -EBADMSG, "behind its end");
	m->head.e_phoff = UINT64_MAX;
	assert_refused(m, -EBADMSG, "behind its end");
	*m = good;
	m->segment[4].p_filesz++;
	assert_refused(m, -EBADMSG, "a segment behind its end");
	m->segment[4].p_offset = UINT64_MAX - 10;
	assert_refused(m, -EBADMSG, "a segment behind its end");
	free(m);
}

static void what_is_no_file_is_refused(void **state)
{
	struct digestlist list = { 0 };
	int fds[2], dir = open("/", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(hashelf_read(fds[0], "pipe", &list, &why), -ENOEXEC);
	assert_int_equal(hashelf_read(dir, "dir", &list, &why), -ENOEXEC);
	close(fds[0]);
	close(fds[1]);
	close(dir);
	assert_int_equal(hashelf_read(-1, "none", &list, &why), -EBADF);
}

static void every_truncation_is_survived(void **state)
{
	struct image *m = make_image();

	(void)state;
	for (size_t cut = 0; cut < sizeof(*m); cut += cut < 600 ? 1 : 97) {
		struct digestlist list = { 0 };
		int error = read_bytes(m, cut, &list);

		assert_int_equal(error, cut < SELFMAG ? -ENOEXEC : -EBADMSG);
		digestlist_free(&list);
	}
	free(m);
}

/* Every bit of the headers: refused or read, never more than is there. */
static void flipped_bits_are_survived(void **state)
{
	struct image *m = make_image();
	size_t n_read = 0, n_refused = 0;

	(void)state;
	for (size_t bit = 0; bit < HEADS * 8; bit++) {
		struct digestlist list = { 0 };
		uint8_t *byte = (uint8_t *)m + bit / 8;

		*byte ^= (uint8_t)(1 << bit % 8);
		if (read_bytes(m, sizeof(*m), &list) == 0) {
			n_read++;
			assert_true(list.n_pages <= 5 * 10);
			for (size_t i = 0; i < list.n_pages; i++)
				assert_true(list.pages[i].offset <
					    10 * FLOW_PAGE);
		} else {
			n_refused++;
		}
		*byte ^= (uint8_t)(1 << bit % 8);
		digestlist_free(&list);
	}
	assert_true(n_read > 100 && n_refused > 100);
	free(m);
}

/* 512 segments of the same 3 GiB hole: a thousand seconds if not limited. */
static void holes_cost_nothing(void **state)
{
	uint64_t size = 3ULL << 30;
	int fd = memfd_create("hole", MFD_CLOEXEC);
	struct digestlist list = { 0 };
	struct image *m = make_image();
	Elf64_Phdr hole = segment(PT_LOAD, PF_R, 1 << 20, size - (1 << 20));

	(void)state;
	m->head.e_phnum = 512;
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(pwrite(fd, &m->head, sizeof(m->head), 0),
			 (ssize_t)sizeof(m->head));
	for (off_t i = 0; i < 512; i++)
		assert_int_equal(pwrite(fd, &hole, sizeof(hole),
					(off_t)sizeof(m->head) +
						i * (off_t)sizeof(hole)),
				 (ssize_t)sizeof(hole));
	assert_int_equal(hashelf_read(fd, "hole", &list, &why), -E2BIG);
	close(fd);
	free(m);
}

static void sha256_is_sha256(void **state)
{
	static const struct {
		const char *unit;
		size_t times;
		const char *want;
	} vector[] = {
		/* FIPS 180-4 examples */
		{ "", 1,
		  "e3b0c44298fc1c149afbf4c8996fb924"
		  "27ae41e4649b934ca495991b7852b855" },
		{ "abc", 1,
		  "ba7816bf8f01cfea414140de5dae2223"
		  "b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		  "248d6a61d20638b8e5c026930c3e6039"
		  "a33ce45964ff2167f6ecedd419db06c1" },
		{ "a", 1000000,
		  "cdc76e5c9914fb9281a1c7e284d73e67"
		  "f1809a48a497200e046d39ccc7112cd0" },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		int fd = memfd_create("sha256", MFD_CLOEXEC);
		struct sha256 hash;
		uint8_t digest[32];
		char hex[65];

		sha256_begin(&hash);
		for (size_t k = 0; k < vector[i].times; k++) {
			sha256_add(&hash, vector[i].unit,
				   strlen(vector[i].unit));
			if (vector[i].times == 1)
				dprintf(fd, "%s", vector[i].unit);
		}
		sha256_end(&hash, digest);
		sha256_hex(digest, hex);
		assert_string_equal(hex, vector[i].want);
		if (vector[i].times == 1) {
			assert_int_equal(hashelf_sha256(fd, hex), 0);
			assert_string_equal(hex, vector[i].want);
		}
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_constantless_pages_are_listed),
		cmocka_unit_test(fragments_are_of_code),
		cmocka_unit_test(more_than_one_run_is_read),
		cmocka_unit_test(the_loader_agrees),
		cmocka_unit_test(benign_files_are_not_walked),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(every_truncation_is_survived),
		cmocka_unit_test(flipped_bits_are_survived),
		cmocka_unit_test(holes_cost_nothing),
		cmocka_unit_test(sha256_is_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
