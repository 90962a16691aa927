/* sensor.bpf.c - what happens, noticed in the kernel.
 *
 * A fork, an exec, memory made executable: each puts an entry for its process
 * into a table, and the end of the process takes it out.  Only what is still
 * there after a while is looked at by the agent, so the short processes of a
 * build farm never wake it.
 *
 * There are two tables.  The agent empties the one that nobody writes to and
 * then says, by shared.epoch, that it be written to from now on: so nothing is
 * taken out while it is being changed, and no exec is lost.
 *
 * Connections and DNS answers go through rings, which the agent empties at its
 * own pace, too. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "sensor.h"

#define PF_KTHREAD	0x00200000 /* linux/sched.h */
#define TMPFS_MAGIC	0x01021994 /* linux/magic.h; memfd, too */
#define HUGETLBFS_MAGIC 0x958458f6
#define PROT_WRITE	2
#define PROT_EXEC	4
#define AF_INET		2
#define AF_INET6	10
#define TCP_SYN_SENT	2 /* net/tcp_states.h */
#define IPPROTO_TCP	6
#define IPPROTO_UDP	17
#define ETH_P_IP	0x0800
#define ETH_P_IPV6	0x86dd
#define DNS_PORT	53

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A connection of the same process to the same place is told once in this. */
const volatile __u64 quiet_ns = 60000000000ULL;

volatile struct sensor_shared shared;

/* Sizes are set by the agent (sensor_bpf.c). */
struct table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sensor_entry);
} even SEC(".maps"), odd SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} connects SEC(".maps"), answers SEC(".maps");

struct place {
	__u32 pid;
	__u16 family, port;
	__u8 address[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct place);
	__type(value, __u64);
} told SEC(".maps");

#define COUNT(field)                                                       \
	__sync_fetch_and_add(&shared.counters[bpf_get_smp_processor_id() & \
					      (SENSOR_CPUS - 1)]           \
				      .field,                              \
			     1)

/* ---- processes ------------------------------------------------------- */

static void *table_now(void)
{
	return shared.epoch & 1 ? (void *)&odd : (void *)&even;
}

static void *table_before(void)
{
	return shared.epoch & 1 ? (void *)&even : (void *)&odd;
}

static void put(__u32 tgid, __u64 what, __u64 start_ns, __u64 cgroup)
{
	struct sensor_entry e = {
		.start_ns = start_ns,
		.at_ns = bpf_ktime_get_boot_ns(),
		.cgroup = cgroup,
		.what = what,
	};

	if (bpf_map_update_elem(table_now(), &tgid, &e, BPF_ANY))
		COUNT(full);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 tgid = (__u32)child->tgid;

	if (child->pid != child->tgid || child->flags & PF_KTHREAD)
		return 0;
	COUNT(forks);
	put(tgid, SENSOR_FORK, child->start_boottime,
	    child->cgroups->dfl_cgrp->kn->id);
	return 0;
}

/* Whichever thread called exec is the leader by now, with its start time. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *p)
{
	__u32 tgid = (__u32)p->tgid;

	COUNT(execs);
	bpf_map_delete_elem(table_before(), &tgid);
	put(tgid, SENSOR_EXEC, p->start_boottime, p->cgroups->dfl_cgrp->kn->id);
	return 0;
}

/* Called by each thread; @live is 0 as the last one ends.  (Two that end at
 * the same time can both see that: then exits counts one too many.) */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *p)
{
	__u32 tgid = (__u32)p->tgid;

	if (p->flags & PF_KTHREAD || p->signal->live.counter)
		return 0;
	COUNT(exits);
	bpf_map_delete_elem(&even, &tgid);
	bpf_map_delete_elem(&odd, &tgid);
	return 0;
}

/* ---- memory made executable ------------------------------------------ */

static void put_code(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct task_struct *t;
	struct sensor_entry *e;

	COUNT(code);
	e = bpf_map_lookup_elem(table_now(), &tgid);
	if (e) {
		e->what |= SENSOR_CODE; /* the only bit that joins later */
		return;
	}
	t = (void *)bpf_get_current_task();
	put(tgid, SENSOR_CODE, BPF_CORE_READ(t, group_leader, start_boottime),
	    bpf_get_current_cgroup_id());
}

/* Can @file's pages differ from those of a named file on a disk? */
static bool is_no_plain_file(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	unsigned long magic = BPF_CORE_READ(inode, i_sb, s_magic);

	return !BPF_CORE_READ(inode, i_nlink) || magic == TMPFS_MAGIC ||
	       magic == HUGETLBFS_MAGIC;
}

static void mapped(struct file *file, unsigned long prot)
{
	if (!(prot & PROT_EXEC))
		return;
	if (!file || prot & PROT_WRITE || is_no_plain_file(file))
		put_code();
}

/* Private pages of a file's mapping (anon_vma) were written to. */
static void protected(struct vm_area_struct *vma, unsigned long prot)
{
	struct file *file;

	if (!(prot & PROT_EXEC))
		return;
	file = BPF_CORE_READ(vma, vm_file);
	if (!file || prot & PROT_WRITE || BPF_CORE_READ(vma, anon_vma) ||
	    is_no_plain_file(file))
		put_code();
}

SEC("fentry/security_mmap_file")
int BPF_PROG(on_mmap, struct file *file, unsigned long prot)
{
	mapped(file, prot);
	return 0;
}

SEC("fentry/security_file_mprotect")
int BPF_PROG(on_mprotect, struct vm_area_struct *vma, unsigned long asked,
	     unsigned long prot)
{
	protected(vma, prot);
	return 0;
}

/* Where there are no trampolines (arm64 before Linux 6.4). */
SEC("kprobe/security_mmap_file")
int BPF_KPROBE(on_mmap_kprobe, struct file *file, unsigned long prot)
{
	mapped(file, prot);
	return 0;
}

SEC("kprobe/security_file_mprotect")
int BPF_KPROBE(on_mprotect_kprobe, struct vm_area_struct *vma,
	       unsigned long asked, unsigned long prot)
{
	protected(vma, prot);
	return 0;
}

/* ---- connections ----------------------------------------------------- */

static bool is_told(struct place *p, __u64 now)
{
	__u64 *at = bpf_map_lookup_elem(&told, p);

	if (at && now - *at < quiet_ns)
		return true;
	bpf_map_update_elem(&told, p, &now, BPF_ANY);
	return false;
}

/* As the first packet is about to leave: still in the process that asked. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_connect, struct sock *sk, int before, int now)
{
	struct place p = {};
	struct task_struct *t;
	struct sensor_connect *r;
	__u64 at;

	if (now != TCP_SYN_SENT || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	COUNT(connects);
	p.pid = bpf_get_current_pid_tgid() >> 32;
	p.family = sk->__sk_common.skc_family;
	p.port = bpf_ntohs(sk->__sk_common.skc_dport);
	if (p.family == AF_INET6)
		BPF_CORE_READ_INTO(&p.address, sk, __sk_common.skc_v6_daddr);
	else
		*(__u32 *)p.address = sk->__sk_common.skc_daddr;
	at = bpf_ktime_get_boot_ns();
	if (is_told(&p, at))
		return 0;
	r = bpf_ringbuf_reserve(&connects, sizeof(*r), 0);
	if (!r) {
		COUNT(lost);
		return 0;
	}
	t = (void *)bpf_get_current_task();
	r->start_ns = BPF_CORE_READ(t, group_leader, start_boottime);
	r->at_ns = at;
	r->cgroup = bpf_get_current_cgroup_id();
	r->pid = p.pid;
	r->family = p.family;
	r->port = p.port;
	__builtin_memcpy(r->address, p.address, sizeof(p.address));
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* ---- DNS answers ----------------------------------------------------- */

struct udp {
	__be16 source, dest, len, check;
};

struct dns {
	__be16 id;
	__u8 flags, rcode;
	__be16 questions, answers, authorities, additional;
};

struct ip { /* without options, and the first port after it */
	__u8 words, rest[8], protocol, more[10];
	__be16 source;
};

/* Where UDP begins in @skb, 0 if it is none (or has headers in between), or by
 * its first look no answer: one call for nearly all packets there are. */
static __u32 udp_at(struct __sk_buff *skb)
{
	struct ip ip;
	__u8 next;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)) ||
		    ip.protocol != IPPROTO_UDP ||
		    (ip.words == 0x45 && ip.source != bpf_htons(DNS_PORT)))
			return 0;
		return (ip.words & 15) * 4;
	}
	if (skb->protocol == bpf_htons(ETH_P_IPV6) &&
	    !bpf_skb_load_bytes(skb, 6, &next, 1) && next == IPPROTO_UDP)
		return 40;
	return 0;
}

/* Every packet that a socket is about to get: all but answers leave at once. */
SEC("cgroup_skb/ingress")
int on_answer(struct __sk_buff *skb)
{
	struct sensor_answer *r;
	__u32 at = udp_at(skb);
	__u64 len;
	struct udp udp;
	struct dns dns;

	if (!at || bpf_skb_load_bytes(skb, at, &udp, sizeof(udp)) ||
	    udp.source != bpf_htons(DNS_PORT))
		return 1;
	at += sizeof(udp);
	if (bpf_skb_load_bytes(skb, at, &dns, sizeof(dns)) ||
	    !(dns.flags & 0x80) || dns.rcode & 15 || !dns.answers)
		return 1;
	COUNT(names);
	r = bpf_ringbuf_reserve(&answers, sizeof(*r), 0);
	if (!r) {
		COUNT(lost);
		return 1;
	}
	/* Bounds one by one: clang would fold them into a form in which the
	 * verifier does not see them. */
	len = skb->len - at;
	if (len > SENSOR_ANSWER_BYTES)
		len = SENSOR_ANSWER_BYTES;
	asm volatile("" : "+r"(len));
	if (len > SENSOR_ANSWER_BYTES)
		goto out;
	asm volatile("" : "+r"(len));
	if (len < sizeof(dns))
		goto out;
	if (bpf_skb_load_bytes(skb, at, r->bytes, (__u32)len))
		goto out;
	r->at_ns = bpf_ktime_get_boot_ns();
	r->cgroup = bpf_skb_cgroup_id(skb);
	r->len = (__u32)len;
	r->pad = 0;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 1;
out:
	bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
	return 1;
}
