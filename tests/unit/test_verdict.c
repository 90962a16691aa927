#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <string.h>
#include "child.h"
#include "maps.h"
#include "verdict.h"
#include "who.h"

#define MIB (1ULL << 20)

/* A made-up process: code, a heap, a JIT's page and a place for a dataset. */
#define CODE 0x400000ULL
#define HEAP 0x800000ULL
#define JIT  0xc00000ULL
#define CONSTANTS 0x500000ULL /* of the program that runs */
#define DATA_FILE 0x600000ULL /* of which nothing is executable */

/* So many names that there is no room for one more. */
static void write_names(int fd)
{
	char text[2100];

	for (int i = 1; i < 1000; i++) {
		int n = sprintf(text, "%x000-%x000 r--s 0 fe:01 %d /", i, i + 1,
				i + 1000);
		int len = i < 540 ? 2000 : 8;

		memset(text + n, 'a' + i % 26, (size_t)len);
		text[n + len] = '\n';
		if (write(fd, text, (size_t)(n + len + 1)) < 0)
			abort();
	}
}

static struct maps *maps_of(uint64_t dataset, bool split, bool gpu,
			    bool own_code)
{
	char dir[] = "/tmp/test_verdict.XXXXXX", text[512];
	struct proc p = { .pid = 1 };
	struct maps *m = NULL;
	int fd;

	if (!mkdtemp(dir) || (p.dir = open(dir, O_PATH | O_DIRECTORY)) < 0)
		abort();
	snprintf(text, sizeof(text),
		 "400000-500000 r-xp 0 fe:01 7 /opt/x\n"
		 "500000-600000 r--p 0 fe:01 7 /opt/x\n"
		 "600000-700000 r--p 0 fe:01 9 /usr/share/y\n"
		 "800000-900000 rw-p 0 00:00 0 [heap]\n"
		 "%s7f0000000000-%lx rw-p 0 00:00 0\n"
		 "%lx-%lx %s-p 0 00:00 0\n%s"
		 "7ffff7fc1000-7ffff7fc3000 r-xp 0 00:00 0 [vdso]\n",
		 own_code ? "c00000-d00000 rwxp 0 00:00 0\n" : "",
		 0x7f0000000000 + (dataset ? dataset : 4096),
		 0x7f0000000000 + (dataset ? dataset : 4096),
		 0x7f0000000000 + 2 * (dataset ? dataset : 4096),
		 split ? "rw" : "r-",
		 gpu ? "7fff00000000-7fff00001000 rw-s 0 00:05 9 "
		       "/dev/nvidia-uvm\n"
		     : "");
	fd = openat(p.dir, "maps", O_CREAT | O_WRONLY, 0600);
	if (gpu)
		write_names(fd);
	if (write(fd, text, strlen(text)) < 0 || maps_read(&p, 0, &m))
		abort();
	close(fd);
	unlinkat(p.dir, "maps", 0);
	rmdir(dir);
	close(p.dir);
	return m;
}

static const struct rule rules[] = {
	{ .name = "randomx", .family = "RandomX", .where = WHERE_IMAGE,
	  .severity = SEVERITY_HIGH },
	{ .name = "jit", .family = "RandomX", .where = WHERE_JIT,
	  .severity = SEVERITY_HIGH },
	{ .name = "ethash", .family = "Ethash", .where = WHERE_IMAGE,
	  .severity = SEVERITY_MEDIUM },
	{ .name = "stratum", .family = "Stratum", .where = WHERE_ANY,
	  .severity = SEVERITY_MEDIUM },
	{ .name = "wasm", .family = "Wasm", .where = WHERE_ANY,
	  .severity = SEVERITY_MEDIUM },
	{ .name = "low", .family = "Scrypt", .where = WHERE_ANY,
	  .severity = SEVERITY_LOW },
	{ .name = "cryptonight", .family = "CryptoNight", .where = WHERE_IMAGE,
	  .severity = SEVERITY_HIGH },
};

enum { RX, LIVE, ETH, STRATUM, WASM, LOW, CN };

/* Up to four hits {rule + 1, address} and two shares of binaries. */
struct scene {
	const char *what;
	struct {
		int rule;
		uint64_t at;
	} hit[4];
	struct {
		const char *family;
		uint32_t seen, code;
		uint32_t of; /* pages; 0: 100 */
		uint32_t fragments, fragments_of; /* likewise */
	} share[2];
	double cpu, wait;
	unsigned seconds;  /* of CPU time since it began */
	bool gpu, own_code;
	bool split;	   /* another mapping like the dataset's touches it */
	bool text;	   /* the hits are words */
	const char *peer;  /* an IPv4 address */
	enum scan_state state;
	uint64_t dataset;
	enum verdict verdict;
	enum category category;
	enum severity severity;
	bool idle, jit, only_read;
	uint64_t dataset_found;
	uint8_t hidden;
	bool besides;
};

#define DECOYS \
	.hit = { { WASM + 1, HEAP }, { ETH + 1, HEAP }, { LOW + 1, HEAP } }
#define WORDS \
	.text = true, .hit = { { STRATUM + 1, HEAP }, { ETH + 1, HEAP }, \
			       { LOW + 1, HEAP } }
#define MONERO .hit = { { RX + 1, CODE }, { CN + 1, CODE } }
#define FOUND_BESIDES \
	.verdict = VERDICT_FINDING, .category = CATEGORY_YARA, \
	.severity = SEVERITY_MEDIUM, .besides = true

/* That many pages, of them code, of those it has (0: 100). */
#define PAGES(whose, n, n_code, all) \
	{ { .family = whose, .seen = n, .code = n_code, .of = all } }

static const struct scene scenes[] = {
	{ .what = "another version: code of it, no page",
	  .share = { { .family = "XMRig", .fragments = 16 } },
	  .verdict = VERDICT_FINDING, .category = CATEGORY_HASH,
	  .severity = SEVERITY_HIGH },
	{ .what = "another version, and a rule", .hit = { { RX + 1, CODE } },
	  .share = { { .family = "XMRig", .fragments = 90 } },
	  .verdict = VERDICT_FINDING, .category = CATEGORY_COMBINED,
	  .severity = SEVERITY_HIGH },
	{ .what = "an idle node with a known library's code",
	  .hit = { { RX + 1, CODE } },
	  .share = { { .family = "RandomX", .fragments = 90 } },
	  .verdict = VERDICT_FINDING, .category = CATEGORY_COMBINED,
	  .severity = SEVERITY_LOW, .idle = true },
	{ .what = "too few fragments",
	  .share = { { .family = "XMRig", .fragments = 15,
		       .fragments_of = 20 } },
	  .verdict = VERDICT_CLEAN },
	{ .what = "too small a share of them",
	  .share = { { .family = "XMRig", .fragments = 99,
		       .fragments_of = 1000 } },
	  .verdict = VERDICT_CLEAN },
	{ .what = "nothing", .verdict = VERDICT_CLEAN },
	{ .what = "nothing, busy, a dataset", .cpu = 4, .dataset = 2080 * MIB,
	  .verdict = VERDICT_CLEAN },
	{ .what = "nothing, partial", .state = SCAN_PARTIAL,
	  .verdict = VERDICT_UNKNOWN },
	{ .what = "nothing, vanished", .state = SCAN_VANISHED,
	  .verdict = VERDICT_UNKNOWN },
	{ .what = "a rule in code, busy", .hit = { { RX + 1, CODE } },
	  .cpu = 3.5, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "a rule in code, idle", .hit = { { RX + 1, CODE } },
	  .cpu = 0.01, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_LOW, .idle = true },
	{ .what = "a rule in code, idle, hidden", .hit = { { RX + 1, CODE } },
	  .cpu = 0.01, .hidden = HIDDEN_MOUNT, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_YARA, .severity = SEVERITY_HIGH },
	{ .what = "only read, hidden", .hit = { { RX + 1, DATA_FILE } },
	  .cpu = 1, .hidden = HIDDEN_LIST, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_YARA, .severity = SEVERITY_HIGH },
	{ .what = "in a heap, idle, hidden", .hit = { { STRATUM + 1, HEAP } },
	  .hidden = HIDDEN_LIBC, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_YARA, .severity = SEVERITY_MEDIUM },
	{ .what = "a rule set in a heap, hidden", DECOYS,
	  .hidden = HIDDEN_LIBC, FOUND_BESIDES },
	{ .what = "decoys, idle: nobody mines", DECOYS, .own_code = true,
	  .peer = "192.0.2.1", .verdict = VERDICT_CARRIER },
	{ .what = "decoys at work and code of its own", DECOYS, .cpu = 1,
	  .own_code = true, FOUND_BESIDES },
	{ .what = "decoys starved and code of its own", DECOYS, .wait = 1,
	  .own_code = true, FOUND_BESIDES },
	{ .what = "decoys at work and a pool", DECOYS, .cpu = 1,
	  .peer = "192.0.2.1", FOUND_BESIDES },
	{ .what = "a virus scanner's daemon", DECOYS, .cpu = 1,
	  .peer = "127.0.0.1", .verdict = VERDICT_CARRIER },
	{ .what = "decoys and a compute device", DECOYS, .gpu = true,
	  FOUND_BESIDES },
	{ .what = "decoys at work and a dataset", DECOYS, .cpu = 1,
	  .dataset = 2080 * MIB, .dataset_found = 2080 * MIB, FOUND_BESIDES },
	{ .what = "sources in a busy editor with a JIT", .text = true,
	  .hit = { { WASM + 1, HEAP }, { ETH + 1, HEAP }, { LOW + 1, HEAP } },
	  .cpu = 1, .own_code = true, .peer = "192.0.2.1",
	  .verdict = VERDICT_CARRIER },
	{ .what = "words of a session, at work and connected", WORDS, .cpu = 1,
	  .peer = "192.0.2.1", FOUND_BESIDES },
	{ .what = "words of a session, at work, not connected", WORDS, .cpu = 1,
	  .own_code = true, .verdict = VERDICT_CARRIER },
	{ .what = "hidden, and nothing", .hidden = HIDDEN_MOUNT,
	  .verdict = VERDICT_CLEAN },
	{ .what = "three families in code, idle: no wallet has them",
	  .hit = { { RX + 1, CODE }, { ETH + 1, CODE }, { STRATUM + 1, CODE } },
	  .cpu = 0.01, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "a rule in code, partial", .hit = { { ETH + 1, CODE } },
	  .cpu = 1, .state = SCAN_PARTIAL, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_YARA, .severity = SEVERITY_MEDIUM },
	{ .what = "a live JIT, idle for now", .hit = { { LIVE + 1, JIT } }, .own_code = true,
	  .cpu = 0, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH, .jit = true },
	{ .what = "the highest severity counts",
	  .hit = { { LOW + 1, CODE }, { ETH + 1, CODE }, { LOW + 1, CODE } },
	  .cpu = 1, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_MEDIUM },
	{ .what = "a low rule alone", .hit = { { LOW + 1, CODE } }, .cpu = 1,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_LOW },
	{ .what = "a rule in code, starved by others or reniced",
	  .hit = { { RX + 1, CODE } }, .cpu = 0.03, .wait = 0.9,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "a rule in code, threads that wake on a busy machine",
	  .hit = { { RX + 1, CODE } }, .cpu = 0.02, .wait = 0.33,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_LOW, .idle = true },
	{ .what = "a node or wallet that begins", MONERO, .cpu = 0.9,
	  .seconds = 6, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_LOW, .idle = true },
	{ .what = "one that goes on working", MONERO, .cpu = 0.9,
	  .seconds = 31, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "one that begins, with a cache", MONERO, .cpu = 0.9,
	  .seconds = 1, .dataset = 256 * MIB, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_YARA, .severity = SEVERITY_HIGH,
	  .dataset_found = 256 * MIB },
	{ .what = "one that begins, with a cache that touches other memory",
	  MONERO, .cpu = 0.9, .seconds = 1, .dataset = 300 * MIB,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "one that begins, in two mappings", MONERO, .cpu = 0.9,
	  .seconds = 1, .dataset = 128 * MIB, .split = true,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "one that begins, with too little for a cache", MONERO,
	  .cpu = 0.9, .seconds = 1, .dataset = 255 * MIB,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_LOW, .idle = true },
	{ .what = "one that begins and hides", MONERO, .cpu = 0.9,
	  .hidden = HIDDEN_LIBC, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_YARA, .severity = SEVERITY_HIGH },
	{ .what = "one that begins, with a live JIT",
	  .hit = { { RX + 1, CODE }, { CN + 1, CODE }, { LIVE + 1, JIT } },
	  .own_code = true, .cpu = 0.9, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_YARA, .severity = SEVERITY_HIGH, .jit = true },
	{ .what = "RandomX alone is no program of Monero's",
	  .hit = { { RX + 1, CODE } }, .cpu = 0.9, .seconds = 1,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "RandomX and its dataset, asleep for now",
	  .hit = { { RX + 1, CODE } }, .dataset = 2080 * MIB,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH, .dataset_found = 2080 * MIB },
	{ .what = "a mapping of that size without RandomX",
	  .hit = { { ETH + 1, CODE } }, .dataset = 2080 * MIB,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_LOW, .idle = true,
	  .dataset_found = 2080 * MIB },
	{ .what = "kernels in a heap, idle: an editor",
	  .hit = { { STRATUM + 1, HEAP } }, .verdict = VERDICT_CARRIER },
	{ .what = "kernels in a heap, and a compute device",
	  .hit = { { STRATUM + 1, HEAP } }, .gpu = true,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_MEDIUM },
	{ .what = "a rule in code, idle, and a compute device",
	  .hit = { { RX + 1, CODE } }, .gpu = true,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "a dataset is told", .hit = { { RX + 1, CODE } }, .cpu = 1,
	  .dataset = 2336 * MIB, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_YARA, .severity = SEVERITY_HIGH,
	  .dataset_found = 2336 * MIB },
	{ .what = "a cache is told", .hit = { { RX + 1, CODE } }, .cpu = 1,
	  .dataset = 256 * MIB, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_YARA, .severity = SEVERITY_HIGH,
	  .dataset_found = 256 * MIB },
	{ .what = "1 GiB is none", .hit = { { RX + 1, CODE } }, .cpu = 1,
	  .dataset = 1024 * MIB, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_YARA, .severity = SEVERITY_HIGH },
	{ .what = "known pages", .share = PAGES("XMRig", 60, 50, 0), .cpu = 0,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_HASH,
	  .severity = SEVERITY_HIGH },
	{ .what = "known pages and a rule", .share = PAGES("XMRig", 60, 50, 0),
	  .hit = { { RX + 1, CODE } }, .cpu = 0, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_COMBINED, .severity = SEVERITY_HIGH },
	{ .what = "a library of the algorithm found, idle",
	  .share = PAGES("RandomX", 60, 50, 0), .hit = { { RX + 1, CODE } },
	  .cpu = 0.05, .verdict = VERDICT_FINDING,
	  .category = CATEGORY_COMBINED, .severity = SEVERITY_LOW,
	  .idle = true },
	{ .what = "that library at work", .share = PAGES("RandomX", 60, 50, 0),
	  .hit = { { RX + 1, CODE } }, .cpu = 0.9,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_COMBINED,
	  .severity = SEVERITY_HIGH },
	{ .what = "exactly the least", .share = PAGES("XMRig", 10, 1, 0),
	  .verdict = VERDICT_FINDING, .category = CATEGORY_HASH,
	  .severity = SEVERITY_HIGH },
	{ .what = "a page too few", .share = PAGES("XMRig", 9, 9, 0),
	  .verdict = VERDICT_CLEAN },
	{ .what = "enough of a large one", .share = PAGES("XMRig", 64, 1, 9999),
	  .verdict = VERDICT_FINDING, .category = CATEGORY_HASH,
	  .severity = SEVERITY_HIGH },
	{ .what = "a page too few of it", .share = PAGES("XMRig", 63, 9, 9999),
	  .verdict = VERDICT_CLEAN },
	{ .what = "a page too few, partial", .share = PAGES("XMRig", 9, 9, 0),
	  .state = SCAN_PARTIAL, .verdict = VERDICT_UNKNOWN },
	{ .what = "a file that is only read", .share = PAGES("XMRig", 90, 0, 0),
	  .verdict = VERDICT_CARRIER },
	{ .what = "a rule's words in an idle heap",
	  .hit = { { STRATUM + 1, HEAP } }, .cpu = 0.05,
	  .verdict = VERDICT_CARRIER },
	{ .what = "the same at work", .hit = { { STRATUM + 1, HEAP } },
	  .cpu = 0.5, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_MEDIUM },
	{ .what = "a scanner at work: three families in a heap",
	  .hit = { { RX + 1, HEAP }, { ETH + 1, HEAP }, { LOW + 1, HEAP } },
	  .cpu = 1, .verdict = VERDICT_CARRIER },
	{ .what = "two rules of a family and one more are two families",
	  .hit = { { RX + 1, HEAP }, { LIVE + 1, HEAP }, { ETH + 1, HEAP } },
	  .cpu = 1, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH, .jit = true },
	{ .what = "three families in a heap, one in code",
	  .hit = { { RX + 1, HEAP }, { ETH + 1, HEAP }, { LOW + 1, HEAP },
		   { STRATUM + 1, CODE } },
	  .cpu = 1, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "a carrier that runs known pages",
	  .hit = { { RX + 1, HEAP }, { ETH + 1, HEAP }, { LOW + 1, HEAP } },
	  .share = PAGES("XMRig", 60, 50, 0), .cpu = 1,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_COMBINED,
	  .severity = SEVERITY_HIGH },
	{ .what = "anonymous code is no plain data",
	  .hit = { { STRATUM + 1, JIT } }, .own_code = true, .cpu = 0,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_LOW, .idle = true },
	{ .what = "a program's constants", .hit = { { RX + 1, CONSTANTS } },
	  .cpu = 1, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "a file that a scanner reads",
	  .hit = { { RX + 1, DATA_FILE } }, .cpu = 1,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_LOW, .only_read = true },
	{ .what = "such a file, and code",
	  .hit = { { RX + 1, DATA_FILE }, { ETH + 1, CODE } }, .cpu = 1,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "the code of three families is no idle wallet's",
	  .hit = { { RX + 1, CODE }, { ETH + 1, CODE }, { LOW + 1, CODE } },
	  .cpu = 0, .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_HIGH },
	{ .what = "an address in no region is no plain data",
	  .hit = { { STRATUM + 1, 0x10 } }, .cpu = 1,
	  .verdict = VERDICT_FINDING, .category = CATEGORY_YARA,
	  .severity = SEVERITY_MEDIUM },
};

static const struct proc someone = { .pid = 1 };

static void set(const struct scene *s, struct look *l, struct hit *hits)
{
	static struct proc proc;
	static struct who who;

	memset(l, 0, sizeof(*l));
	proc = someone;
	proc.hidden = s->hidden;
	proc.cpu_ticks = s->seconds * (uint64_t)sysconf(_SC_CLK_TCK);
	l->proc = &proc;
	memset(hits, 0, 4 * sizeof(*hits));
	l->maps = maps_of(s->dataset, s->split, s->gpu, s->own_code);
	memset(&who, 0, sizeof(who));
	if (s->peer) {
		who.peers.n = 1;
		who.peers.list[0].family = AF_INET;
		inet_pton(AF_INET, s->peer, who.peers.list[0].address);
		l->who = &who;
	}
	l->state = s->state;
	l->cpu_share = s->cpu;
	l->wait_share = s->wait;
	l->hits = hits;
	for (size_t i = 0; i < 4 && s->hit[i].rule; i++) {
		hits[i].rule = &rules[s->hit[i].rule - 1];
		hits[i].n_matches = hits[i].n_strings = 1;
		hits[i].strings[0].address = s->hit[i].at;
		hits[i].strings[0].n_bytes = 1;
		hits[i].strings[0].bytes[0] = s->text ? 'x' : 0xd9;
		l->n_hits++;
	}
	for (size_t i = 0; i < 2 && s->share[i].family; i++)
		l->shares[l->n_shares++] = (struct share){
			.family = s->share[i].family,
			.name = "x",
			.version = "1",
			.n_pages = s->share[i].of ? s->share[i].of : 100,
			.seen = s->share[i].seen,
			.seen_code = s->share[i].code,
			.n_fragments = s->share[i].fragments_of
					       ? s->share[i].fragments_of
					       : 100,
			.seen_fragments = s->share[i].fragments,
		};
}

static bool is_right(const struct scene *s, const struct look *l,
		     const struct finding *f)
{
	if (s->verdict != VERDICT_FINDING)
		return !f->look; /* untouched */
	return f->look == l && f->category == s->category &&
	       f->severity == s->severity && f->idle == s->idle &&
	       f->jit == s->jit && f->only_read == s->only_read &&
	       f->dataset_bytes == s->dataset_found &&
	       !f->besides == !s->besides &&
	       (f->n_shares > 0) == (s->category != CATEGORY_YARA);
}

static void scenes_are_judged(void **state)
{
	static struct hit hits[4];

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		struct finding f = { .look = NULL };
		enum verdict v;
		struct look l;

		set(&scenes[i], &l, hits);
		v = verdict_judge(&l, &f);
		if (v != scenes[i].verdict || !is_right(&scenes[i], &l, &f))
			fail_msg("%s: verdict %d, category %d, severity %d, "
				 "idle %d, JIT %d, dataset %lu",
				 scenes[i].what, v, f.category, f.severity,
				 f.idle, f.jit, f.dataset_bytes);
		maps_free((struct maps *)l.maps);
	}
}

/* A process whose maps could not be read, and of a small binary all. */
static void odd_looks(void **state)
{
	struct look l = { .state = SCAN_PARTIAL, .proc = &someone };
	struct finding f;
	struct hit h = { .rule = &rules[RX], .n_strings = 1 };

	(void)state;
	assert_int_equal(verdict_judge(&l, &f), VERDICT_UNKNOWN);
	l.hits = &h;
	l.n_hits = 1;
	assert_int_equal(verdict_judge(&l, &f), VERDICT_FINDING);
	l.n_hits = 0;
	l.n_shares = 1;
	l.shares[0] = (struct share){ "A", "a", "1", 3, 3, 3, 0, 0 };
	assert_int_equal(verdict_judge(&l, &f), VERDICT_UNKNOWN);
	l.shares[0] = (struct share){ "A", "a", "1", 4, 4, 4, 0, 0 };
	assert_int_equal(verdict_judge(&l, &f), VERDICT_FINDING);
	assert_int_equal(f.category, CATEGORY_HASH);
}

static void names_are_spelled_as_vmtd_does(void **state)
{
	(void)state;
	assert_string_equal(verdict_category(CATEGORY_YARA),
			    "Execution: Cryptocurrency Mining YARA Rule");
	assert_string_equal(verdict_category(CATEGORY_HASH),
			    "Execution: Cryptocurrency Mining Hash Match");
	assert_string_equal(
		verdict_category(CATEGORY_COMBINED),
		"Execution: Cryptocurrency Mining Combined Detection");
	assert_string_equal(verdict_severity(SEVERITY_LOW), "LOW");
	assert_string_equal(verdict_severity(SEVERITY_MEDIUM), "MEDIUM");
	assert_string_equal(verdict_severity(SEVERITY_HIGH), "HIGH");
	assert_string_equal(verdict_state(SCAN_COMPLETE), "complete");
	assert_string_equal(verdict_state(SCAN_PARTIAL), "partial");
	assert_string_equal(verdict_state(SCAN_VANISHED), "vanished");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenes_are_judged),
		cmocka_unit_test(odd_looks),
		cmocka_unit_test(names_are_spelled_as_vmtd_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
