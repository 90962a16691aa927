/* verdict.c - what a look means. */
#include <string.h>
#include <unistd.h>
#include "gpu.h"
#include "maps.h"
#include "peers.h"
#include "tally.h"
#include "verdict.h"
#include "who.h"

/* A known binary counts from this share of its pages on, and some of them
 * executable: a file that is only read (unpacked, copied, checked) is mapped
 * without that.  Versions of one family share at most one whole page, but most
 * of their fragments: 77 to 98 % by one compiler.  Of 1897 benign files none
 * has 1 % of a miner's, benign code subtracted (bench/record/fragments). */
#define SHARE_MIN 0.10
#define PAGES_MIN 4

/* So many count whatever the share: more than benign programs have in common
 * with any miner by the libraries linked into both (38 pages of libcrypto; and
 * none at all in 2910 files once those are subtracted, bench/record/pages). */
#define PAGES_ENOUGH 64

/* A page of code has one to three of them. */
#define FRAGMENTS_MIN 16

/* A process that uses less of a core than this does not mine, unless it gets no
 * more: then some thread wants a processor all the time.  On a machine at work
 * threads that wake now and then wait for a third of a short while. */
#define WORK_MIN 0.10
#define WAIT_MIN 0.50

/* So much CPU time, in seconds, a wallet or node of Monero may take to begin
 * (6 s for an empty one, and its keys), before work means that it mines. */
#define START_MAX 30

/* So many algorithm families a wallet or node may have: Monero's has two. */
#define WALLET_FAMILIES 2

/* So many unrelated families as plain data: a rule set, whatever it costs. */
#define CARRIER_FAMILIES 3

#define MIB (1ULL << 20)

static bool counts(const struct share *s)
{
	return (s->seen_code && s->seen >= PAGES_MIN &&
		(s->seen >= PAGES_ENOUGH || tally_pages(s) >= SHARE_MIN)) ||
	       (s->seen_fragments >= FRAGMENTS_MIN &&
		tally_fragments(s) >= SHARE_MIN);
}

/* RandomX: 2080 MiB of dataset (2336 with its cache in one piece), or the
 * 256 MiB cache alone. */
static uint64_t dataset(const struct look *l)
{
	const struct region *r;
	uint64_t best = 0;
	size_t n;

	if (!l->maps)
		return 0;
	r = maps_regions(l->maps, &n);
	for (size_t i = 0; i < n; i++) {
		uint64_t size = r[i].end - r[i].start;
		bool fits = (size >= 2080 * MIB && size <= 2400 * MIB) ||
			    (size >= 256 * MIB && size <= 258 * MIB);

		if (r[i].flags & REGION_ANON && r[i].flags & REGION_WRITE &&
		    fits && size > best)
			best = size;
	}
	return best;
}

/* Is there room for RandomX's cache at all?  It lies in one piece, which may be
 * several mappings that touch. */
static bool has_room_for_cache(const struct look *l)
{
	size_t n;
	const struct region *r = l->maps ? maps_regions(l->maps, &n) : NULL;
	uint64_t start = 0, end = 0;

	for (size_t i = 0; r && i < n; i++) {
		if (!(r[i].flags & REGION_WRITE))
			continue;
		if (r[i].start != end)
			start = r[i].start;
		end = r[i].end;
		if (end - start >= 256 * MIB)
			return true;
	}
	return !r;
}

/* Kernels for graphics cards run beside the process: its own share of a
 * processor is small. */
static bool computes_on_gpu(const struct look *l)
{
	return l->maps && gpu_computes(l->proc, l->maps);
}

/* A miner that gets little of a busy or reniced processor wants more. */
static bool is_busy(const struct look *l)
{
	return l->cpu_share >= WORK_MIN || l->wait_share >= WAIT_MIN ||
	       computes_on_gpu(l);
}

static bool is_new_family(const struct look *l, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(l->hits[k].rule->family, l->hits[i].rule->family))
			return false;
	return true;
}

/* Where a hit's bytes are. */
enum place { PROGRAM, HEAP, READ_FILE };

/* Does the process execute anything of the file that @r maps? */
static bool is_executed(const struct look *l, const struct region *file)
{
	size_t n;
	const struct region *r = maps_regions(l->maps, &n);

	for (size_t i = 0; i < n; i++)
		if (r[i].flags & REGION_EXEC && r[i].inode == file->inode &&
		    r[i].dev == file->dev)
			return true;
	return false;
}

/* A file of which no page is executable here is only read: by a virus scanner,
 * an indexer, a copying tool. */
static enum place place_of(const struct look *l, uint64_t address)
{
	const struct region *r = l->maps ? maps_find(l->maps, address) : NULL;

	if (!r || r->flags & REGION_EXEC)
		return PROGRAM;
	if (r->where == WHERE_PLAIN)
		return HEAP;
	return r->inode && !is_executed(l, r) ? READ_FILE : PROGRAM;
}

/* The place that tells most: a single string in a program makes a hit one. */
static enum place place_of_hit(const struct look *l, const struct hit *h)
{
	enum place best = READ_FILE;

	for (size_t i = 0; i < h->n_strings; i++) {
		enum place p = place_of(l, h->strings[i].address);

		if (p < best)
			best = p;
	}
	return h->n_strings ? best : PROGRAM;
}

/* Code that no file holds: a JIT's, an unpacker's.  The kernel's own pages have
 * names that nobody else can give. */
static bool has_own_code(const struct look *l)
{
	size_t n;
	const struct region *r = l->maps ? maps_regions(l->maps, &n) : NULL;

	for (size_t i = 0; r && i < n; i++) {
		const char *name = maps_name(l->maps, r + i);

		if (r[i].where & 1 << WHERE_JIT &&
		    strcmp(name, "[vdso]") != 0 &&
		    strcmp(name, "[uprobes]") != 0)
			return true;
	}
	return false;
}

static bool is_connected(const struct look *l)
{
	for (size_t i = 0; l->who && i < l->who->peers.n; i++)
		if (peers_is_remote(&l->who->peers.list[i]))
			return true;
	return false;
}

/* Words, as rules and sources that somebody reads or edits have them. */
static bool is_text(const struct hit *h)
{
	for (size_t i = 0; i < h->n_strings; i++)
		for (uint32_t k = 0; k < h->strings[i].n_bytes; k++) {
			uint8_t c = h->strings[i].bytes[k];

			if ((c < ' ' && c != '\t' && c != '\n') || c > '~')
				return false;
		}
	return true;
}

/* A scanner with its rules loaded works, reads, and has what it looks for as
 * data.  A miner that planted such data has more to do: this tells what, or
 * NULL.  Browsers and editors with sources open have code of their own and
 * connections, too, but words only. */
static const char *more_than_rules(const struct look *l)
{
	bool constants = false, session = false;

	for (size_t i = 0; i < l->n_hits; i++) {
		constants |= !is_text(&l->hits[i]);
		session |= !strcmp(l->hits[i].rule->family, "Stratum");
	}
	if (l->proc->hidden)
		return "it hides";
	if (computes_on_gpu(l))
		return "it computes on a graphics card";
	if (dataset(l))
		return "it has memory of the size of RandomX's data set";
	if (constants && has_own_code(l))
		return "it works and has executable memory that no file holds";
	if ((constants || session) && is_connected(l))
		return "it works and is connected to another machine";
	return NULL;
}

/* Everything that was found is plain data. */
static bool is_all_data(const struct look *l)
{
	for (size_t i = 0; i < l->n_hits; i++)
		if (place_of_hit(l, &l->hits[i]) != HEAP)
			return false;
	return true;
}

static unsigned count_families(const struct look *l)
{
	unsigned n = 0;

	for (size_t i = 0; i < l->n_hits; i++)
		n += is_new_family(l, i);
	return n;
}

/* An editor, a shell or a scanner with rules or a miner's words in its heap:
 * a script engine that mines would have them there, too, but it would work or
 * hide, and not for so many families. */
static bool carries_rules(const struct look *l)
{
	if (!is_all_data(l))
		return false;
	if (!is_busy(l) && !l->proc->hidden)
		return true;
	return count_families(l) >= CARRIER_FAMILIES && !more_than_rules(l);
}

/* All that was found is in files that the process maps and does not run. */
static bool is_only_read(const struct finding *f)
{
	for (size_t i = 0; i < f->look->n_hits; i++)
		if (place_of_hit(f->look, &f->look->hits[i]) != READ_FILE)
			return false;
	return f->n_shares == 0;
}

static bool has_file_as_data(const struct look *l)
{
	for (size_t i = 0; i < l->n_shares; i++)
		if (l->shares[i].seen >= PAGES_MIN && !l->shares[i].seen_code)
			return true;
	return false;
}

/* Is every known binary called like an algorithm that a rule found?  Then it
 * is a library of that algorithm, which wallets and nodes load, too. */
static bool only_libraries(const struct finding *f)
{
	const struct look *l = f->look;

	for (size_t i = 0; i < f->n_shares; i++) {
		size_t k = 0;

		while (k < l->n_hits &&
		       strcmp(l->hits[k].rule->family, f->shares[i]->family))
			k++;
		if (k == l->n_hits)
			return false;
	}
	return true;
}

static bool has_family(const struct look *l, const char *family)
{
	for (size_t i = 0; i < l->n_hits; i++)
		if (!strcmp(l->hits[i].rule->family, family))
			return true;
	return false;
}

/* Monero's programs work when they begin.  They have RandomX's and
 * CryptoNight's code then; a miner of RandomX has memory for it, too, and one
 * of CryptoNight does not end after half a minute. */
static bool is_beginning(const struct look *l)
{
	return has_family(l, "RandomX") && has_family(l, "CryptoNight") &&
	       !has_room_for_cache(l) && !computes_on_gpu(l) &&
	       l->proc->cpu_ticks < START_MAX * (uint64_t)sysconf(_SC_CLK_TCK);
}

/* Wallets and nodes have a miner's code, too, but they do not run it all day,
 * and not that of many coins. */
static bool is_idle_wallet(const struct finding *f)
{
	const struct look *l = f->look;

	return only_libraries(f) && count_families(l) <= WALLET_FAMILIES &&
	       !f->jit && !(has_family(l, "RandomX") && f->dataset_bytes) &&
	       (!is_busy(l) || is_beginning(l));
}

static void weigh(const struct look *l, struct finding *f)
{
	f->severity = f->n_shares ? SEVERITY_HIGH : SEVERITY_LOW;
	for (size_t i = 0; i < l->n_hits; i++) {
		const struct rule *r = l->hits[i].rule;

		f->jit |= r->where == WHERE_JIT;
		if (r->severity > f->severity)
			f->severity = (enum severity)r->severity;
	}
	f->dataset_bytes = dataset(l);
	/* Who hides has a reason. */
	f->idle = !l->proc->hidden && is_idle_wallet(f);
	f->only_read = !l->proc->hidden && is_only_read(f);
	if (f->idle || f->only_read)
		f->severity = SEVERITY_LOW;
	if (!f->n_shares && is_all_data(l) &&
	    count_families(l) >= CARRIER_FAMILIES)
		f->besides = more_than_rules(l);
}

enum verdict verdict_judge(const struct look *l, struct finding *ret)
{
	struct finding f = { .look = l };

	for (size_t i = 0; i < l->n_shares; i++)
		if (counts(&l->shares[i]))
			f.shares[f.n_shares++] = &l->shares[i];
	if (!f.n_shares && l->n_hits && carries_rules(l))
		return VERDICT_CARRIER;
	if (f.n_shares || l->n_hits) {
		f.category = !l->n_hits	   ? CATEGORY_HASH
			     : !f.n_shares ? CATEGORY_YARA
					   : CATEGORY_COMBINED;
		weigh(l, &f);
		*ret = f;
		return VERDICT_FINDING;
	}
	if (has_file_as_data(l))
		return VERDICT_CARRIER;
	return l->state == SCAN_COMPLETE ? VERDICT_CLEAN : VERDICT_UNKNOWN;
}

const char *verdict_hiding(uint8_t hidden)
{
	return hidden & HIDDEN_MOUNT  ? "something is mounted over its /proc "
					"directory"
	       : hidden & HIDDEN_LIST ? "the kernel has it, /proc does not "
					"list it"
	       : hidden & HIDDEN_LIBC ? "programs of this host do not see it: "
					"a library is preloaded that hides it"
				      : "";
}

const char *verdict_category(enum category c)
{
	static const char *const names[] = {
		[CATEGORY_YARA] = "Execution: Cryptocurrency Mining YARA Rule",
		[CATEGORY_HASH] = "Execution: Cryptocurrency Mining Hash Match",
		[CATEGORY_COMBINED] =
			"Execution: Cryptocurrency Mining Combined Detection",
		[CATEGORY_OBSERVATION] =
			"Observation: Davylamp Sensors Degraded",
	};

	return names[c];
}

const char *verdict_severity(enum severity s)
{
	static const char *const names[] = { "LOW", "MEDIUM", "HIGH" };

	return names[s];
}

const char *verdict_state(enum scan_state s)
{
	static const char *const names[] = { "complete", "partial",
					     "vanished" };

	return names[s];
}
