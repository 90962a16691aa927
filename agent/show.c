/* show.c - findings and progress on a terminal, in 80 columns. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "io.h"
#include "maps.h"
#include "peers.h"
#include "proc.h"
#include "show.h"
#include "text.h"
#include "verdict.h"
#include "tally.h"

#define LABEL	      14 /* columns before a field's text */

void show_init(struct show *s, FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	struct winsize w;

	s->out = out;
	s->width = 80;
	s->color = isatty(fileno(out)) && !(no_color && *no_color);
	if (isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &w) == 0 &&
	    w.ws_col >= 40)
		s->width = w.ws_col < 120 ? w.ws_col : 120;
}

/* Length of the longest beginning of @text that fits in @columns, cut at a
 * space if there is one, else between characters. */
static size_t fit(const char *text, size_t columns)
{
	size_t used = 0, i = 0, space = 0;

	while (text[i]) {
		size_t n = 1;
		char one[8];

		while ((text[i + n] & 0xc0) == 0x80 && n < 4)
			n++;
		memcpy(one, text + i, n);
		one[n] = '\0';
		used += text_columns(one);
		if (used > columns)
			return space ? space : i ? i : n;
		if (text[i] == ' ')
			space = i;
		i += n;
	}
	return i;
}

void show_field(const struct show *s, const char *label, const char *text)
{
	const char *prefix = label;
	size_t room = s->width - LABEL - 1;

	do {
		size_t n = fit(text, room);

		fprintf(s->out, "  %-*s%.*s\n", LABEL - 2, prefix, (int)n,
			text);
		text += n;
		while (*text == ' ')
			text++;
		prefix = "";
	} while (*text);
}

/* ---- a finding ------------------------------------------------------- */

static void show_title(const struct show *s, const struct finding *f)
{
	static const char *const color[] = { "\033[1;36m", "\033[1;33m",
					     "\033[1;31m" };

	fprintf(s->out, "%s%-6s %s%s\n", s->color ? color[f->severity] : "",
		verdict_severity(f->severity), verdict_category(f->category),
		s->color ? "\033[0m" : "");
}

static const char *age(const struct proc *p, char *ret, size_t cap)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t now = p->seen_ns / 1000000000, began = p->start_ticks / hz;
	uint64_t s = now > began ? now - began : 0;

	if (s < 120)
		snprintf(ret, cap, "%" PRIu64 " s ago", s);
	else if (s < 7200)
		snprintf(ret, cap, "%" PRIu64 " min ago", s / 60);
	else if (s < 172800)
		snprintf(ret, cap, "%" PRIu64 " h ago", s / 3600);
	else
		snprintf(ret, cap, "%" PRIu64 " days ago", s / 86400);
	return ret;
}

static void show_process(const struct show *s, const struct look *l,
			 const struct who *w)
{
	char comm[PROC_COMM * 4], user[160], ago[32], text[512];

	text_escape_str(l->proc->comm, comm, sizeof(comm));
	text_escape_str(w->user, user, sizeof(user));
	snprintf(text, sizeof(text), "%d %s, user %s, started %s, parent %d",
		 l->proc->pid, comm, user, age(l->proc, ago, sizeof(ago)),
		 l->proc->ppid);
	show_field(s, "process", text);
	snprintf(text, sizeof(text), "%.0f %% of a core, %u thread%s",
		 l->cpu_share * 100, l->proc->threads,
		 l->proc->threads == 1 ? "" : "s");
	show_field(s, "cpu", text);
}

/* "docker 3f2a91b6c0de, web-1 (nginx:1.25)" */
static void show_container(const struct show *s, const struct container *c)
{
	char name[320], image[320], text[800];

	if (!c->id[0])
		return;
	text_escape_str(c->name, name, sizeof(name));
	text_escape_str(c->image, image, sizeof(image));
	snprintf(text, sizeof(text), "%s %.12s%s%s%s%s%s", c->runtime, c->id,
		 *name ? ", " : "", name, *image ? " (" : "", image,
		 *image ? ")" : "");
	show_field(s, "container", text);
	if (!c->pod[0] && !c->pod_uid[0])
		return;
	text_escape_str(c->pod_namespace, image, sizeof(image));
	text_escape_str(c->pod[0] ? c->pod : c->pod_uid, name, sizeof(name));
	snprintf(text, sizeof(text), "%s%s%s", image, *image ? "/" : "", name);
	show_field(s, "pod", text);
}

/* "4242 bash, 4100 sshd, 1 systemd" */
static void show_parents(const struct show *s, const struct who *w)
{
	char text[WHO_PARENTS * (PROC_COMM * 4 + 16)], comm[PROC_COMM * 4];
	size_t n = 0;

	for (size_t i = 0; i < w->n_parents; i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%s%d %s", n ? ", " : "",
			w->parents[i].pid,
			text_escape_str(w->parents[i].comm, comm,
					sizeof(comm)));
	if (n)
		show_field(s, "parents", text);
}

static void show_program(const struct show *s, const struct who *w)
{
	char text[600], joined[sizeof(w->args) + 1];

	text_escape_str(w->exe[0] ? w->exe : "(unknown)", text,
			sizeof(text) - 32);
	if (w->exe_deleted)
		strcat(text, w->exe_memfd ? " (in memory only)" : " (deleted)");
	show_field(s, "executable", text);
	if (w->args_len) {
		size_t n = w->args_len;

		for (size_t i = 0; i < n; i++)
			joined[i] = w->args[i] ? w->args[i] : ' ';
		while (n && joined[n - 1] == ' ')
			n--;
		show_field(s, "command",
			   text_escape(joined, n, text, 240));
	}
	show_parents(s, w);
	show_container(s, &w->container);
	if (w->unit[0])
		show_field(s, "unit",
			   text_escape_str(w->unit, text, sizeof(text)));
}

static void show_peers(const struct show *s, const struct peers *peers)
{
	char text[PEER_NAME + 160], address[46];
	size_t shown = s->verbose ? peers->n : peers->n < 4 ? peers->n : 3;

	for (size_t i = 0; i < shown; i++) {
		const struct peer *p = &peers->list[i];
		size_t left = peers->n + peers->more - shown;
		int n = snprintf(text, sizeof(text), "%s%s port %u%s%s%s",
				 p->protocol == IPPROTO_UDP ? "UDP " : "",
				 peers_address(p->family, p->address, address),
				 p->port, peers->name[i][0] ? " (" : "",
				 peers->name[i], peers->name[i][0] ? ")" : "");

		if (i + 1 == shown && left)
			snprintf(text + n, sizeof(text) - (size_t)n,
				 ", and %zu more", left);
		show_field(s, "connection", text);
	}
}

/* "$keys at 0x7fe24c208f48 in rwxp anonymous" */
static void describe_string(const struct look *l, const struct hit_string *m,
			    char *ret, size_t cap)
{
	const struct region *r = l->maps ? maps_find(l->maps, m->address)
					 : NULL;
	char name[64], where[160] = "unmapped now", permissions[5];

	if (r) {
		const char *file = maps_name(l->maps, r);

		maps_permissions(r, permissions);
		snprintf(where, sizeof(where), "%s ", permissions);
		text_escape_str(*file ? file : "anonymous", where + 5,
				sizeof(where) - 5);
	}
	snprintf(ret, cap, "%s at 0x%" PRIx64 " in %s",
		 text_escape_str(m->name, name, sizeof(name)), m->address,
		 where);
}

static void show_bytes(const struct show *s, const struct hit_string *m)
{
	char hex[3 * HIT_BYTES + 8] = "";

	for (uint32_t i = 0; i < m->n_bytes; i++)
		snprintf(hex + 3 * i, 4, "%02x ", m->bytes[i]);
	if (m->length > m->n_bytes)
		strcat(hex, "...");
	show_field(s, "", hex);
}

static void show_rule(const struct show *s, const struct look *l,
		      const struct hit *h)
{
	char name[160], family[80], text[640];
	size_t shown = s->verbose ? h->n_strings : h->n_strings ? 1 : 0;

	text_escape_str(h->rule->name, name, sizeof(name));
	text_escape_str(h->rule->family, family, sizeof(family));
	snprintf(text, sizeof(text), "%s%s%s%s", name, *family ? " (" : "",
		 family, *family ? ")" : "");
	show_field(s, "rule", text);
	if (s->verbose && h->rule->description[0])
		show_field(s, "", text_escape_str(h->rule->description, text,
						  sizeof(text)));
	for (size_t i = 0; i < shown; i++) {
		size_t n;

		describe_string(l, &h->strings[i], text, sizeof(text) - 32);
		n = strlen(text);
		if (i + 1 == shown && h->n_matches > shown)
			snprintf(text + n, sizeof(text) - n, ", and %zu more",
				 h->n_matches - shown);
		show_field(s, "", text);
		if (s->verbose)
			show_bytes(s, &h->strings[i]);
	}
}

/* The most telling first: a live JIT, then by severity. */
static int rank(const struct hit *h)
{
	return h->rule->where == WHERE_JIT ? 0
					   : 1 + SEVERITY_HIGH -
						     h->rule->severity;
}

static void show_rules(const struct show *s, const struct look *l)
{
	for (int r = 0; r <= 1 + SEVERITY_HIGH; r++)
		for (size_t i = 0; i < l->n_hits; i++)
			if (rank(&l->hits[i]) == r)
				show_rule(s, l, &l->hits[i]);
}

static void show_binaries(const struct show *s, const struct finding *f)
{
	for (size_t i = 0; i < f->n_shares; i++) {
		const struct share *b = f->shares[i];
		char family[80], name[160], text[320];

		text_escape_str(b->family, family, sizeof(family));
		text_escape_str(b->name, name, sizeof(name));
		if (tally_pages(b) >= tally_fragments(b))
			snprintf(text, sizeof(text),
				 "%s: %.0f %% of %s (%u of %u pages)", family,
				 100 * tally_pages(b), name, b->seen,
				 b->n_pages);
		else
			snprintf(text, sizeof(text),
				 "%s: %.0f %% of the code of %s (%u of %u "
				 "fragments, %u of %u pages)",
				 family, 100 * tally_fragments(b), name,
				 b->seen_fragments, b->n_fragments, b->seen,
				 b->n_pages);
		show_field(s, "binary", text);
	}
}

void show_finding(const struct show *s, const struct finding *f,
		  const struct who *w)
{
	const struct look *l = f->look;
	char text[320], size[16];

	show_title(s, f);
	show_process(s, l, w);
	show_program(s, w);
	show_peers(s, &w->peers);
	show_rules(s, l);
	show_binaries(s, f);
	if (l->proc->hidden) {
		snprintf(text, sizeof(text), "hidden: %s",
			 verdict_hiding(l->proc->hidden));
		show_field(s, "evidence", text);
	}
	if (f->jit)
		show_field(s, "evidence", "live proof-of-work JIT code");
	if (f->dataset_bytes) {
		snprintf(text, sizeof(text), "a mapping of %s, as RandomX's "
					     "dataset or cache takes",
			 text_bytes(f->dataset_bytes, size));
		show_field(s, "evidence", text);
	}
	if (w->huge_bytes) {
		snprintf(text, sizeof(text), "%s in huge pages",
			 text_bytes(w->huge_bytes, size));
		show_field(s, "evidence", text);
	}
	if (f->besides) {
		snprintf(text, sizeof(text),
			 "all of it is plain data, as scanners have; but %s",
			 f->besides);
		show_field(s, "evidence", text);
	}
	if (f->only_read)
		show_field(s, "severity",
			   "lowered: it stands in a file that the process maps "
			   "but does not execute");
	else if (f->idle)
		show_field(s, "severity",
			   "lowered: the code is there (a wallet or node has "
			   "it, too), but nothing shows that it mines now");
	if (l->state != SCAN_COMPLETE) {
		snprintf(text, sizeof(text), "%s: %s", verdict_state(l->state),
			 l->why);
		show_field(s, "looked at", text);
	}
	fputc('\n', s->out);
}

void show_look(const struct show *s, const struct look *l,
	       const char *verdict)
{
	char comm[PROC_COMM * 4], read[16], shared[16], text[512];

	snprintf(text, sizeof(text), "%s: %s%s%s%s%s%s, %s read, %s shared",
		 text_escape_str(l->proc->comm, comm, sizeof(comm)),
		 l->proc->hidden ? "hidden (" : "",
		 verdict_hiding(l->proc->hidden),
		 l->proc->hidden ? "); " : "", verdict,
		 l->why[0] ? ": " : "", l->why,
		 text_bytes(l->read_bytes, read),
		 text_bytes(l->shared_bytes, shared));
	snprintf(comm, sizeof(comm), "%d", l->proc->pid);
	show_field(s, comm, text);
}

/* ---- progress -------------------------------------------------------- */

void show_progress_init(struct show_progress *p, FILE *out)
{
	struct show s;

	memset(p, 0, sizeof(*p));
	p->begin_ns = io_now_ns();
	if (!isatty(fileno(out)))
		return;
	show_init(&s, out);
	p->out = out;
	p->width = s.width;
}

void show_progress(struct show_progress *p)
{
	uint64_t now = io_now_ns();
	char bar[21], done[16], all[16], text[128];
	double part, left;

	if (!p->out || now - p->shown_ns < 100000000)
		return;
	p->shown_ns = now;
	part = p->all_bytes ? (double)p->done_bytes / (double)p->all_bytes : 0;
	part = part > 1 ? 1 : part;
	left = part > 0.01 ? (double)(now - p->begin_ns) / 1e9 *
				     (1 - part) / part
			   : 0;
	for (size_t i = 0; i < 20; i++)
		bar[i] = (double)i < part * 20 ? '#' : '.';
	bar[20] = '\0';
	if (p->unit && !p->all)
		snprintf(text, sizeof(text), "%zu %s", p->done, p->unit);
	else if (p->unit)
		snprintf(text, sizeof(text), "[%s] %zu/%zu %s, %.0f s left",
			 bar, p->done, p->all, p->unit, left);
	else
		snprintf(text, sizeof(text), "[%s] %zu/%zu processes, %s of %s, "
					     "%.0f s left",
			 bar, p->done, p->all, text_bytes(p->done_bytes, done),
			 text_bytes(p->all_bytes, all), left);
	fprintf(p->out, "\r%-*.*s", (int)p->width - 1, (int)p->width - 1, text);
	fflush(p->out);
}

void show_progress_end(struct show_progress *p)
{
	if (p->out && p->shown_ns)
		fprintf(p->out, "\r%*s\r", (int)p->width - 1, "");
}
