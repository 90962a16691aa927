/* sensor.h - what happens, as it happens.
 *
 * By BPF programs where the kernel allows it; else by the netlink process
 * connector; else by looking at /proc every few seconds.  What one way can not
 * tell it leaves out: netlink has EVENT_BORN only, polling that for new
 * processes only. */
#ifndef SENSOR_H
#define SENSOR_H

#include "flow.h"
#include "views.h"
#include "why.h"

/* A process counts once it has lived for this: others end unnoticed. */
#define SENSOR_SETTLE_MS 500

/* A process that makes code all the time (a JIT) is told once in this. */
#define SENSOR_CODE_QUIET_MS 30000

enum sensor_mode { SENSOR_BPF, SENSOR_NETLINK, SENSOR_POLLING };

enum event_kind {
	EVENT_BORN,    /* a process began, or began a program, and lives on */
	EVENT_CODE,    /* memory made executable that is no unchanged file's */
	EVENT_CONNECT, /* an outgoing TCP connection, tried at least */
	EVENT_NAME,    /* a DNS answer: a name and one address of it */
	EVENT_LOST,    /* something may have been missed: look at all soon */
	EVENT_KINDS
};

struct event {
	enum event_kind kind;
	pid_t pid;	      /* of the process; 0: unknown (NAME, LOST) */
	uint64_t start_ticks; /* with @pid: which process; 0: unknown */
	uint64_t at_ns;	      /* CLOCK_BOOTTIME, when it happened */
	uint64_t cgroup;      /* id in cgroup2 at that time; 0: unknown */
	struct peer peer;     /* CONNECT: whereto; NAME: the address */
	char name[PEER_NAME]; /* NAME: printable ASCII (dns.h) */
};

struct sensor_options {
	bool no_bpf, no_netlink; /* leave out that way */
	struct views *views;	 /* borrowed; NULL: /proc itself */
	bool measure; /* what the programs cost; needs CAP_SYS_ADMIN */
	/* For tests: so few that they overflow.  0: the usual. */
	uint32_t table_entries; /* processes that await their age */
	uint32_t ring_bytes;	/* a power of two, at least a page */
};

/* One of the BPF programs, in pairs of what it tells and how it goes. */
struct sensor_program {
	const char *name; /* "exec", "mprotect" */
	const char *how;  /* "tp_btf", "fentry", "kprobe"; "" if not at all */
	char why[256];	  /* it does not work; "" if it does */
	uint64_t runs, run_ns; /* in all; if measured */
};

#define SENSOR_PROGRAMS 8

struct sensor_state {
	enum sensor_mode mode;
	char why_no_bpf[256];	  /* "" if that is the mode */
	char why_no_netlink[256]; /* "" if that is the mode, or better */
	struct sensor_program programs[SENSOR_PROGRAMS]; /* mode BPF */
	size_t n_programs;
	uint64_t forks, execs, exits; /* of processes; polling: none */
	uint64_t events[EVENT_KINDS]; /* handed over */
	uint64_t missed;	      /* processes or code: led to EVENT_LOST */
	uint64_t dropped; /* connections and names, for want of room */
};

struct sensor;

/* Begins to listen, by the best way that works.  What was there before is no
 * event: call this first, then views_list().  0 or -errno with @why. */
int sensor_new(const struct sensor_options *, struct sensor **ret,
	       struct why *why);

void sensor_free(struct sensor *);

/* Readable when sensor_read() has something to do: a few times a second at
 * most.  Borrowed. */
int sensor_fd(const struct sensor *);

/* Hands over what is there, without blocking.  -errno: this way broke, the
 * next one is used from now on (EVENT_LOST was handed over; sensor_state()
 * says why). */
int sensor_read(struct sensor *, void (*take)(void *user, const struct event *),
		void *user);

/* As of now; valid until the next call. */
const struct sensor_state *sensor_state(struct sensor *);

/* "BPF", "netlink", "polling" */
const char *sensor_mode_name(enum sensor_mode);

#endif
