/* The process connector's messages, from the kernel or from whoever else may
 * send: for each a byte for its length and one for its sender, then itself. */
#include <assert.h>
#include "sensor_netlink.c"

int proc_identify(int procfs, pid_t pid, struct proc *ret)
{
	*ret = (struct proc){ .pid = pid, .start_ticks = 1 };
	return procfs < 0 ? -ESRCH : 0;
}

uint64_t io_now_ns(void)
{
	static uint64_t now;

	return now += 100 * SENSOR_MS;
}

int sensor_initial_pids(struct why *why)
{
	(void)why;
	return 0;
}

static void told(void *user, const struct event *e)
{
	(void)user;
	assert(e->kind == EVENT_BORN && e->pid);
}

/* Each stands where it is looked for. */
static void check(const struct netlink *l)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->size; i++)
		if (l->table[i].pid) {
			n++;
			assert(place(l, l->table[i].pid) == i);
		}
	assert(n == l->n && n <= l->size / 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct waiting table[32];
	struct netlink l = { .table = table, .size = 32 };
	struct sensor_state state = { 0 };
	struct sensor_way w = { .state = &state, .tell = told };

	memset(table, 0, sizeof(table));
	while (len > 2) {
		struct sockaddr_nl from = { .nl_pid = data[1] == 0xff };
		size_t n = data[0] < len - 2 ? data[0] : len - 2;
		struct proc_event e;
		/* As large as what recvmmsg() fills. */
		char *bytes = malloc(MESSAGE_BYTES);

		memcpy(bytes, data + 2, n);
		if (get_event(bytes, n, &from, &e)) {
			assert(!from.nl_pid);
			take(&l, &w, &e);
		}
		free(bytes);
		check(&l);
		if (data[1] & 1)
			tell_settled(&l, &w);
		check(&l);
		data += n + 2;
		len -= n + 2;
	}
	return 0;
}
