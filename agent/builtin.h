/* builtin.h - what is built into davylamp: the hash set (hashes/), the BPF
 * objects (bpf/); and how old the set and the rules are: an installed update
 * counts if its version is higher.  Raise the numbers with each release that
 * changes rules/ or hashes/; they are dates by custom. */
#ifndef BUILTIN_H
#define BUILTIN_H

#define BUILTIN_RULES_VERSION  UINT64_C(20261125)
#define BUILTIN_HASHES_VERSION UINT64_C(20261125)

extern const unsigned char builtin_set[], builtin_set_end[];
extern const unsigned char builtin_tasks[], builtin_tasks_end[];
extern const unsigned char builtin_sensor[], builtin_sensor_end[];

#endif
