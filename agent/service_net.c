/* service_net.c - whom processes called lately, and under which name.
 *
 * Two rings: the last calls and the last names, whoever made them.  A process
 * that calls without end drives out what others did; what they have open is
 * found in /proc all the same (peers.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "peers.h"
#include "service_net.h"

#define CALLS 1024
#define NAMES 512

struct call {
	pid_t pid; /* 0: none */
	uint64_t start_ticks;
	struct peer peer;
};

struct naming {
	struct peer address;
	char name[PEER_NAME]; /* "": none */
};

struct service_net {
	struct call calls[CALLS];
	struct naming names[NAMES];
	size_t next_call, next_name;
};

int service_net_new(struct service_net **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void service_net_free(struct service_net *n)
{
	free(n);
}

/* Words in the names of pools, and of who only sounds like one. */
bool service_net_is_pool(const char *name)
{
	static const char *const words[] = {
		"pool",	    "xmr",	 "monero",   "miner",
		"mining",   "nicehash",	 "hashvault", "unmineable",
		"cryptonote",
	};
	static const char *const others[] = { "ntp.org", "ntp.", "carpool" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcasestr(name, others[i]))
			return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(name, words[i]))
			return true;
	return false;
}

static bool same_address(const struct peer *a, const struct peer *b)
{
	return a->family == b->family &&
	       !memcmp(a->address, b->address, sizeof(a->address));
}

bool service_net_call(struct service_net *n, const struct event *e)
{
	n->calls[n->next_call++ % CALLS] =
		(struct call){ e->pid, e->start_ticks, e->peer };
	for (size_t i = 0; i < NAMES; i++)
		if (n->names[i].name[0] &&
		    same_address(&n->names[i].address, &e->peer) &&
		    service_net_is_pool(n->names[i].name))
			return true;
	return false;
}

void service_net_name(struct service_net *n, const struct event *e)
{
	struct naming *at = NULL;

	/* The latest name of an address is the one that counts. */
	for (size_t i = 0; i < NAMES && !at; i++)
		if (n->names[i].name[0] &&
		    same_address(&n->names[i].address, &e->peer))
			at = &n->names[i];
	if (!at)
		at = &n->names[n->next_name++ % NAMES];
	at->address = e->peer;
	snprintf(at->name, sizeof(at->name), "%s", e->name);
}

void service_net_add(const struct service_net *n, const struct proc *p,
		     struct peers *peers)
{
	for (size_t i = 0; i < CALLS; i++)
		if (n->calls[i].pid == p->pid &&
		    n->calls[i].start_ticks == p->start_ticks)
			peers_add(peers, &n->calls[i].peer);
	for (size_t i = 0; i < NAMES; i++)
		if (n->names[i].name[0])
			peers_name(peers, &n->names[i].address,
				   n->names[i].name);
}
