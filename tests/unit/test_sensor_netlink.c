/* What the kernel's messages become, over clocks and a socket of the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <time.h>

int their_clock(clockid_t clock, struct timespec *ret);
int their_messages(int fd, struct mmsghdr *m, unsigned n, int flags,
		   struct timespec *timeout);

#define clock_gettime their_clock
#define recvmmsg      their_messages
#include "sensor_netlink.c"
#undef clock_gettime
#undef recvmmsg

static uint64_t slept_ns; /* by which CLOCK_MONOTONIC is behind */
static bool forked;	  /* one message waits */

static uint64_t monotonic(void)
{
	return io_now_ns() - slept_ns;
}

int their_clock(clockid_t clock, struct timespec *ret)
{
	(void)clock;
	ret->tv_sec = (time_t)(monotonic() / 1000000000);
	ret->tv_nsec = (long)(monotonic() % 1000000000);
	return 0;
}

/* A process that began just now. */
int their_messages(int fd, struct mmsghdr *m, unsigned n, int flags,
		   struct timespec *timeout)
{
	struct proc_event e = { .what = PROC_EVENT_FORK,
				.timestamp_ns = monotonic() };
	struct nlmsghdr *h = m->msg_hdr.msg_iov->iov_base;
	struct cn_msg *c = NLMSG_DATA(h);
	struct sockaddr_nl *from = m->msg_hdr.msg_name;

	(void)fd;
	(void)n;
	(void)flags;
	(void)timeout;
	if (!forked) {
		errno = EAGAIN;
		return -1;
	}
	forked = false;
	e.event_data.fork.child_tgid = e.event_data.fork.child_pid = 1234;
	from->nl_pid = 0;
	c->id = (struct cb_id){ CN_IDX_PROC, CN_VAL_PROC };
	memcpy(c->data, &e, sizeof(e));
	m->msg_len = AT(what) + sizeof(e);
	return 1;
}

/* The machine slept between the start and now: what begins is new all the
 * same. */
static void a_suspend_ages_nobody(void **state)
{
	struct waiting table[32] = { { 0 } };
	struct netlink l = { .table = table, .size = 32 };
	struct sensor_state s = { 0 };
	struct sensor_way w = { .state = &s };
	uint64_t before;

	(void)state;
	l.to_boottime_ns = boottime_offset();
	for (unsigned i = 0; i < 3; i++) { /* it runs no longer than since boot */
		slept_ns = io_now_ns() / 4 * i;
		forked = true;
		before = io_now_ns();
		assert_int_equal(read_netlink(&l, &w), 0);
		assert_int_equal(l.n, 1);
		/* The clocks are read one after the other. */
		assert_in_range(table[place(&l, 1234)].at_ns,
				before - 1000000000, io_now_ns() + 1000000000);
		take_out(&l, place(&l, 1234));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_suspend_ages_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
