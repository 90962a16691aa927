#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/magic.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include "child.h"
#include "io.h"
#include "sensor.h"
#include "sensor_code.h"
#include "tiny.h"

#define SECOND 1000000000ULL

/* ---- listening ------------------------------------------------------- */

/* What to wait for; 0 and "" fit any. */
struct want {
	enum event_kind kind;
	pid_t pid;
	uint16_t port;
	const char *name;
};

struct ear {
	struct sensor *s;
	const struct want *want;
	bool heard;
	struct event e;
	size_t born; /* in all */
};

static bool fits(const struct want *w, const struct event *e)
{
	return e->kind == w->kind && (!w->pid || e->pid == w->pid) &&
	       (!w->port || e->peer.port == w->port) &&
	       (!w->name || !strcmp(w->name, e->name));
}

static void hear(void *user, const struct event *e)
{
	struct ear *ear = user;

	ear->born += e->kind == EVENT_BORN;
	if (ear->want && !ear->heard && fits(ear->want, e)) {
		ear->heard = true;
		ear->e = *e;
	}
}

/* Reads for so long, or until @want comes. */
static bool listen_for(struct ear *ear, const struct want *want,
		       unsigned seconds)
{
	uint64_t end = io_now_ns() + seconds * SECOND;

	ear->want = want;
	ear->heard = false;
	while (!ear->heard && io_now_ns() < end) {
		struct pollfd p = { sensor_fd(ear->s), POLLIN, 0 };

		poll(&p, 1, 100);
		assert_int_equal(sensor_read(ear->s, hear, ear), 0);
	}
	return ear->heard;
}

static struct sensor *sensor(struct sensor_options o)
{
	struct why why = { "" };
	struct sensor *s = NULL;

	assert_int_equal(sensor_new(&o, &s, &why), 0);
	return s;
}

static struct ear ear(void)
{
	struct sensor_options o = { 0 };

	return (struct ear){ .s = sensor(o) };
}

/* Needs BPF here; else says why not and skips. */
static struct ear bpf_ear(struct sensor_options o)
{
	struct ear e = { .s = sensor(o) };
	const struct sensor_state *s = sensor_state(e.s);

	if (s->mode != SENSOR_BPF) {
		printf("no BPF: %s\n", s->why_no_bpf);
		sensor_free(e.s);
		skip();
	}
	return e;
}

/* Needs that program, too. */
static struct ear ear_with(const char *program)
{
	struct ear e = bpf_ear((struct sensor_options){ 0 });
	const struct sensor_state *s = sensor_state(e.s);

	for (size_t i = 0; i < s->n_programs; i++)
		if (!strcmp(s->programs[i].name, program) &&
		    !s->programs[i].how[0]) {
			printf("no %s: %s\n", program, s->programs[i].why);
			sensor_free(e.s);
			skip();
		}
	return e;
}

static void check_born(struct ear *e, pid_t pid, unsigned seconds)
{
	const struct want want = { .kind = EVENT_BORN, .pid = pid };
	struct proc p = child_proc(pid);
	uint64_t now;

	assert_true(listen_for(e, &want, seconds));
	now = io_now_ns();
	assert_int_equal(e->e.start_ticks, p.start_ticks);
	assert_in_range(e->e.at_ns, p.start_ticks * 10000000, now);
	proc_close(&p);
}

/* ---- processes ------------------------------------------------------- */

static void exec_sleep(void *user)
{
	(void)user;
	execlp("sleep", "sleep", "60", NULL);
	_exit(1);
}

static void *thread_body(void *user)
{
	((void (*)(void *))user)(NULL);
	return NULL;
}

static void exec_in_thread(void *user)
{
	pthread_t t;

	(void)user;
	pthread_create(&t, NULL, thread_body, (void *)exec_sleep);
	pthread_join(t, NULL);
	_exit(1);
}

static void wait_long(void *user)
{
	(void)user;
	sleep(60);
}

/* The leader ends; a thread goes on. */
static void leader_ends(void *user)
{
	pthread_t t;

	(void)user;
	pthread_create(&t, NULL, thread_body, (void *)wait_long);
	syscall(SYS_exit, 0); /* pthread_exit() wants libgcc_s */
}

static pid_t start(void (*body)(void *))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	body(NULL);
	_exit(1);
}

static void check_start(struct ear *e, void (*body)(void *), unsigned seconds)
{
	pid_t pid = start(body);

	check_born(e, pid, seconds);
	child_end(pid);
}

static void test_fork(void **state)
{
	struct ear e = ear();

	(void)state;
	check_start(&e, wait_long, 10);
	sensor_free(e.s);
}

static void test_exec(void **state)
{
	struct ear e = ear();

	(void)state;
	check_start(&e, exec_sleep, 10);
	sensor_free(e.s);
}

/* A program begun by a process that we know already. */
static void test_exec_later(void **state)
{
	struct ear e = bpf_ear((struct sensor_options){ 0 });
	int go[2];
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (!pid) {
		if (read(go[0], &c, 1) == 1)
			exec_sleep(NULL);
		_exit(1);
	}
	check_born(&e, pid, 5);
	assert_int_equal(write(go[1], "", 1), 1);
	check_born(&e, pid, 5);
	child_end(pid);
	close(go[0]);
	close(go[1]);
	sensor_free(e.s);
}

static void test_exec_by_thread(void **state)
{
	struct ear e = ear();

	(void)state;
	check_start(&e, exec_in_thread, 10);
	sensor_free(e.s);
}

static void test_leader_ends(void **state)
{
	struct ear e = bpf_ear((struct sensor_options){ 0 });

	(void)state;
	check_start(&e, leader_ends, 5);
	sensor_free(e.s);
}

/* 50,000; a slow machine may do with less. */
static unsigned storm_execs(void)
{
	const char *n = getenv("STORM_EXECS");

	return n ? (unsigned)atoi(n) : 50000;
}

static void *spawn_storm(void *user)
{
	for (unsigned n = storm_execs() / 5; n; n--)
		tiny_run(user);
	return NULL;
}

/* Many processes as fast as they go: every one is counted, none is told, and
 * one that began amid them and lives on is. */
static void test_storm(void **state)
{
	struct ear e = bpf_ear((struct sensor_options){ 0 });
	struct sensor_state before = *sensor_state(e.s), after;
	char path[] = "/tmp/test_sensor.XXXXXX";
	pthread_t threads[5];
	uint64_t begin;
	pid_t pid;

	(void)state;
	close(mkstemp(path));
	unlink(path);
	tiny_make(path);
	begin = io_now_ns();
	for (int i = 0; i < 5; i++)
		pthread_create(&threads[i], NULL, spawn_storm, path);
	pid = start(exec_sleep);
	check_born(&e, pid, 30);
	for (int i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	after = *sensor_state(e.s);
	printf("%.0f execs a second\n",
	       storm_execs() * 1e9 / (double)(io_now_ns() - begin));
	assert_true(after.execs - before.execs >= storm_execs() + 1);
	assert_true(after.forks - before.forks >= storm_execs() + 1);
	assert_true(after.exits - before.exits >= storm_execs());
	assert_int_equal(after.missed, 0);
	listen_for(&e, NULL, 2);
	assert_true(e.born < 1000); /* others' */
	child_end(pid);
	unlink(path);
	sensor_free(e.s);
}

/* ---- code ------------------------------------------------------------ */

static void make_rwx(void *user)
{
	(void)user;
	child_map(4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	sleep(60);
}

static void make_executable(void *user)
{
	uint8_t *p = child_map(4096, PROT_READ | PROT_WRITE);

	(void)user;
	*p = 0xc3;
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	sleep(60);
}

/* Of a file that was written in memory. */
static void patch_file(void *user)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	volatile uint8_t *p =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	(void)user;
	*p = 0xc3;
	mprotect((void *)p, 4096, PROT_READ | PROT_EXEC);
	sleep(60);
}

static void check_code(const char *program, void (*body)(void *))
{
	struct ear e = ear_with(program);
	pid_t pid = start(body);
	const struct want want = { .kind = EVENT_CODE, .pid = pid };

	assert_true(listen_for(&e, &want, 5));
	child_end(pid);
	sensor_free(e.s);
}

static void test_mmap(void **state)
{
	(void)state;
	check_code("mmap", make_rwx);
}

static void test_mprotect(void **state)
{
	(void)state;
	check_code("mprotect", make_executable);
}

static void test_patched_file(void **state)
{
	(void)state;
	check_code("mprotect", patch_file);
}

/* Programs and libraries that are only loaded make no code. */
static void test_no_code(void **state)
{
	struct ear e = ear_with("mmap");
	pid_t pid = start(exec_sleep);
	const struct want want = { .kind = EVENT_CODE, .pid = pid };
	struct statfs fs;

	(void)state;
	if (!statfs("/bin", &fs) && fs.f_type == TMPFS_MAGIC) {
		puts("programs are on a tmpfs here: their code can be "
		     "anything");
		child_end(pid);
		sensor_free(e.s);
		skip();
	}
	assert_false(listen_for(&e, &want, 2));
	child_end(pid);
	sensor_free(e.s);
}

static void test_code_is_told_seldom(void **state)
{
	const uint64_t quiet = SENSOR_CODE_QUIET_MS * 1000000ULL;
	struct event a = { .kind = EVENT_CODE,
			   .pid = 7,
			   .start_ticks = 1,
			   .at_ns = 100 },
		     b = a, out;
	struct sensor_code *c;

	(void)state;
	assert_int_equal(sensor_code_new(&c), 0);
	assert_true(sensor_code_is_news(c, &a));
	assert_false(sensor_code_is_due(c, 100, &out));
	b.start_ticks = 2; /* the same id, another process */
	assert_true(sensor_code_is_news(c, &b));
	a.at_ns = 200;
	assert_false(sensor_code_is_news(c, &a));
	assert_false(sensor_code_is_due(c, 100 + quiet - 1, &out));
	assert_true(sensor_code_is_due(c, 100 + quiet, &out));
	assert_int_equal(out.start_ticks, 1);
	assert_int_equal(out.at_ns, 200);
	assert_false(sensor_code_is_due(c, 100 + quiet, &out));
	/* Quiet for so long: forgotten, and news again. */
	assert_false(sensor_code_is_due(c, 100 + 3 * quiet, &out));
	assert_true(sensor_code_is_news(c, &a));
	/* More than it can know are told each time. */
	for (int i = 0; i < 3000; i++) {
		a.pid = 100 + i;
		assert_true(sensor_code_is_news(c, &a));
	}
	assert_true(sensor_code_is_news(c, &a));
	sensor_code_free(c);
}

/* ---- network --------------------------------------------------------- */

/* A network of one's own, in which loopback is up. */
static void own_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int s;

	if (unshare(CLONE_NEWNET))
		_exit(1);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	if (ioctl(s, SIOCSIFFLAGS, &lo))
		_exit(1);
	close(s);
}

static struct sockaddr_in at(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static void connect_all(uint16_t first, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct sockaddr_in a = at((uint16_t)(first + i));
		int s = socket(AF_INET, SOCK_STREAM, 0);

		(void)!connect(s, (void *)&a, sizeof(a)); /* refused */
		close(s);
	}
}

static void connect_once(void *user)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_port = htons(4444),
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int s;

	(void)user;
	own_network();
	connect_all(3333, 1);
	s = socket(AF_INET6, SOCK_STREAM, 0);
	(void)!connect(s, (void *)&a, sizeof(a));
	/* IPv4 in IPv6's clothes. */
	a.sin6_port = htons(5555);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.sin6_addr);
	close(s);
	s = socket(AF_INET6, SOCK_STREAM, 0);
	(void)!connect(s, (void *)&a, sizeof(a));
	sleep(60);
}

static void test_connect(void **state)
{
	static const uint8_t loopback[16] = { 127, 0, 0, 1 },
			     loopback6[16] = { [15] = 1 };
	struct ear e = ear_with("connect");
	pid_t pid = start(connect_once);
	struct want want = { .kind = EVENT_CONNECT, .pid = pid, .port = 3333 };
	struct proc p = child_proc(pid);

	(void)state;
	assert_true(listen_for(&e, &want, 5));
	assert_int_equal(e.e.peer.family, AF_INET);
	assert_int_equal(e.e.peer.protocol, IPPROTO_TCP);
	assert_memory_equal(e.e.peer.address, loopback, 16);
	assert_int_equal(e.e.start_ticks, p.start_ticks);
	proc_close(&p);
	child_end(pid);

	pid = start(connect_once);
	want = (struct want){ .kind = EVENT_CONNECT, .pid = pid, .port = 4444 };
	assert_true(listen_for(&e, &want, 5));
	assert_int_equal(e.e.peer.family, AF_INET6);
	assert_memory_equal(e.e.peer.address, loopback6, 16);
	child_end(pid);

	pid = start(connect_once);
	want = (struct want){ .kind = EVENT_CONNECT, .pid = pid, .port = 5555 };
	assert_true(listen_for(&e, &want, 5));
	assert_int_equal(e.e.peer.family, AF_INET);
	assert_memory_equal(e.e.peer.address, loopback, 16);
	child_end(pid);
	sensor_free(e.s);
}

/* A resolver that knows one name. */
static const uint8_t answer[] = {
	0x12,
	0x34,
	0x81,
	0x80,
	0,
	1,
	0,
	1,
	0,
	0,
	0,
	0,
	/* pool.example.org A? */
	4,
	'P',
	'o',
	'o',
	'l',
	7,
	'e',
	'x',
	'a',
	'm',
	'p',
	'l',
	'e',
	3,
	'o',
	'r',
	'g',
	0,
	0,
	1,
	0,
	1,
	0xc0,
	12,
	0,
	1,
	0,
	1,
	0,
	0,
	0,
	60,
	0,
	4,
	192,
	0,
	2,
	7,
};

static void ask_and_answer(void *user)
{
	struct sockaddr_in resolver = at(53), client;
	socklen_t len = sizeof(client);
	int server, s;

	(void)user;
	own_network();
	server = socket(AF_INET, SOCK_DGRAM, 0);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(server, (void *)&resolver, sizeof(resolver)) ||
	    connect(s, (void *)&resolver, sizeof(resolver)) ||
	    getsockname(s, (void *)&client, &len) ||
	    sendto(server, answer, sizeof(answer), 0, (void *)&client,
		   sizeof(client)) < 0)
		_exit(1);
	sleep(60);
}

static void test_name(void **state)
{
	static const uint8_t address[16] = { 192, 0, 2, 7 };
	const struct want want = { .kind = EVENT_NAME,
				   .name = "pool.example.org" };
	struct ear e = ear_with("dns");
	pid_t pid = start(ask_and_answer);

	(void)state;
	assert_true(listen_for(&e, &want, 5));
	assert_memory_equal(e.e.peer.address, address, 16);
	assert_int_equal(e.e.peer.family, AF_INET);
	assert_int_equal(e.e.pid, 0);
	child_end(pid);
	sensor_free(e.s);
}

/* ---- too much -------------------------------------------------------- */

static void test_table_overflows(void **state)
{
	struct ear e = bpf_ear((struct sensor_options){ .table_entries = 8 });
	const struct want lost = { .kind = EVENT_LOST };
	pid_t pids[64];

	(void)state;
	for (int i = 0; i < 64; i++)
		pids[i] = start(wait_long);
	assert_true(listen_for(&e, &lost, 5));
	assert_true(sensor_state(e.s)->missed >= 48);
	for (int i = 0; i < 64; i++)
		child_end(pids[i]);
	/* And goes on working. */
	listen_for(&e, NULL, 2);
	check_start(&e, wait_long, 5);
	sensor_free(e.s);
}

static void connect_much(void *user)
{
	(void)user;
	own_network();
	connect_all(1000, 500);
	sleep(60);
}

/* Too many connections are dropped and counted; nothing else is lost. */
static void test_ring_overflows(void **state)
{
	struct ear e = bpf_ear((struct sensor_options){ .ring_bytes = 4096 });
	pid_t pid = start(connect_much);

	(void)state;
	check_born(&e, pid, 5);
	listen_for(&e, NULL, 1);
	assert_true(sensor_state(e.s)->dropped > 0);
	assert_int_equal(sensor_state(e.s)->events[EVENT_LOST], 0);
	child_end(pid);
	sensor_free(e.s);
}

static void test_netlink_overflows(void **state)
{
	struct sensor_options o = { .no_bpf = true, .table_entries = 8 };
	struct ear e = { .s = sensor(o) };
	const struct want lost = { .kind = EVENT_LOST };
	pid_t pids[64];

	(void)state;
	if (sensor_state(e.s)->mode != SENSOR_NETLINK) {
		puts(sensor_state(e.s)->why_no_netlink);
		sensor_free(e.s);
		skip();
	}
	for (int i = 0; i < 64; i++)
		pids[i] = start(wait_long);
	assert_true(listen_for(&e, &lost, 5));
	for (int i = 0; i < 64; i++)
		child_end(pids[i]);
	sensor_free(e.s);
}

/* ---- lesser ways ----------------------------------------------------- */

static void test_netlink(void **state)
{
	struct sensor_options o = { .no_bpf = true };
	struct ear e = { .s = sensor(o) };
	const struct sensor_state *s = sensor_state(e.s);
	uint64_t execs = s->execs;

	(void)state;
	assert_string_equal(s->why_no_bpf, "switched off");
	if (s->mode != SENSOR_NETLINK) {
		puts(s->why_no_netlink);
		sensor_free(e.s);
		skip();
	}
	check_start(&e, wait_long, 5);
	check_start(&e, exec_sleep, 5);
	check_start(&e, exec_in_thread, 5);
	assert_true(sensor_state(e.s)->execs >= execs + 2);
	for (int i = 0; i < 100; i++)
		assert_int_equal(system("true"), 0);
	assert_true(sensor_state(e.s)->events[EVENT_LOST] == 0);
	sensor_free(e.s);
}

static void test_polling(void **state)
{
	struct sensor_options o = { .no_bpf = true, .no_netlink = true };
	struct ear e = { .s = sensor(o) };
	const struct sensor_state *s = sensor_state(e.s);

	(void)state;
	assert_int_equal(s->mode, SENSOR_POLLING);
	assert_string_equal(s->why_no_netlink, "switched off");
	check_start(&e, wait_long, 6);
	check_start(&e, exec_sleep, 6);
	sensor_free(e.s);
}

/* Without any right: a lesser way, and why. (Since Linux 6.6 netlink needs
 * none.) */
static void unprivileged(void *user)
{
	struct sensor_options o = { 0 };
	struct why why = { "" };
	struct sensor *s;
	const struct sensor_state *state;

	(void)user;
	if (setgid(65534) || setuid(65534))
		_exit(1);
	if (sensor_new(&o, &s, &why)) {
		fprintf(stderr, "%s\n", why.text);
		_exit(3);
	}
	state = sensor_state(s);
	_exit(state->mode != SENSOR_BPF && state->why_no_bpf[0] &&
			      (state->mode == SENSOR_NETLINK ||
			       state->why_no_netlink[0])
		      ? 42
		      : 2);
}

static void test_unprivileged(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid()) {
		puts("not root: nothing to give up");
		skip();
	}
	pid = start(unprivileged);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 42);
}

/* In a container's pid namespace the kernel's ids are not ours. */
static void test_pid_namespace(void **state)
{
	struct sensor_options o = { 0 };
	struct why why = { "" };
	struct sensor *s;
	int status;
	pid_t pid;

	(void)state;
	if (geteuid()) {
		puts("not root: no namespace");
		skip();
	}
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWPID))
			_exit(1);
		pid = fork();
		if (!pid)
			_exit(sensor_new(&o, &s, &why) == 0 &&
					      sensor_state(s)->mode ==
						      SENSOR_POLLING
				      ? 42
				      : 2);
		waitpid(pid, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_exec_later),
		cmocka_unit_test(test_exec_by_thread),
		cmocka_unit_test(test_leader_ends),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_mmap),
		cmocka_unit_test(test_mprotect),
		cmocka_unit_test(test_patched_file),
		cmocka_unit_test(test_no_code),
		cmocka_unit_test(test_code_is_told_seldom),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_table_overflows),
		cmocka_unit_test(test_ring_overflows),
		cmocka_unit_test(test_netlink_overflows),
		cmocka_unit_test(test_netlink),
		cmocka_unit_test(test_polling),
		cmocka_unit_test(test_unprivileged),
		cmocka_unit_test(test_pid_namespace),
	};

	if (child_emulated())
		return child_skip_group();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
