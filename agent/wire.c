/* wire.c - what davylamp and davylamp-match say to each other. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include "wire.h"

#define BODY offsetof(struct wire_message, rules)

size_t wire_look_size(uint32_t n)
{
	return offsetof(struct wire_look, window) +
	       n * sizeof(struct wire_window);
}

size_t wire_rules_size(uint32_t n)
{
	return offsetof(struct wire_rules, rule) + n * sizeof(struct rule);
}

size_t wire_atoms_size(uint32_t n)
{
	return offsetof(struct wire_atoms, atom) + n * sizeof(struct atom);
}

/* The size that a message must have; -1: there is no such message. */
static ssize_t size_of(const struct wire_message *m, size_t body)
{
	static const size_t fixed[WIRE_TYPES] = {
		[WIRE_READY] = sizeof(struct wire_ready),
		[WIRE_REFUSED] = sizeof(struct wire_refused),
		[WIRE_STRING] = sizeof(struct wire_string),
		[WIRE_ONLY] = sizeof(struct wire_only),
		[WIRE_HIT] = sizeof(struct wire_hit),
		[WIRE_DONE] = sizeof(struct wire_done),
	};

	switch (m->type) {
	case WIRE_RULES_PART:
		if (body < wire_rules_size(0) || m->rules.n > WIRE_RULES)
			return -1;
		return (ssize_t)wire_rules_size(m->rules.n);
	case WIRE_ATOMS_PART:
		if (body < wire_atoms_size(0) || m->atoms.n > WIRE_ATOMS)
			return -1;
		return (ssize_t)wire_atoms_size(m->atoms.n);
	case WIRE_LOOK:
		if (body < wire_look_size(0) || m->look.n > WIRE_WINDOWS)
			return -1;
		return (ssize_t)wire_look_size(m->look.n);
	default:
		if (m->type == 0 || m->type >= WIRE_TYPES)
			return -1;
		return (ssize_t)fixed[m->type];
	}
}

int wire_send(int socket, struct wire_message *m, uint32_t type, size_t len)
{
	m->type = type;
	if (send(socket, m, BODY + len, MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

int wire_receive(int socket, struct wire_message *ret, int timeout_ms)
{
	struct pollfd p = { .fd = socket, .events = POLLIN };
	ssize_t n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -ETIMEDOUT;
	n = recv(socket, ret, sizeof(*ret), MSG_TRUNC);
	if (n <= 0)
		return n && errno != ECONNRESET ? -errno : 0;
	if ((size_t)n < BODY || (size_t)n > sizeof(*ret) ||
	    size_of(ret, (size_t)n - BODY) != n - (ssize_t)BODY)
		return -EBADMSG;
	return 1;
}
