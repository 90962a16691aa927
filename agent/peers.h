/* peers.h - whom a process is connected to. */
#ifndef PEERS_H
#define PEERS_H

#include "flow.h"

/* The TCP and connected UDP sockets that @proc has open, as /proc shows them;
 * sockets that listen are left out.  Bounded: 4096 descriptors, 8 MiB of each
 * table.  Never fails: what can not be read is not there. */
void peers_read(const struct proc *proc, struct peers *ret);

/* Adds @peer unless the same place is there already; counts it where there is
 * no room.  Returns its index, or -1. */
int peers_add(struct peers *, const struct peer *peer);

/* DNS gave @address (family and address count) this name. */
void peers_name(struct peers *, const struct peer *address, const char *name);

/* An IPv4 address in IPv6's clothes (::ffff:a.b.c.d) becomes AF_INET. */
void peers_normalize(struct peer *);

/* Is it another machine, which one could block?  Loopback is none. */
bool peers_is_remote(const struct peer *);

/* "192.0.2.1", "2001:db8::1"; at most INET6_ADDRSTRLEN (46) bytes. */
const char *peers_address(uint16_t family, const uint8_t address[static 16],
			  char ret[static 46]);

/* One line of /proc/net/tcp, udp (@family AF_INET) or tcp6, udp6 into *ret, its
 * socket's inode and its state (1: established).  -EBADMSG: no such line. */
int peers_parse(const char *line, uint16_t family, struct peer *ret,
		uint64_t *ret_inode, unsigned *ret_state);

#endif
