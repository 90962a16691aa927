/* sensor.h - what the programs of sensor.bpf.c and tasks.bpf.c hand to the
 * agent.  Included by both sides. */
#ifndef BPF_SENSOR_H
#define BPF_SENSOR_H

#ifndef KERNEL_H
#include <linux/types.h>
#endif

/* ---- counters, one line of cache for each CPU ------------------------ */

#define SENSOR_CPUS 256 /* a power of two; further CPUs share */

struct sensor_counters {
	__u64 forks, execs, exits; /* of processes, not of threads */
	__u64 code;		   /* memory made executable */
	__u64 connects, names;
	__u64 full; /* a table had no room: a process may be missed */
	__u64 lost; /* a ring had no room: a connection or name is */
};

/* All that is shared by memory: the only variable in .bss. */
struct sensor_shared {
	__u32 epoch; /* which table is written to: its lowest bit */
	__u32 pad[15];
	struct sensor_counters counters[SENSOR_CPUS];
};

/* ---- tables: what happened to a process ------------------------------ */

enum {
	SENSOR_FORK = 1,
	SENSOR_EXEC = 2,
	SENSOR_CODE = 4,
};

/* By the process's id.  An entry that its process outlives long enough is
 * taken by the agent, all others the kernel takes out as the process ends. */
struct sensor_entry {
	__u64 start_ns; /* of the process, CLOCK_BOOTTIME */
	__u64 at_ns;	/* of the fork or exec, else of the memory */
	__u64 cgroup;	/* id in cgroup2 */
	__u64 what;	/* SENSOR_* */
};

/* ---- rings ----------------------------------------------------------- */

struct sensor_connect {
	__u64 start_ns, at_ns, cgroup;
	__u32 pid;
	__u16 family, port; /* AF_*; host order */
	__u8 address[16];
};

#define SENSOR_ANSWER_BYTES 512 /* more of an answer is cut */

struct sensor_answer {
	__u64 at_ns, cgroup; /* of the receiving socket */
	__u32 len, pad;	     /* of @bytes, the DNS message */
	__u8 bytes[SENSOR_ANSWER_BYTES];
};

/* ---- the task iterator ----------------------------------------------- */

/* One thread. */
struct sensor_task {
	__u64 start_ns; /* CLOCK_BOOTTIME */
	__u64 cpu_ns;	/* its own */
	__u64 ended_ns; /* of threads of its process that ended */
	__u32 pid, tgid, ppid;
	__u32 flags; /* PF_*, linux/sched.h */
};

_Static_assert(sizeof(struct sensor_counters) == 64, "a line of cache");
_Static_assert(sizeof(struct sensor_shared) == 64 * (SENSOR_CPUS + 1),
	       "lines of cache");
_Static_assert(sizeof(struct sensor_entry) == 32, "no padding");
_Static_assert(sizeof(struct sensor_connect) == 48, "no padding");
_Static_assert(sizeof(struct sensor_answer) == 24 + SENSOR_ANSWER_BYTES,
	       "no padding");
_Static_assert(sizeof(struct sensor_task) == 40, "no padding");

#endif
