/* dns.h - what a DNS answer says of addresses. */
#ifndef DNS_H
#define DNS_H

#include <stddef.h>
#include <stdint.h>

#define DNS_NAME 256 /* with its NUL */

/* Calls @take for each address (AF_INET: 4 bytes, AF_INET6: 16) that the
 * message (RFC 1035) gives the name that was asked for, over aliases (CNAME),
 * too.  @name has lower-case letters, digits, '-', '_' and '.' only; other
 * bytes are written \DDD.  Any bytes may be given, a cut message as well: what
 * can not be read ends it.  Returns how many were taken. */
size_t dns_answers(const uint8_t *message, size_t len,
		   void (*take)(void *user, const char *name, int family,
				const uint8_t *address),
		   void *user);

#endif
