/* What happens, and what that makes due: against sensors, a list of processes
 * and a clock that the test makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <string.h>
#include <cmocka.h>
#include "flow.h"

static uint64_t clock_ns;

uint64_t fake_now_ns(void);
uint64_t fake_now_ns(void)
{
	return clock_ns;
}

#define io_now_ns fake_now_ns
#include "service_events.c"
#undef io_now_ns

static struct event script[16];
static size_t n_script;
static struct seen census[64];
static size_t n_census;
static size_t n_asked; /* how often the dead were asked about */

int sensor_read(struct sensor *s, void (*take)(void *, const struct event *),
		void *user)
{
	(void)s;
	for (size_t i = 0; i < n_script; i++)
		take(user, &script[i]);
	n_script = 0;
	return 0;
}

int sensor_fd(const struct sensor *s)
{
	(void)s;
	return -1;
}

const struct sensor_state *sensor_state(struct sensor *s)
{
	static const struct sensor_state state;

	(void)s;
	return &state;
}

const char *sensor_mode_name(enum sensor_mode mode)
{
	(void)mode;
	return "";
}

int views_list(struct views *v, const struct seen **ret, size_t *ret_n)
{
	(void)v;
	*ret = census;
	*ret_n = n_census;
	return 0;
}

int record_end_gone(struct record *r,
		    bool (*alive)(void *user, pid_t pid, uint64_t start_ticks),
		    void *user, struct why *why)
{
	(void)r;
	(void)alive;
	(void)user;
	(void)why;
	n_asked++;
	return 0;
}

const char *service_why_degraded(const struct service *service)
{
	(void)service;
	return NULL;
}

void service_tell_degraded(struct service *service)
{
	(void)service;
}

void service_tell_manager(const struct service *service)
{
	(void)service;
}

void service_answer(struct service *service)
{
	(void)service;
}

void service_write_metrics(struct service *service)
{
	(void)service;
}

void log_say(int priority, const char *format, ...)
{
	(void)priority;
	(void)format;
}

/* ---- a service with nothing in it ------------------------------------ */

#define START (1000 * SECOND_NS)

static struct service s;

static int make(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	clock_ns = START;
	n_script = n_census = n_asked = 0;
	return queue_new(&s.queue) || service_net_new(&s.net);
}

static int drop(void **state)
{
	(void)state;
	queue_free(s.queue);
	service_net_free(s.net);
	return 0;
}

static struct event *event(enum event_kind kind, pid_t pid)
{
	struct event *e = &script[n_script++];

	*e = (struct event){ .kind = kind,
			     .pid = pid,
			     .start_ticks = (uint64_t)pid * 10,
			     .at_ns = clock_ns };
	return e;
}

static struct seen *there(pid_t pid)
{
	struct seen *p = &census[n_census++];

	*p = (struct seen){ .pid = pid, .start_ticks = (uint64_t)pid * 10 };
	return p;
}

static void happen(void)
{
	on_sensor(&s);
}

static struct target *known(pid_t pid)
{
	struct target *t = queue_find(s.queue, pid);

	assert_non_null(t);
	return t;
}

/* Seconds from the start at which it is due; -1: it is not. */
static double due_at(pid_t pid)
{
	const struct target *t = known(pid);

	if (!t->place[LANE_URGENT])
		return -1;
	return ((double)t->key[LANE_URGENT] - (double)START) / 1e9;
}

static void after(double seconds)
{
	clock_ns += (uint64_t)(seconds * 1e9);
}

/* As service_look() leaves it. */
static void look_at(pid_t pid)
{
	struct target *t = known(pid);

	queue_take(s.queue, t, LANE_URGENT);
	t->looked_ns = clock_ns;
	t->anew = false;
}

/* ---- tests ----------------------------------------------------------- */

static void what_begins_is_due_a_second_later(void **state)
{
	(void)state;
	event(EVENT_BORN, 7)->cgroup = 99;
	happen();
	assert_true(due_at(7) == 1);
	assert_int_equal(known(7)->newborn_looks, NEWBORN_LOOKS);
	assert_int_equal(known(7)->cgroup, 99);
}

static void another_program_is_a_new_beginning(void **state)
{
	(void)state;
	event(EVENT_BORN, 7);
	happen();
	look_at(7);
	known(7)->full_ns = clock_ns;
	known(7)->newborn_looks = 0;
	after(100);
	event(EVENT_BORN, 7);
	happen();
	assert_true(due_at(7) == 101);
	assert_int_equal(known(7)->full_ns, 0);
	assert_int_equal(known(7)->newborn_looks, NEWBORN_LOOKS);
}

/* A just-in-time compiler makes code all day: ever more rarely is it looked
 * at, but it is. */
static void deeds_make_due_ever_more_rarely(void **state)
{
	double last = 0, gap = 0;

	(void)state;
	for (int i = 0; i < 6; i++) {
		double at;

		event(EVENT_CODE, 7);
		happen();
		at = due_at(7);
		assert_true(at >= 1);
		assert_true(i == 0 || at - last >= gap);
		gap = i ? at - last : 0;
		last = at;
		clock_ns = START + (uint64_t)(at * 1e9);
		look_at(7);
	}
	assert_true(gap > 1000);
	assert_true(gap < 4 * 3600);
}

static void code_is_looked_at_however_idle_it_was(void **state)
{
	(void)state;
	event(EVENT_CODE, 7);
	happen();
	assert_true(known(7)->anew);
}

static void who_calls_a_pool_is_next(void **state)
{
	struct peer pool = { .family = AF_INET, .address = { 192, 0, 2, 1 } };
	struct event *e = event(EVENT_NAME, 0);

	(void)state;
	e->peer = pool;
	strcpy(e->name, "pool.example");
	happen();
	event(EVENT_CONNECT, 7)->peer = pool;
	happen();
	assert_true(due_at(7) == 0);
	assert_int_equal(known(7)->key[LANE_STEADY], 0);
	assert_true(known(7)->place[LANE_STEADY] != 0);
}

static void lost_events_make_all_due_within_a_minute(void **state)
{
	(void)state;
	for (pid_t pid = 1; pid <= 50; pid++)
		there(pid);
	service_census(&s);
	for (pid_t pid = 1; pid <= 50; pid++)
		if (known(pid)->place[LANE_URGENT])
			look_at(pid);
	there(51); /* that no event told of */
	after(5);
	event(EVENT_LOST, 0);
	happen();
	for (pid_t pid = 1; pid <= 51; pid++) {
		assert_true(due_at(pid) >= 5);
		assert_true(due_at(pid) <= 65);
	}
	assert_int_equal(s.counts.catch_ups, 1);
	assert_int_equal(s.counts.missed, 1);
}

static void what_the_census_lacks_is_forgotten(void **state)
{
	(void)state;
	there(1);
	there(2);
	service_census(&s);
	n_census = 1;
	after(10);
	service_census(&s);
	known(1);
	assert_null(queue_find(s.queue, 2));
	assert_int_equal(n_asked, 2);
	assert_true(is_alive(&s, 1, 10));
	assert_false(is_alive(&s, 1, 11)); /* another process's pid */
	assert_false(is_alive(&s, 2, 20));
}

static void kernel_threads_are_none(void **state)
{
	(void)state;
	there(2)->kernel = true;
	service_census(&s);
	assert_null(queue_find(s.queue, 2));
}

static void what_hides_is_due_at_once(void **state)
{
	struct seen *p = there(3);

	(void)state;
	service_census(&s);
	look_at(3);
	after(10);
	p->hidden = HIDDEN_MOUNT;
	service_census(&s);
	assert_true(due_at(3) == 10);
	assert_int_equal(s.counts.hidden, 1);
	look_at(3);
	after(10);
	service_census(&s);
	assert_true(due_at(3) == -1); /* once is enough */
}

/* Whole seconds of a core, ten seconds apart. */
static void use_cpu(struct seen *p, double share, int censuses)
{
	for (int i = 0; i < censuses; i++) {
		after(10);
		p->cpu_ns += (uint64_t)(share * 1e10);
		service_census(&s);
	}
}

static void sustained_work_makes_due(void **state)
{
	struct seen *p = there(3);

	(void)state;
	service_census(&s);
	look_at(3);
	use_cpu(p, 1, 1);
	assert_true(due_at(3) == -1); /* a moment of work is none */
	use_cpu(p, 1, 3);
	assert_true(due_at(3) >= 0);
	assert_true(known(3)->busy);
	assert_true(known(3)->place[LANE_STEADY] != 0);
	look_at(3);
	use_cpu(p, 1, 6);
	assert_true(due_at(3) == -1); /* known to be so */
	use_cpu(p, 0, 30);
	assert_false(known(3)->busy);
	use_cpu(p, 1, 4);
	assert_true(due_at(3) >= 0); /* again */
}

static void a_little_work_is_nothing(void **state)
{
	struct seen *p = there(3);

	(void)state;
	service_census(&s);
	look_at(3);
	use_cpu(p, 0.2, 60);
	assert_true(due_at(3) == -1);
	assert_true(known(3)->cpu_share > 0.19 && known(3)->cpu_share < 0.21);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(what_begins_is_due_a_second_later),
		TEST(another_program_is_a_new_beginning),
		TEST(deeds_make_due_ever_more_rarely),
		TEST(code_is_looked_at_however_idle_it_was),
		TEST(who_calls_a_pool_is_next),
		TEST(lost_events_make_all_due_within_a_minute),
		TEST(what_the_census_lacks_is_forgotten),
		TEST(kernel_threads_are_none),
		TEST(what_hides_is_due_at_once),
		TEST(sustained_work_makes_due),
		TEST(a_little_work_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
