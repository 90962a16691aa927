/* match.c - the privileged side of davylamp-match. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "match.h"
#include "self.h"
#include "text.h"
#include "wire.h"

#define COMPILE_MS 120000 /* for the rules: big sets take a while */
#define ANSWER_MS  30000  /* for 1 MiB of windows */
#define HITS_MAX 4096

struct match {
	struct match_options options;
	pid_t pid;
	int pidfd, socket, memfd;
	uint8_t *memory;
	size_t used; /* bytes of @memory filled for @look */
	struct wire_look look;
	bool began; /* the matcher has windows of this process */

	struct rule *rules;
	struct atom *atoms;
	size_t n_rules, n_atoms, rules_room, atoms_room;
	struct wire_ready ready;

	struct hit *hits;
	size_t n_hits;
	struct wire_message message;
};

/* ---- its process ---------------------------------------------------------- */

static int make_memory(struct match *m)
{
	m->memfd = memfd_create("davylamp-windows",
				MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->memfd < 0 || ftruncate(m->memfd, WIRE_BYTES) < 0)
		return -errno;
	m->memory = mmap(NULL, WIRE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			 m->memfd, 0);
	if (m->memory == MAP_FAILED) {
		m->memory = NULL;
		return -errno;
	}
	/* The matcher can neither shrink it under us nor write into it. */
	if (fcntl(m->memfd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE |
			  F_SEAL_SEAL) < 0)
		return -errno;
	return 0;
}

/* Between fork and exec: only calls that are safe there. */
static void become_matcher(int socket, int memfd, char *path, char **argv)
{
	static char *const environment[] = { NULL };

	/* Out of the way of the numbers they are about to get. */
	socket = fcntl(socket, F_DUPFD, 16);
	memfd = fcntl(memfd, F_DUPFD, 16);
	if (socket < 0 || memfd < 0 || dup2(socket, WIRE_SOCKET) < 0 ||
	    dup2(memfd, WIRE_MEMORY) < 0)
		_exit(127);
	syscall(SYS_close_range, WIRE_MEMORY + 1, ~0U, 0);
	execve(path, argv, environment);
	_exit(127);
}

static char **make_arguments(const struct match_options *o)
{
	char **argv = calloc(o->n_paths + 4, sizeof(*argv));
	size_t n = 0;

	if (!argv)
		return NULL;
	argv[n++] = (char *)"davylamp-match";
	if (o->no_default_rules)
		argv[n++] = (char *)"--no-default-rules";
	argv[n++] = (char *)"--";
	for (size_t i = 0; i < o->n_paths; i++)
		argv[n++] = (char *)o->paths[i];
	return argv;
}

static int start_process(struct match *m, struct why *why)
{
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .exit_signal = SIGCHLD };
	char path[4096], **argv = make_arguments(&m->options);
	int pair[2], err = self_program("davylamp-match", path, sizeof(path),
					why);

	if (err || !argv) {
		free(argv);
		return err ? err : -ENOMEM;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		free(argv);
		return -errno;
	}
	m->pidfd = -1;
	args.pidfd = (uintptr_t)&m->pidfd;
	m->pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (m->pid == 0)
		become_matcher(pair[1], m->memfd, path, argv);
	err = m->pid < 0 ? -errno : self_remember(m->pidfd);
	free(argv);
	close(pair[1]);
	m->socket = pair[0];
	return err;
}

static void stop_process(struct match *m)
{
	if (m->socket >= 0)
		close(m->socket);
	if (m->pid > 0) {
		kill(m->pid, SIGKILL);
		waitpid(m->pid, NULL, 0);
	}
	if (m->pidfd >= 0) {
		self_forget(m->pidfd);
		close(m->pidfd);
	}
	m->socket = m->pidfd = -1;
	m->pid = 0;
	m->began = false;
	m->used = m->look.n = 0;
}

/* ---- what it introduces itself with ----------------------------------------- */

static void end_strings(struct rule *r)
{
	r->name[sizeof(r->name) - 1] = '\0';
	r->family[sizeof(r->family) - 1] = '\0';
	r->algorithm[sizeof(r->algorithm) - 1] = '\0';
	r->reference[sizeof(r->reference) - 1] = '\0';
	r->description[sizeof(r->description) - 1] = '\0';
	r->slow[sizeof(r->slow) - 1] = '\0';
}

/* Makes room for @more of @size in *@array. */
static int grow(void *array, size_t n, size_t *room, size_t more, size_t size,
		size_t max)
{
	void **a = array, *p;
	size_t want = *room ? *room : 64;

	if (n + more > max)
		return -EBADMSG;
	while (want < n + more)
		want *= 2;
	if (want == *room)
		return 0;
	p = realloc(*a, want * size);
	if (!p)
		return -ENOMEM;
	*a = p;
	*room = want;
	return 0;
}

static int add_rule(struct match *m)
{
	struct rule *r = &m->message.rule;
	int err = grow(&m->rules, m->n_rules, &m->rules_room, 1, sizeof(*r),
		       WIRE_RULES);

	if (err)
		return err;
	if (r->where >= WHERE_COUNT || r->severity > SEVERITY_HIGH)
		return -EBADMSG;
	end_strings(r);
	m->rules[m->n_rules++] = *r;
	return 0;
}

static int add_atoms(struct match *m)
{
	const struct wire_atoms *part = &m->message.atoms;
	int err = grow(&m->atoms, m->n_atoms, &m->atoms_room, part->n,
		       sizeof(*m->atoms), ATOMS_MAX);

	if (err)
		return err;
	memcpy(m->atoms + m->n_atoms, part->atom,
	       part->n * sizeof(*part->atom));
	m->n_atoms += part->n;
	return 0;
}

static int add_ready(struct match *m)
{
	m->ready = m->message.ready;
	m->ready.engine[sizeof(m->ready.engine) - 1] = '\0';
	m->ready.version[sizeof(m->ready.version) - 1] = '\0';
	if (m->ready.n_rules != m->n_rules || m->ready.n_atoms != m->n_atoms ||
	    m->ready.sets >= 1U << SET_COUNT)
		return -EBADMSG;
	return 0;
}

/* How it ended, for the message.  Its socket closes a moment before it can be
 * waited for; the caller reaps it. */
static const char *death(struct match *m, char *ret, size_t cap)
{
	struct pollfd p = { .fd = m->pidfd, .events = POLLIN };
	siginfo_t info = { 0 };

	if (poll(&p, 1, 1000) != 1 ||
	    waitid(P_PID, (id_t)m->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return "closed its socket";
	if (info.si_code == CLD_EXITED)
		snprintf(ret, cap, "ended with status %d", info.si_status);
	else
		snprintf(ret, cap, "was killed by signal %d (SIG%s)",
			 info.si_status, sigabbrev_np(info.si_status));
	return ret;
}

static int failed(struct match *m, int got, struct why *why)
{
	char how[64];

	if (got == -ETIMEDOUT)
		why_set(why, 0, "davylamp-match did not answer in time");
	else if (got == -EBADMSG)
		why_set(why, 0, "davylamp-match sent a message that does not "
				"belong here");
	else
		why_set(why, 0, "davylamp-match %s",
			death(m, how, sizeof(how)));
	return got ? got : -EPIPE;
}

static int learn(struct match *m, struct why *why)
{
	static int (*const take[WIRE_TYPES])(struct match *) = {
		[WIRE_RULE] = add_rule,
		[WIRE_ATOMS_PART] = add_atoms,
		[WIRE_READY] = add_ready,
	};

	m->n_rules = m->n_atoms = 0;
	for (;;) {
		int got = wire_receive(m->socket, &m->message, COMPILE_MS);
		uint32_t type = m->message.type;

		if (got == 1 && type == WIRE_REFUSED) {
			m->message.refused.text[511] = '\0';
			text_escape_str(m->message.refused.text, why->text,
					sizeof(why->text));
			return -EINVAL;
		}
		if (got == 1)
			got = take[type] ? take[type](m) ?: 1 : -EBADMSG;
		if (got != 1)
			return failed(m, got, why);
		if (type == WIRE_READY)
			return 0;
	}
}

/* ---- its life --------------------------------------------------------------- */

int match_new(const struct match_options *options, struct match **ret,
	      struct why *why)
{
	struct match *m = calloc(1, sizeof(*m));
	int err = -ENOMEM;

	if (!m)
		return err;
	m->options = *options;
	m->socket = m->pidfd = m->memfd = -1;
	m->hits = calloc(HITS_MAX, sizeof(*m->hits));
	if (m->hits)
		err = make_memory(m);
	if (!err)
		err = start_process(m, why);
	if (!err)
		err = learn(m, why);
	if (err && !why->text[0])
		why_set(why, err, "davylamp-match can not be started: %s",
			strerror(-err));
	if (err)
		match_free(m);
	else
		*ret = m;
	return err;
}

void match_free(struct match *m)
{
	if (!m)
		return;
	stop_process(m);
	if (m->memory)
		munmap(m->memory, WIRE_BYTES);
	if (m->memfd >= 0)
		close(m->memfd);
	free(m->rules);
	free(m->atoms);
	free(m->hits);
	free(m);
}

/* A fresh matcher for the next process.  Its rules must be the same: hits
 * and the prefilter refer to them. */
static int restart(struct match *m)
{
	struct why why = { "" };
	struct wire_ready was = m->ready;
	int err;

	stop_process(m);
	err = start_process(m, &why);
	if (!err)
		err = learn(m, &why);
	if (!err && strcmp(was.version, m->ready.version))
		err = -EBADMSG;
	return err;
}

const struct atom *match_atoms(const struct match *m, size_t *ret_n)
{
	*ret_n = m->n_atoms;
	return m->atoms;
}

const struct rule *match_rules(const struct match *m, size_t *ret_n)
{
	*ret_n = m->n_rules;
	return m->rules;
}

uint8_t match_sets(const struct match *m)
{
	return (uint8_t)m->ready.sets;
}

const char *match_engine(const struct match *m)
{
	return m->ready.engine;
}

const char *match_version(const struct match *m)
{
	return m->ready.version;
}

/* ---- one process -------------------------------------------------------------- */

static int ask(struct match *m, uint32_t type, size_t len, uint32_t answer,
	       struct why *why)
{
	int got = wire_send(m->socket, &m->message, type, len);

	if (!got)
		got = wire_receive(m->socket, &m->message, ANSWER_MS);
	else
		got = got == -EPIPE ? 0 : got;
	if (got == 1 && m->message.type == answer)
		return 0;
	return failed(m, got == 1 ? -EBADMSG : got, why);
}

static int flush(struct match *m, struct why *why)
{
	uint32_t n = m->look.n;
	int err;

	if (n == 0)
		return 0;
	memcpy(&m->message.look, &m->look, wire_look_size(n));
	m->look.n = 0;
	m->used = 0;
	m->began = true;
	err = ask(m, WIRE_LOOK, wire_look_size(n), WIRE_LOOKED, why);
	if (err && restart(m))
		why_set(why, err, "davylamp-match can not be started again");
	return err;
}

int match_look(struct match *m, struct mem *mem, const struct suspect *s,
	       struct why *why)
{
	for (uint64_t from = s->start; from < s->end;) {
		bool cut = s->end - from > WIRE_WINDOW;
		uint64_t to = cut ? from + WIRE_WINDOW : s->end;
		uint64_t at;
		ssize_t n;
		int err;

		if (m->look.n == WIRE_WINDOWS ||
		    m->used + WIRE_WINDOW > WIRE_BYTES) {
			err = flush(m, why);
			if (err)
				return err;
		}
		n = mem_stretch(mem, from, to, m->memory + m->used,
				WIRE_WINDOW, &at);
		if (n < 0)
			return (int)n;
		if (n == 0) { /* nothing resident in there */
			from = to;
			continue;
		}
		m->look.window[m->look.n++] = (struct wire_window){
			.address = at,
			.offset = (uint32_t)m->used,
			.len = (uint32_t)n,
			.sets = s->sets,
		};
		m->used += ((size_t)n + 63) / 64 * 64;
		from = at + (uint64_t)n;
		if (from == to && cut)
			from -= WIRE_SPAN;
	}
	return 0;
}

static int take_hit(struct match *m)
{
	const struct wire_hit *w = &m->message.hit;
	struct hit *h = &m->hits[m->n_hits];

	if (w->rule >= m->n_rules || w->n_strings > HIT_STRINGS ||
	    m->n_hits == HITS_MAX)
		return -EBADMSG;
	h->rule = &m->rules[w->rule];
	h->n_matches = w->n_matches;
	h->n_strings = w->n_strings;
	memcpy(h->strings, w->string, sizeof(h->strings));
	for (size_t i = 0; i < h->n_strings; i++) {
		struct hit_string *s = &h->strings[i];

		s->name[sizeof(s->name) - 1] = '\0';
		if (s->n_bytes > HIT_BYTES)
			return -EBADMSG;
	}
	m->n_hits++;
	return 0;
}

static int take_hits(struct match *m, struct why *why)
{
	int got = wire_send(m->socket, &m->message, WIRE_END, 0);

	m->n_hits = 0;
	for (got = got == -EPIPE ? 0 : got ?: 1; got == 1;) {
		got = wire_receive(m->socket, &m->message, ANSWER_MS);
		if (got == 1 && m->message.type == WIRE_DONE)
			break;
		if (got == 1)
			got = m->message.type == WIRE_HIT ? take_hit(m) ?: 1
							  : -EBADMSG;
	}
	if (got != 1)
		return failed(m, got, why);
	m->began = false;
	if (!m->message.done.incomplete)
		return 0;
	m->message.done.text[255] = '\0';
	text_escape_str(m->message.done.text, why->text, sizeof(why->text));
	return -ENODATA;
}

int match_end(struct match *m, const struct hit **ret, size_t *ret_n,
	      struct why *why)
{
	int err = flush(m, why);

	*ret = m->hits;
	*ret_n = 0;
	if (err || !m->began)
		return err;
	err = take_hits(m, why);
	if (err && err != -ENODATA) {
		m->n_hits = 0;
		restart(m);
		return err;
	}
	*ret_n = m->n_hits;
	return err;
}

void match_drop(struct match *m)
{
	struct why why;

	m->look.n = 0;
	m->used = 0;
	if (m->began && take_hits(m, &why) && m->began)
		restart(m);
	m->n_hits = 0;
}
