/* rules_generic.h - does a rule look for nothing but what everybody has?
 *
 * Tables and constants of ciphers, hashes and checksums stand in OpenSSL, in
 * libsodium, in every browser and in the kernel's vDSO: a rule that is content
 * with one of them finds them all.  Computed, not stored: they have their
 * definitions in FIPS 197, 180-4 and 202, RFC 7693 and 8439, and ISO 3309.
 *
 * Linked into davylamp-match only. */
#ifndef RULES_GENERIC_H
#define RULES_GENERIC_H

#include <yara.h>

/* The name of such a constant if every string of @rule is one; else NULL. */
const char *rules_generic(const YR_RULE *rule);

#endif
