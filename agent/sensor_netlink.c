/* sensor_netlink.c - forks, execs and exits by the process connector
 * (drivers/connector/cn_proc.c): without BPF, but a message for each.
 *
 * A filter in the kernel passes processes only, no threads.  What forks or
 * execs waits in a table until it has lived long enough; its exit takes it
 * out.  (A leader that exits while other threads go on is taken out, too: its
 * CPU use and the next pass tell of it.) */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "io.h"
#include "proc.h"
#include "sensor_load.h"
#include "sensor_own.h"

#define PERIOD_MS 250
#define ENTRIES	  8192	     /* alive and younger than SENSOR_SETTLE_MS */
#define RECEIVE	  (16 << 20) /* bytes that may wait in the kernel */
#define BATCH	  64
#define BATCHES	  4096 /* at one go */

struct waiting {
	pid_t pid; /* 0: free */
	uint64_t at_ns;
};

struct netlink {
	int fd;
	struct waiting *table; /* by pid, the next free place if taken */
	uint32_t size, n;      /* size: a power of two, half of it used */
	bool lost;
	int64_t to_boottime_ns; /* from CLOCK_MONOTONIC: more after a suspend */
};

/* ---- the table ------------------------------------------------------- */

static uint32_t home(const struct netlink *l, pid_t pid)
{
	return (uint32_t)pid * 2654435761U & (l->size - 1);
}

static uint32_t place(const struct netlink *l, pid_t pid)
{
	uint32_t i = home(l, pid);

	while (l->table[i].pid && l->table[i].pid != pid)
		i = (i + 1) & (l->size - 1);
	return i;
}

static void put(struct netlink *l, struct sensor_way *w, pid_t pid,
		uint64_t at_ns)
{
	uint32_t i = place(l, pid);

	if (!pid) /* nobody's, and the mark of a free place */
		return;
	if (!l->table[i].pid) {
		if (l->n >= l->size / 2) {
			w->state->missed++;
			l->lost = true;
			return;
		}
		l->n++;
	}
	l->table[i] = (struct waiting){ pid, at_ns };
}

/* Closes the gap: what stands behind it and belongs before it moves up. */
static void take_out(struct netlink *l, uint32_t gap)
{
	uint32_t mask = l->size - 1;

	for (uint32_t i = (gap + 1) & mask; l->table[i].pid;
	     i = (i + 1) & mask) {
		uint32_t h = home(l, l->table[i].pid);

		if (((i - h) & mask) < ((i - gap) & mask))
			continue;
		l->table[gap] = l->table[i];
		gap = i;
	}
	l->table[gap].pid = 0;
	l->n--;
}

/* ---- messages -------------------------------------------------------- */

#define AT(field)                                          \
	((uint32_t)(NLMSG_HDRLEN + sizeof(struct cn_msg) + \
		    offsetof(struct proc_event, field)))
#define LOAD(field)    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT(field))
#define COPY_TO_X      BPF_STMT(BPF_MISC | BPF_TAX, 0)
#define IF(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(k), yes, no)

/* Passes execs, forks and exits of leaders, and the answer to our wish.
 * (Classic BPF loads words as from a network.) */
static int set_filter(int fd)
{
	struct sock_filter code[] = {
		/*  0 */ LOAD(what),
		/*  1 */ IF(PROC_EVENT_NONE, 11, 0),
		/*  2 */ IF(PROC_EVENT_EXEC, 10, 0),
		/*  3 */ IF(PROC_EVENT_FORK, 1, 0),
		/*  4 */ IF(PROC_EVENT_EXIT, 4, 9),
		/*  5 */ LOAD(event_data.fork.child_tgid),
		/*  6 */ COPY_TO_X,
		/*  7 */ LOAD(event_data.fork.child_pid),
		/*  8 */ BPF_STMT(BPF_JMP | BPF_JA, 3),
		/*  9 */ LOAD(event_data.exit.process_tgid),
		/* 10 */ COPY_TO_X,
		/* 11 */ LOAD(event_data.exit.process_pid),
		/* 12 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
		/* 13 */ BPF_STMT(BPF_RET | BPF_K, 0xffff),
		/* 14 */ BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof(program))
		       ? -errno
		       : 0;
}

static void take(struct netlink *l, struct sensor_way *w,
		 const struct proc_event *e)
{
	uint64_t at = e->timestamp_ns + (uint64_t)l->to_boottime_ns;
	uint32_t i;

	switch (e->what) {
	case PROC_EVENT_FORK:
		w->state->forks++;
		put(l, w, e->event_data.fork.child_tgid, at);
		break;
	case PROC_EVENT_EXEC: /* whichever thread called it */
		w->state->execs++;
		put(l, w, e->event_data.exec.process_tgid, at);
		break;
	case PROC_EVENT_EXIT:
		w->state->exits++;
		i = place(l, e->event_data.exit.process_tgid);
		if (l->table[i].pid)
			take_out(l, i);
		break;
	default:
		break;
	}
}

/* The event in a message, if it is one from the kernel.  It stands there at a
 * multiple of 4 bytes only. */
static bool get_event(const char *bytes, size_t len,
		      const struct sockaddr_nl *from, struct proc_event *ret)
{
	const struct nlmsghdr *h = (const void *)bytes;
	const struct cn_msg *m = NLMSG_DATA(h);

	if (from->nl_pid || len < AT(event_data) || m->id.idx != CN_IDX_PROC ||
	    m->id.val != CN_VAL_PROC)
		return false;
	len -= AT(what);
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, m->data, len < sizeof(*ret) ? len : sizeof(*ret));
	return true;
}

#define MESSAGE_BYTES 256

/* Up to BATCH messages; how many, or -errno. */
static int receive(struct netlink *l, struct sensor_way *w)
{
	_Alignas(8) static __thread char bytes[BATCH][MESSAGE_BYTES];
	struct sockaddr_nl from[BATCH];
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	int n;

	memset(m, 0, sizeof(m));
	for (int i = 0; i < BATCH; i++) {
		v[i] = (struct iovec){ bytes[i], MESSAGE_BYTES };
		m[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &v[i],
			.msg_iovlen = 1,
		};
	}
	n = recvmmsg(l->fd, m, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		struct proc_event e;

		if (get_event(bytes[i], m[i].msg_len, &from[i], &e))
			take(l, w, &e);
	}
	return n;
}

/* ---- the old enough -------------------------------------------------- */

static void tell_born(struct sensor_way *w, const struct waiting *waiting)
{
	struct event e = { .kind = EVENT_BORN,
			   .pid = waiting->pid,
			   .at_ns = waiting->at_ns };
	struct proc p;

	if (proc_identify(w->procfs, e.pid, &p) || p.kernel)
		return;
	e.start_ticks = p.start_ticks;
	w->tell(w->user, &e);
}

static void tell_settled(struct netlink *l, struct sensor_way *w)
{
	uint64_t now = io_now_ns();

	for (uint32_t i = 0; l->n && i < l->size;) {
		struct waiting old = l->table[i];

		if (!old.pid ||
		    now < old.at_ns + SENSOR_SETTLE_MS * SENSOR_MS) {
			i++;
			continue;
		}
		take_out(l, i); /* another may stand here now */
		tell_born(w, &old);
	}
}

static int64_t boottime_offset(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)io_now_ns() -
	       ((int64_t)t.tv_sec * 1000000000 + t.tv_nsec);
}

static int read_netlink(void *it, struct sensor_way *w)
{
	struct netlink *l = it;
	int n = 1;

	l->to_boottime_ns = boottime_offset();
	for (int i = 0; i < BATCHES && n > 0; i++) {
		n = receive(l, w);
		if (n == -ENOBUFS) { /* the kernel had no room for some */
			w->state->missed++;
			l->lost = true;
			n = 1;
		}
	}
	if (n < 0 && n != -EAGAIN && n != -EINTR)
		return n;
	tell_settled(l, w);
	if (l->lost) {
		struct event e = { .kind = EVENT_LOST, .at_ns = io_now_ns() };

		l->lost = false;
		w->tell(w->user, &e);
	}
	return 0;
}

/* ---- start ----------------------------------------------------------- */

static void close_netlink(void *it)
{
	struct netlink *l = it;

	if (l->fd >= 0)
		close(l->fd);
	free(l->table);
	free(l);
}

static int ask(int fd)
{
	_Alignas(8) char bytes[NLMSG_LENGTH(sizeof(struct cn_msg) +
					    sizeof(enum proc_cn_mcast_op))];
	const enum proc_cn_mcast_op op = PROC_CN_MCAST_LISTEN;
	struct nlmsghdr *h = (void *)bytes;
	struct cn_msg *m = NLMSG_DATA(h);

	memset(bytes, 0, sizeof(bytes));
	h->nlmsg_len = sizeof(bytes);
	h->nlmsg_type = NLMSG_DONE;
	m->id = (struct cb_id){ CN_IDX_PROC, CN_VAL_PROC };
	m->len = sizeof(op);
	memcpy(m->data, &op, sizeof(op));
	return send(fd, bytes, sizeof(bytes), 0) < 0 ? -errno : 0;
}

/* The kernel answers, or knows no such wish. */
static int await_answer(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct sockaddr_nl from = { .nl_pid = UINT32_MAX }; /* nobody */
	_Alignas(8) char bytes[MESSAGE_BYTES];

	for (int i = 0; i < 1000 && poll(&p, 1, 500) == 1; i++) {
		socklen_t len = sizeof(from);
		struct proc_event e;
		ssize_t n = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT,
				     (void *)&from, &len);

		if (n < 0 || !get_event(bytes, (size_t)n, &from, &e))
			continue;
		/* Other events: somebody listens already, so it works. */
		return e.what == PROC_EVENT_NONE ? -(int)e.event_data.ack.err
						 : 0;
	}
	return -EOPNOTSUPP;
}

static int connect_netlink(struct netlink *l)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK,
				 .nl_groups = CN_IDX_PROC };
	int size = RECEIVE, err;

	l->fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       NETLINK_CONNECTOR);
	if (l->fd < 0)
		return -errno;
	if (setsockopt(l->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	err = set_filter(l->fd);
	if (!err && bind(l->fd, (void *)&a, sizeof(a)))
		err = -errno;
	if (!err)
		err = ask(l->fd);
	return err ? err : await_answer(l->fd);
}

static int open_netlink(struct sensor_way *w, void **ret, struct why *why)
{
	struct netlink *l = calloc(1, sizeof(*l));
	int err = sensor_initial_pids(why);

	if (!l)
		return -ENOMEM;
	l->fd = -1;
	l->size = 2;
	while (l->size / 2 <
	       (w->o->table_entries ? w->o->table_entries : ENTRIES))
		l->size *= 2;
	l->table = calloc(l->size, sizeof(*l->table));
	if (!err) {
		err = l->table ? connect_netlink(l) : -ENOMEM;
		if (err)
			why_set(why, err, "%s: %s", strerror(-err),
				err == -EPERM || err == -EACCES
					? "needs CAP_NET_ADMIN"
					: "the kernel needs "
					  "CONFIG_PROC_EVENTS");
	}
	if (err)
		close_netlink(l);
	else
		*ret = l;
	return err;
}

const struct sensor_kind sensor_netlink = {
	PERIOD_MS, open_netlink, read_netlink, NULL, close_netlink,
};
