/* builtin.h - the hash set that is built into davylamp (hashes/), and how old
 * it and the rules are: an installed update counts if its version is higher.
 * Raise the numbers with each release that changes rules/ or hashes/; they are
 * dates by custom. */
#ifndef BUILTIN_H
#define BUILTIN_H

#define BUILTIN_RULES_VERSION  UINT64_C(20261125)
#define BUILTIN_HASHES_VERSION UINT64_C(20261125)

extern const unsigned char builtin_set[], builtin_set_end[];

#endif
