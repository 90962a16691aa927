/* kernel.h - the few fields of the kernel that our programs read, in place of
 * a generated vmlinux.h.
 *
 * Each struct is found by its name and each field by its own in the running
 * kernel's BTF as the program is loaded (CO-RE): order, size and what is left
 * out do not matter. */
#ifndef KERNEL_H
#define KERNEL_H

/* For bpf_tracing.h: registers are called as in the kernel. */
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;

#define NULL ((void *)0)
#define true 1
#define false 0

/* include/uapi/linux/bpf.h */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
enum { BPF_F_MMAPABLE = 1U << 10 };
enum { BPF_RB_NO_WAKEUP = 1 };

struct __sk_buff {
	__u32 len, pkt_type, mark, queue_mapping, protocol;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

/* ---- processes ------------------------------------------------------- */

typedef struct {
	int counter;
} atomic_t;

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp; /* in cgroup2 */
};

struct sched_entity {
	__u64 sum_exec_runtime;
};

struct signal_struct {
	atomic_t live;
	unsigned long long sum_sched_runtime; /* of threads that ended */
};

struct task_struct {
	unsigned int flags;
	int pid, tgid;
	__u64 start_boottime;
	struct task_struct *real_parent, *group_leader;
	struct sched_entity se;
	struct signal_struct *signal;
	struct css_set *cgroups;
};

struct linux_binprm;

/* ---- memory ---------------------------------------------------------- */

struct super_block {
	unsigned long s_magic;
};

struct inode {
	const unsigned int i_nlink;
	struct super_block *i_sb;
};

struct file {
	struct inode *f_inode;
};

struct anon_vma;

struct vm_area_struct {
	struct file *vm_file;
	struct anon_vma *anon_vma;
};

/* ---- network --------------------------------------------------------- */

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be16 skc_dport;
	unsigned short skc_family;
	struct in6_addr skc_v6_daddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
};

/* ---- iterators, registers -------------------------------------------- */

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct pt_regs {
	unsigned long di, si, dx; /* x86 */
};

struct user_pt_regs { /* arm64 */
	__u64 regs[31];
};

#pragma clang attribute pop

#endif
