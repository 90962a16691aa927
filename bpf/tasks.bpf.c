/* tasks.bpf.c - every thread there is, as the kernel's own list has it: what
 * is mounted over /proc or hooked into libc has no say. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "sensor.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct sensor_task r = {};

	if (!t)
		return 0;
	r.pid = (__u32)t->pid;
	r.tgid = (__u32)t->tgid;
	r.ppid = (__u32)t->real_parent->tgid;
	r.flags = t->flags;
	r.start_ns = t->start_boottime;
	r.cpu_ns = t->se.sum_exec_runtime;
	if (r.pid == r.tgid)
		r.ended_ns = t->signal->sum_sched_runtime;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
