/* cmd_scan_sum.c - what `davylamp scan` says last: the sum of all. */
#include <unistd.h>
#include "cmd_scan_sum.h"
#include "show_exclude.h"
#include "text.h"

void scan_sum_add(struct scan_sum *s, const struct look *l, enum verdict v)
{
	s->processes++;
	s->read_bytes += l->read_bytes;
	s->shared_bytes += l->shared_bytes;
	s->findings += v == VERDICT_FINDING;
	s->carriers += v == VERDICT_CARRIER;
	s->clean += v == VERDICT_CLEAN;
	s->denied += l->denied;
	s->partial += l->state == SCAN_PARTIAL && !l->denied;
	s->vanished += l->state == SCAN_VANISHED;
}

json_object *scan_sum_json(const struct scan_sum *s,
			   const struct finding_tools *tools)
{
	json_object *ret = json_object_new_object();
	json_object *o = json_object_new_object();
	const struct {
		const char *key;
		uint64_t n;
	} numbers[] = {
		{ "processes", s->processes },
		{ "findings", s->findings },
		{ "clean", s->clean },
		{ "carriers", s->carriers },
		{ "partial", s->partial },
		{ "vanished", s->vanished },
		{ "denied", s->denied },
		{ "excluded", s->excluded },
		{ "hidden", s->hidden },
		{ "readBytes", s->read_bytes },
		{ "sharedBytes", s->shared_bytes },
		{ "rules", s->n_rules },
		{ "pageDigests",
		  hashset_n_pages(s->set) - hashset_n_fragments(s->set) },
		{ "fragmentDigests", hashset_n_fragments(s->set) },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_object_add(
			o, numbers[i].key,
			json_object_new_int64((int64_t)numbers[i].n));
	json_object_object_add(o, "seconds",
			       json_object_new_double(s->seconds));
	json_object_object_add(o, "ruleSetVersion",
			       json_object_new_string(tools->rules_version));
	json_object_object_add(o, "hashSetVersion",
			       json_object_new_string(tools->set_version));
	if (s->excludes)
		json_object_object_add(o, "exclusions",
				       show_exclude_json(s->excludes));
	json_object_object_add(ret, "summary", o);
	return ret;
}

static const char *plural_es(size_t n)
{
	return n == 1 ? "" : "es";
}

static void show_denied(const struct scan_sum *s, FILE *out)
{
	if (!s->denied)
		return;
	fprintf(out, "%zu process%s ", s->denied, plural_es(s->denied));
	if (geteuid())
		fputs("of other users could not be read; to look at all: "
		      "sudo davylamp scan\n",
		      out);
	else
		fputs("could not be read, though this is root: a security "
		      "module\nor a missing capability (CAP_SYS_PTRACE, "
		      "CAP_DAC_READ_SEARCH) forbids it\n",
		      out);
}

void scan_sum_show(const struct scan_sum *s, const struct show *show)
{
	FILE *out = show->out;
	char read[16], shared[16];

	show_denied(s, out);
	fprintf(out, "%zu process%s: %zu finding%s, %zu clean", s->processes,
		plural_es(s->processes), s->findings,
		s->findings == 1 ? "" : "s", s->clean);
	if (s->carriers)
		fprintf(out, ", %zu carrying such data", s->carriers);
	if (s->partial)
		fprintf(out, ", %zu not complete", s->partial);
	if (s->vanished)
		fprintf(out, ", %zu ended", s->vanished);
	if (s->excluded)
		fprintf(out, ", %zu excluded", s->excluded);
	if (s->hidden)
		fprintf(out, "; %zu hidden", s->hidden);
	fprintf(out,
		"\n%s read in %.1f s (%s more shared, looked at once); %zu "
		"rules,\n%u digests of %u known binaries\n",
		text_bytes(s->read_bytes, read), s->seconds,
		text_bytes(s->shared_bytes, shared), s->n_rules,
		hashset_n_pages(s->set), hashset_n_binaries(s->set));
	if (s->excludes)
		show_exclude(show, s->excludes);
}
