/* What the BPF programs hand over: the first byte says of which kind, records
 * of that follow.  -lbpf */
#include <assert.h>
#include "io.c"
#include "dns.c"
#include "peers.c"
#include "sensor_code.c"
#include "sensor_bpf.c"
#include "sensor_tasks.c"

const unsigned char builtin_tasks[1], builtin_tasks_end[1];

/* In place of what loads programs. */
int sensor_load_possible(struct why *why)
{
	return why_set(why, -EPERM, "not here");
}

int sensor_load_open(const void *bytes, size_t len, struct bpf_object **ret,
		     struct why *why)
{
	(void)bytes;
	(void)len;
	(void)ret;
	return sensor_load_possible(why);
}

int sensor_load(struct bpf_object *o, char ret_refused[static 64],
		struct why *why)
{
	(void)o;
	ret_refused[0] = '\0';
	return sensor_load_possible(why);
}

struct bpf_link *sensor_attach(struct bpf_program *p, int cgroup,
			       struct why *why)
{
	(void)p;
	(void)cgroup;
	sensor_load_possible(why);
	return NULL;
}

int sensor_programs_load(struct sensor_programs *p,
			 const struct sensor_options *o, struct sensor_state *s,
			 struct why *why)
{
	(void)p;
	(void)o;
	(void)s;
	return sensor_load_possible(why);
}

int sensor_programs_attach(struct sensor_programs *p, struct sensor_state *s,
			   struct why *why)
{
	(void)p;
	(void)s;
	return sensor_load_possible(why);
}

void sensor_programs_close(struct sensor_programs *p)
{
	(void)p;
}

uint64_t sensor_programs_misses(const struct sensor_programs *p)
{
	(void)p;
	return 0;
}

void sensor_programs_cost(const struct sensor_programs *p,
			  struct sensor_state *s)
{
	(void)p;
	(void)s;
}

static void told(void *user, const struct event *e)
{
	(void)user;
	assert(e->kind < EVENT_LOST);
	assert(memchr(e->name, 0, sizeof(e->name)));
	for (const char *s = e->name; *s; s++)
		assert(*s > ' ' && *s < 0x7f);
	assert(!e->name[0] == (e->kind != EVENT_NAME));
}

static void entry(struct bpf *b, const void *record)
{
	struct sensor_entry s;
	uint32_t pid;

	memcpy(&pid, record, sizeof(pid));
	memcpy(&s, (const char *)record + sizeof(pid), sizeof(s));
	tell_entry(b, pid, &s);
}

static void tasks(const uint8_t *data, size_t len)
{
	struct sensor_tasks t = { .tick_ns = 10000000 };

	for (; len >= sizeof(struct sensor_task);
	     data += sizeof(struct sensor_task),
	     len -= sizeof(struct sensor_task)) {
		struct sensor_task k;

		memcpy(&k, data, sizeof(k));
		assert(!take(&t, &k));
	}
	merge(&t);
	for (size_t i = 1; i < t.n; i++)
		assert(t.list[i - 1].pid < t.list[i].pid);
	free(t.list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct sensor_way way = { .tick_ns = 10000000, .tell = told };
	static const size_t sizes[] = { sizeof(struct sensor_connect),
					sizeof(struct sensor_answer),
					4 + sizeof(struct sensor_entry) };
	struct bpf b = { .way = &way };
	unsigned kind;

	if (!len)
		return 0;
	kind = *data++ % 4;
	len--;
	if (kind == 3) {
		tasks(data, len);
		return 0;
	}
	if (sensor_code_new(&b.code))
		abort();
	while (len) {
		size_t n = len < sizes[kind] ? len : sizes[kind];
		void *record = malloc(n); /* its end is watched */

		memcpy(record, data, n);
		if (kind == 0)
			on_ring_connect(&b, record, n);
		else if (kind == 1)
			on_ring_answer(&b, record, n);
		else if (n == sizes[2])
			entry(&b, record);
		free(record);
		data += n;
		len -= n;
	}
	sensor_code_free(b.code);
	return 0;
}
