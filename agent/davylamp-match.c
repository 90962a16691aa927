/* davylamp-match - the process that runs libyara, and nothing else.
 *
 * Started by davylamp with a socket, the shared memory, and a file without a
 * name: the first one reads the rules and leaves their text there, so that
 * those that take its place have the same.  Then it reads only the windows
 * handed to it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "match_sandbox.h"
#include "match_scan.h"
#include "rules.h"
#include "wire.h"

struct matcher {
	struct match_scan *scan;
	const uint8_t *memory;
	struct wire_message in, out;
};

static int send_hit(void *user, struct wire_hit *hit)
{
	struct matcher *m = user;

	m->out.hit = *hit;
	return wire_send(WIRE_SOCKET, &m->out, WIRE_HIT, sizeof(*hit));
}

static int send_string(void *user, struct wire_string *string)
{
	struct matcher *m = user;

	m->out.string = *string;
	return wire_send(WIRE_SOCKET, &m->out, WIRE_STRING, sizeof(*string));
}

static int on_only(struct matcher *m)
{
	return match_scan_only(m->scan, &m->in.only);
}

static int on_look(struct matcher *m)
{
	int err = match_scan_look(m->scan, &m->in.look, m->memory);

	return err ?: wire_send(WIRE_SOCKET, &m->out, WIRE_LOOKED, 0);
}

static int on_end(struct matcher *m)
{
	struct wire_done done = { 0 };
	int err = match_scan_end(m->scan, &done);

	m->out.done = done;
	return err ?: wire_send(WIRE_SOCKET, &m->out, WIRE_DONE, sizeof(done));
}

/* All that the parent may ask.  Anything else ends this process. */
static int (*const handlers[WIRE_TYPES])(struct matcher *) = {
	[WIRE_ONLY] = on_only,
	[WIRE_LOOK] = on_look,
	[WIRE_END] = on_end,
};

static int serve(struct matcher *m)
{
	for (;;) {
		int got = wire_receive(WIRE_SOCKET, &m->in, -1);

		if (got <= 0)
			return got;
		if (!handlers[m->in.type])
			return -EBADMSG;
		got = handlers[m->in.type](m);
		if (got < 0)
			return got;
	}
}

static int send_rules(struct matcher *m, const struct rules *rules)
{
	struct wire_rules *part = &m->out.rules;
	uint32_t n = rules_count(rules);
	int err = 0;

	for (uint32_t i = 0; i < n && !err; i += part->n) {
		part->n = n - i < WIRE_RULES ? n - i : WIRE_RULES;
		for (uint32_t k = 0; k < part->n; k++)
			part->rule[k] = *rules_rule(rules, i + k);
		err = wire_send(WIRE_SOCKET, &m->out, WIRE_RULES_PART,
				wire_rules_size(part->n));
	}
	return err;
}

static int send_atoms(struct matcher *m, const struct rules *rules)
{
	size_t n;
	const struct atom *atoms = rules_atoms(rules, &n);

	for (size_t i = 0; i < n; i += WIRE_ATOMS) {
		uint32_t part = n - i < WIRE_ATOMS ? (uint32_t)(n - i)
						   : WIRE_ATOMS;
		int err;

		m->out.atoms.n = part;
		memcpy(m->out.atoms.atom, atoms + i, part * sizeof(*atoms));
		err = wire_send(WIRE_SOCKET, &m->out, WIRE_ATOMS_PART,
				wire_atoms_size(part));
		if (err)
			return err;
	}
	return 0;
}

static int introduce(struct matcher *m, const struct rules *rules)
{
	struct wire_ready ready = { .n_rules = rules_count(rules) };
	size_t n_atoms;
	int err = send_rules(m, rules);

	if (!err)
		err = send_atoms(m, rules);
	if (err)
		return err;
	rules_atoms(rules, &n_atoms);
	ready.n_atoms = (uint32_t)n_atoms;
	ready.every_page = rules_every_page(rules);
	snprintf(ready.engine, sizeof(ready.engine), "libyara %s", YR_VERSION);
	memcpy(ready.version, rules_version(rules), sizeof(ready.version));
	m->out.ready = ready;
	return wire_send(WIRE_SOCKET, &m->out, WIRE_READY, sizeof(ready));
}

static int refuse(struct matcher *m, int error, bool unable,
		  const struct why *why)
{
	m->out.refused.unable = unable;
	snprintf(m->out.refused.text, sizeof(m->out.refused.text), "%s",
		 why->text[0] ? why->text : strerror(-error));
	wire_send(WIRE_SOCKET, &m->out, WIRE_REFUSED, sizeof(m->out.refused));
	return error;
}

static int start(struct matcher *m, int argc, char **argv)
{
	static const struct option options[] = {
		{ "no-default-rules", no_argument, NULL, 'n' },
		{ "installed", required_argument, NULL, 'i' },
		{ "only", required_argument, NULL, 'o' },
		{ "anywhere", no_argument, NULL, 'a' },
		{ "yield", no_argument, NULL, 'y' },
		{ 0 },
	};
	struct match_scan_tell tell = { m, send_hit, NULL };
	const struct sched_param none = { 0 };
	struct rules_choice choice = { .kept = WIRE_KEPT };
	uint32_t kept = HIT_BYTES;
	bool yield = false;
	struct rules *rules;
	struct why why = { "" };
	int err;

	while ((err = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (err == 'n')
			choice.no_default = true;
		else if (err == 'i')
			choice.installed = optarg;
		else if (err == 'o')
			choice.only = optarg;
		else if (err == 'a')
			choice.anywhere = true;
		else if (err == 'y')
			yield = true;
		else
			return -EINVAL;
	}
	if (yield) /* but not yet: on a busy machine rules would take minutes */
		sched_setscheduler(0, SCHED_OTHER, &none);
	if (choice.only)
		tell.string = send_string;
	if (yr_initialize() != ERROR_SUCCESS ||
	    yr_set_configuration(YR_CONFIG_MAX_MATCH_DATA, &kept))
		return refuse(m, -ENOMEM, true, &why);
	err = rules_load((const char *const *)argv + optind,
			 (size_t)(argc - optind), &choice, &rules, &why);
	close(WIRE_KEPT);
	if (err)
		return refuse(m, err, err == -ENOMEM, &why);
	err = match_scan_new(rules, &tell, &m->scan);
	if (yield)
		sched_setscheduler(0, SCHED_IDLE, &none);
	if (!err)
		err = match_sandbox_enter(&why);
	return err ? refuse(m, err, true, &why) : introduce(m, rules);
}

int main(int argc, char **argv)
{
	static struct matcher m; /* large */
	int err;

	/* Ends with davylamp, and gains nothing by any exec. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (fcntl(WIRE_SOCKET, F_GETFD) < 0 ||
	    fcntl(WIRE_MEMORY, F_GETFD) < 0 || fcntl(WIRE_KEPT, F_GETFD) < 0) {
		fputs("davylamp-match is started by davylamp, not by hand; "
		      "try: davylamp scan\n", stderr);
		return 2;
	}
	m.memory = mmap(NULL, WIRE_BYTES, PROT_READ, MAP_SHARED, WIRE_MEMORY,
			0);
	if (m.memory == MAP_FAILED)
		return 4;
	err = start(&m, argc, argv);
	if (!err)
		err = serve(&m);
	return err ? 4 : 0;
}
