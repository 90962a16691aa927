/* builtin.h - what is built into davylamp: the hash set (hashes/), the BPF
 * objects (bpf/). */
#ifndef BUILTIN_H
#define BUILTIN_H

extern const unsigned char builtin_set[], builtin_set_end[];
extern const unsigned char builtin_tasks[], builtin_tasks_end[];
extern const unsigned char builtin_sensor[], builtin_sensor_end[];

#endif
