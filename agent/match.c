/* match.c - the privileged side of davylamp-match: its life. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "io.h"
#include "match_own.h"

/* ---- its memory ------------------------------------------------------ */

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
	m->kept =
		memfd_create("davylamp-rules", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return m->kept < 0 ? -errno : 0;
}

/* The first one wrote the rules' text, before it saw any byte of others; from
 * now on nobody can. */
static int keep_rules(struct match *m)
{
	return fcntl(m->kept, F_ADD_SEALS,
		     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
			       0
		       ? -errno
		       : 0;
}

/* ---- waiting for it -------------------------------------------------- */

int match_receive(struct match *m, int timeout_ms)
{
	const struct match_options *o = &m->options;

	if (!o->wait)
		return wire_receive(m->child.socket, &m->message, timeout_ms);
	if (!o->wait(o->user, m->child.socket,
		     io_now_ns() + (uint64_t)timeout_ms * 1000000))
		return -ECANCELED;
	return wire_receive(m->child.socket, &m->message, 0);
}

int match_failed(struct match *m, int got, struct why *why)
{
	char how[64];

	if (got == -ETIMEDOUT && m->deadline_ns &&
	    io_now_ns() >= m->deadline_ns)
		why_set(why, 0, "the time limit was reached");
	else if (got == -ETIMEDOUT)
		why_set(why, 0, "davylamp-match did not answer in time");
	else if (got == -ECANCELED)
		why_set(why, 0, "davylamp was told to stop");
	else if (got == -EBADMSG)
		why_set(why, 0,
			"davylamp-match sent a message that does not "
			"belong here");
	else
		why_set(why, 0, "davylamp-match %s",
			match_child_death(&m->child, how, sizeof(how)));
	return got ? got : -EPIPE;
}

/* ---- its life -------------------------------------------------------- */

static int choose_default(struct match *m, struct why *why)
{
	int err;

	if (m->options.no_default_rules || m->options.installed)
		return 0;
	err = installed_find(INSTALLED_RULES, &m->installed, why);
	if (!err && m->installed.path[0])
		m->options.installed = m->installed.path;
	return err;
}

int match_new(const struct match_options *options, struct match **ret,
	      struct why *why)
{
	struct match *m = calloc(1, sizeof(*m));
	int err = -ENOMEM;

	if (!m)
		return err;
	m->options = *options;
	m->answer_ms = MATCH_ANSWER_MS;
	m->shown_all = m->told = true;
	m->child = MATCH_CHILD_NONE;
	m->memfd = m->kept = -1;
	m->hits = calloc(MATCH_HITS_MAX, sizeof(*m->hits));
	if (m->hits)
		err = choose_default(m, why);
	if (!err)
		err = make_memory(m);
	if (!err)
		err = match_child_start(&m->child, &m->options, m->memfd,
					m->kept, why);
	if (!err)
		err = match_learn(m, why);
	if (!err)
		err = keep_rules(m);
	if (err && !why->text[0])
		why_set(why, err, "davylamp-match can not be started: %s",
			strerror(-err));
	if (err)
		match_free(m);
	else
		*ret = m;
	return err;
}

struct match_work match_work(const struct match *m)
{
	return m->work;
}

void match_stop(struct match *m)
{
	match_child_stop(&m->child);
	m->began = false;
	m->used = m->look.n = 0;
}

void match_free(struct match *m)
{
	if (!m)
		return;
	match_stop(m);
	if (m->memory)
		munmap(m->memory, WIRE_BYTES);
	if (m->memfd >= 0)
		close(m->memfd);
	if (m->kept >= 0)
		close(m->kept);
	free(m->rules);
	free(m->atoms);
	free(m->shown);
	free(m->hits);
	free(m->strings);
	free(m);
}

int match_restart(struct match *m)
{
	struct why why = { "" };
	struct wire_ready was = m->ready;
	int err;

	match_stop(m);
	err = match_child_start(&m->child, &m->options, m->memfd, m->kept,
				&why);
	if (!err)
		err = match_learn(m, &why);
	if (!err && strcmp(was.version, m->ready.version))
		err = why_set(&why, -EBADMSG, "it has other rules");
	if (err) { /* not this one; the next process has another try */
		match_stop(m);
		m->ready = was;
	}
	if (err && !why.text[0])
		why_set(&why, err, "%s", strerror(-err));
	m->down = why;
	m->told = m->n_culprits == 0;
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

uint8_t match_every_page(const struct match *m)
{
	return (uint8_t)m->ready.every_page;
}

const char *match_engine(const struct match *m)
{
	return m->ready.engine;
}

const char *match_version(const struct match *m)
{
	return m->ready.version;
}

const struct installed *match_default(const struct match *m)
{
	return &m->installed;
}

const char *match_down(const struct match *m)
{
	return m->down.text[0] ? m->down.text : NULL;
}

uint64_t match_cpu_ns(const struct match *m)
{
	struct timespec t;
	clockid_t clock;

	if (!m || m->child.pid <= 0 ||
	    clock_getcpuclockid(m->child.pid, &clock) ||
	    clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}
