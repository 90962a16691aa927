/* builtin.h - the hash set that is built into davylamp (hashes/). */
#ifndef BUILTIN_H
#define BUILTIN_H

extern const unsigned char builtin_set[], builtin_set_end[];

#endif
