/* peers.c - whom a process is connected to.
 *
 * Its descriptors say which sockets it has, by inode; the tables of its network
 * namespace say where each leads.  A table is read as it comes, for it can be
 * as long as a busy host has connections. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "io.h"
#include "peers.h"

#define FDS_MAX	    4096
#define TABLE_BYTES (8U << 20)
#define LINE_BYTES  512 /* real ones have 150 to 200 */

enum { ESTABLISHED = 1, SYN_SENT = 2, SYN_RECEIVED = 3 }; /* tcp_states.h */

/* ---- the list -------------------------------------------------------- */

void peers_normalize(struct peer *p)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (p->family != AF_INET6 || memcmp(p->address, mapped, 12))
		return;
	p->family = AF_INET;
	memmove(p->address, p->address + 12, 4);
	memset(p->address + 4, 0, 12);
	memmove(p->local, p->local + 12, 4);
	memset(p->local + 4, 0, 12);
}

static bool same_address(const struct peer *a, const struct peer *b)
{
	return a->family == b->family &&
	       !memcmp(a->address, b->address, a->family == AF_INET ? 4 : 16);
}

int peers_add(struct peers *all, const struct peer *peer)
{
	for (size_t i = 0; i < all->n; i++) {
		struct peer *p = &all->list[i];

		if (!same_address(p, peer) || p->port != peer->port ||
		    p->protocol != peer->protocol)
			continue;
		if (!p->local_port) { /* the event came before it was bound */
			p->local_port = peer->local_port;
			memcpy(p->local, peer->local, sizeof(p->local));
		}
		return (int)i;
	}
	if (all->n == PEERS_MAX) {
		all->more++;
		return -1;
	}
	all->list[all->n] = *peer;
	all->name[all->n][0] = '\0';
	return (int)all->n++;
}

void peers_name(struct peers *all, const struct peer *address, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (same_address(&all->list[i], address))
			snprintf(all->name[i], sizeof(all->name[i]), "%s",
				 name);
}

bool peers_is_remote(const struct peer *p)
{
	static const uint8_t one[16] = { [15] = 1 };

	return p->family == AF_INET ? p->address[0] != 127
				    : memcmp(p->address, one, 16) != 0;
}

const char *peers_address(uint16_t family, const uint8_t address[static 16],
			  char ret[static 46])
{
	if (!inet_ntop(family, address, ret, 46))
		snprintf(ret, 46, "unknown");
	return ret;
}

/* ---- a line ---------------------------------------------------------- */

/* "0100007F:1F90": each 32 bits of the address as the CPU's own number. */
static const char *get_end(const char *s, uint16_t family, uint8_t address[16],
			   uint16_t *port)
{
	size_t words = family == AF_INET ? 1 : 4;
	uint32_t word;
	int n;

	for (size_t i = 0; i < words; i++, s += 8) {
		if (strspn(s, "0123456789ABCDEFabcdef") < 8 ||
		    sscanf(s, "%8" SCNx32, &word) != 1)
			return NULL;
		memcpy(address + 4 * i, &word, 4);
	}
	if (sscanf(s, ":%4" SCNx16 "%n", port, &n) != 1)
		return NULL;
	return s + n;
}

int peers_parse(const char *line, uint16_t family, struct peer *ret,
		uint64_t *ret_inode, unsigned *ret_state)
{
	const char *s = strchr(line, ':'); /* "  0: " */
	struct peer p = { .family = family };
	uint64_t inode;
	unsigned state;

	if (!s || s[1] != ' ')
		return -EBADMSG;
	s = get_end(s + 2, family, p.local, &p.local_port);
	if (!s || *s != ' ')
		return -EBADMSG;
	s = get_end(s + 1, family, p.address, &p.port);
	if (!s || *s != ' ')
		return -EBADMSG;
	/* st queues timer:when retransmits uid timeout inode */
	if (sscanf(s, " %2x %*8x:%*8x %*2x:%*8x %*8x %*u %*d %" SCNu64, &state,
		   &inode) != 2 ||
	    state > 0xff) /* %x takes a sign, too */
		return -EBADMSG;
	*ret = p;
	*ret_inode = inode;
	*ret_state = state;
	return 0;
}

/* ---- the descriptors ------------------------------------------------- */

struct sockets {
	int fds; /* the directory */
	size_t seen;
	uint64_t inode[FDS_MAX];
	size_t n;
};

static int by_inode(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int take_descriptor(void *user, const char *name)
{
	struct sockets *s = user;
	unsigned long long inode;
	char link[64];

	if (name[0] != '.' &&
	    io_link_at(s->fds, name, link, sizeof(link)) > 0 &&
	    sscanf(link, "socket:[%llu]", &inode) == 1)
		s->inode[s->n++] = inode;
	return ++s->seen == FDS_MAX;
}

static void read_descriptors(const struct proc *p, struct sockets *s)
{
	s->fds = openat(p->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->seen = s->n = 0;
	if (s->fds < 0)
		return;
	io_each(s->fds, take_descriptor, s);
	close(s->fds);
	qsort(s->inode, s->n, sizeof(*s->inode), by_inode);
}

/* ---- the tables ------------------------------------------------------ */

static const struct table {
	const char *name;
	uint16_t family;
	uint8_t protocol;
} tables[] = {
	{ "net/tcp", AF_INET, IPPROTO_TCP },
	{ "net/tcp6", AF_INET6, IPPROTO_TCP },
	{ "net/udp", AF_INET, IPPROTO_UDP },
	{ "net/udp6", AF_INET6, IPPROTO_UDP },
};

static void take_line(const char *line, const struct table *t,
		      const struct sockets *s, struct peers *ret)
{
	struct peer p;
	uint64_t inode;
	unsigned state;

	if (peers_parse(line, t->family, &p, &inode, &state) || !p.port ||
	    (state != ESTABLISHED && state != SYN_SENT &&
	     state != SYN_RECEIVED) ||
	    !bsearch(&inode, s->inode, s->n, sizeof(inode), by_inode))
		return;
	p.protocol = t->protocol;
	peers_normalize(&p);
	peers_add(ret, &p);
}

static void read_table(const struct proc *proc, const struct table *t,
		       const struct sockets *s, struct peers *ret)
{
	int fd = openat(proc->dir, t->name, O_RDONLY | O_CLOEXEC);
	char buf[65536], line[LINE_BYTES];
	size_t all = 0, n = 0;
	ssize_t got;

	if (fd < 0)
		return;
	while (all < TABLE_BYTES && (got = read(fd, buf, sizeof(buf))) > 0) {
		all += (size_t)got;
		for (ssize_t i = 0; i < got; i++) {
			if (buf[i] != '\n') {
				if (n < sizeof(line) - 1)
					line[n++] = buf[i];
				continue;
			}
			line[n] = '\0';
			n = 0;
			take_line(line, t, s, ret);
		}
	}
	close(fd);
}

void peers_read(const struct proc *proc, struct peers *ret)
{
	struct sockets *s = malloc(sizeof(*s));

	memset(ret, 0, sizeof(*ret));
	if (!s)
		return;
	read_descriptors(proc, s);
	for (size_t i = 0; s->n && i < sizeof(tables) / sizeof(tables[0]); i++)
		read_table(proc, &tables[i], s, ret);
	free(s);
}
