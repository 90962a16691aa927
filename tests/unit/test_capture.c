/* A process that was saved is the process: its memory, its maps, what /proc
 * says of it; and a file that somebody made up is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mem_fixture.h"
#include "capture_save.h"
#include "proc.h"
#include "who.h"

static char path[] = "/tmp/test_capture.XXXXXX";

static int save(const struct proc *p, struct capture_sum *ret)
{
	struct why why = { "" };
	int fd, err;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	err = capture_save(fd, p, NULL, NULL, ret, &why);
	assert_int_equal(close(fd), 0);
	return err;
}

static struct capture *open_it(void)
{
	struct capture *c = NULL;
	struct why why = { "" };
	int err = capture_open(path, &c, &why);

	if (err)
		print_message("%s\n", why.text);
	assert_int_equal(err, 0);
	return c;
}

struct saved {
	uint8_t **at;
	pid_t pid;
	struct proc live, proc;
	struct capture *capture;
	struct capture_sum sum;
};

static void begin(struct saved *s)
{
	s->at = child_shared(sizeof(*s->at));
	s->pid = child_start(write_some, s->at);
	s->live = child_proc(s->pid);
	assert_int_equal(save(&s->live, &s->sum), 0);
	s->capture = open_it();
	assert_int_equal(proc_of_capture(s->capture, &s->proc), 0);
}

static void end(struct saved *s)
{
	capture_free(s->capture);
	proc_close(&s->live);
	child_end(s->pid);
	munmap(s->at, sizeof(*s->at));
	unlink(path);
}

static void test_says_what_proc_said(void **state)
{
	struct saved s;
	struct who live, saved;
	struct proc later;

	(void)state;
	begin(&s);
	assert_int_equal(s.proc.pid, s.pid);
	assert_int_equal(s.proc.uid, s.live.uid);
	assert_int_equal(s.proc.ppid, s.live.ppid);
	assert_true(s.proc.start_ticks == s.live.start_ticks);
	assert_string_equal(s.proc.comm, s.live.comm);
	later = s.proc;
	assert_int_equal(proc_refresh(&later), 0);
	assert_true(later.seen_ns > s.proc.seen_ns);
	assert_false(proc_gone(&s.proc));
	who_read(&s.live, &live);
	who_read(&s.proc, &saved);
	assert_string_equal(live.exe, saved.exe);
	assert_string_equal(live.user, saved.user);
	assert_string_equal(live.unit, saved.unit);
	assert_int_equal(live.exe_deleted, saved.exe_deleted);
	assert_int_equal(live.args_len, saved.args_len);
	assert_memory_equal(live.args, saved.args, live.args_len);
	end(&s);
}

static void test_has_the_same_maps(void **state)
{
	struct saved s;
	struct maps *live, *saved;
	const struct region *a, *b;
	size_t n, m;

	(void)state;
	begin(&s);
	assert_int_equal(maps_read(&s.live, 0, &live), 0);
	assert_int_equal(maps_read(&s.proc, 0, &saved), 0);
	a = maps_regions(live, &n);
	b = maps_regions(saved, &m);
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(&a[i], &b[i], sizeof(*a));
		assert_string_equal(maps_name(live, &a[i]),
				    maps_name(saved, &b[i]));
	}
	maps_free(live);
	maps_free(saved);
	end(&s);
}

static void test_has_the_same_pages(void **state)
{
	uint8_t count[PAGES] = { 0 };
	struct saved s;
	struct target t;

	(void)state;
	begin(&s);
	t = (struct target){ .proc = s.proc };
	assert_int_equal(maps_read(&t.proc, 0, &t.maps), 0);
	t.region = maps_find(t.maps, (uintptr_t)*s.at);
	assert_non_null(t.region);
	assert_int_equal(mem_new(NULL, &t.mem), 0);
	assert_int_equal(mem_attach(t.mem, &t.proc), 0);
	mem_start(t.mem, t.region);
	assert_int_equal(read_all(&t, count), 0);
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(count[i], is_touched(i));
	miss(&t);
	end(&s);
}

/* Any stretch, aligned or not, as of a process. */
static void test_stretches(void **state)
{
	static uint8_t live[8192], saved[8192];
	struct saved s;
	struct mem *a, *b;

	(void)state;
	if (child_unwatched()) {
		puts("valgrind: no pidfd_open(2)");
		skip();
	}
	begin(&s);
	assert_int_equal(mem_new(NULL, &a), 0);
	assert_int_equal(mem_new(NULL, &b), 0);
	assert_int_equal(mem_attach(a, &s.live), 0);
	assert_int_equal(mem_attach(b, &s.proc), 0);
	for (uint64_t at = 0; at < PAGES * FLOW_PAGE; at += 997) {
		uint64_t from = (uintptr_t)*s.at + at, x = 0, y = 0;
		uint64_t to = from + 1 + at % 20000;
		ssize_t n = mem_stretch(a, from, to, live, sizeof(live), &x);

		assert_int_equal(mem_stretch(b, from, to, saved,
					     sizeof(saved), &y),
				 n);
		assert_true(n >= 0 && x == y);
		assert_memory_equal(live, saved, (size_t)n);
	}
	mem_free(a);
	mem_free(b);
	end(&s);
}

/* ---- made up --------------------------------------------------------- */

static void read_everything(struct capture *c)
{
	static uint8_t buf[CAPTURE_PIECE];
	struct proc p;
	struct maps *m = NULL;
	uint64_t at = 0, from = 0;
	ssize_t n;

	if (!proc_of_capture(c, &p)) {
		struct who who;

		who_read(&p, &who);
		if (!maps_read(&p, 0, &m))
			maps_free(m);
	}
	do {
		n = capture_read(c, from, UINT64_MAX, buf, sizeof(buf), &at);
		from = at + (uint64_t)n;
	} while (n > 0);
}

/* A small one: no pages of files, few of its own. */
static uint8_t *small_capture(size_t *ret_len)
{
	struct saved s;
	struct capture_record head;
	uint8_t *all, *out;
	size_t n, at = 8, to = 8;
	FILE *f;

	begin(&s);
	f = fopen(path, "re");
	assert_non_null(f);
	all = malloc(s.sum.packed);
	out = malloc(s.sum.packed);
	n = fread(all, 1, s.sum.packed, f);
	assert_int_equal(n, s.sum.packed);
	fclose(f);
	memcpy(out, all, 8);
	for (uint64_t kept = 0; at < n; at += sizeof(head) + head.packed) {
		memcpy(&head, all + at, sizeof(head));
		if (head.type == CAPTURE_PAGES && kept >= 12)
			continue;
		if (head.type == CAPTURE_END)
			head.address = kept;
		memcpy(out + to, &head, sizeof(head));
		memcpy(out + to + sizeof(head), all + at + sizeof(head),
		       head.packed);
		to += sizeof(head) + head.packed;
		kept++;
	}
	free(all);
	end(&s);
	*ret_len = to;
	return out;
}

/* @len bytes as a file; 0 if it was taken. */
static int try(const uint8_t *bytes, size_t len)
{
	static int fd = -1;
	struct capture *c = NULL;
	struct why why = { "" };
	char name[40];
	int err;

	if (fd < 0)
		fd = memfd_create("capture", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, bytes, len, 0), len);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	err = capture_open(name, &c, &why);
	if (!err) {
		read_everything(c);
		capture_free(c);
	} else {
		assert_int_equal(err, -EBADMSG);
		assert_true(why.text[0]);
	}
	return err;
}

static void test_refuses_what_is_cut_off(void **state)
{
	size_t len;
	uint8_t *bytes = small_capture(&len);

	(void)state;
	assert_int_equal(try(bytes, len), 0);
	for (size_t n = 0; n < len; n += 1 + n / 97)
		assert_int_equal(try(bytes, n), -EBADMSG);
	assert_int_equal(try(bytes, len - 1), -EBADMSG);
	free(bytes);
}

static void test_survives_flipped_bits(void **state)
{
	size_t len;
	uint8_t *bytes = small_capture(&len);

	(void)state;
	for (size_t i = 0; i < len; i += 1 + i / 997)
		for (int bit = 0; bit < 8; bit += i < 600 ? 1 : 5) {
			bytes[i] ^= (uint8_t)(1 << bit);
			try(bytes, len);
			bytes[i] ^= (uint8_t)(1 << bit);
		}
	assert_int_equal(try(bytes, len), 0);
	free(bytes);
}

/* Numbers at their ends in the head of each record. */
static void test_survives_wild_numbers(void **state)
{
	static const uint64_t wild[] = { 0, 1, 4095, 4096, 1 << 20,
					 (1 << 20) + 4096, UINT32_MAX,
					 INT64_MAX, UINT64_MAX - 4095,
					 UINT64_MAX };
	struct capture_record head;
	size_t len, at = 8;
	uint8_t *bytes = small_capture(&len);

	(void)state;
	while (at < len) {
		struct capture_record was;

		memcpy(&was, bytes + at, sizeof(was));
		for (size_t i = 0; i < 4 * sizeof(wild) / sizeof(*wild); i++) {
			uint64_t value = wild[i / 4];

			head = was;
			if (i % 4 == 0)
				head.type = (uint32_t)value;
			else if (i % 4 == 1)
				head.packed = (uint32_t)value;
			else if (i % 4 == 2)
				head.address = value;
			else
				head.unpacked = value;
			memcpy(bytes + at, &head, sizeof(head));
			try(bytes, len);
		}
		memcpy(bytes + at, &was, sizeof(was));
		at += sizeof(was) + was.packed;
	}
	free(bytes);
}

/* Damaged pages are an error, not zeros. */
static void test_damaged_pages_are_told(void **state)
{
	static uint8_t buf[CAPTURE_PIECE];
	struct capture_record head;
	struct capture *c;
	struct saved s;
	uint64_t at = 8, where;
	int fd;

	(void)state;
	begin(&s);
	fd = open(path, O_RDWR | O_CLOEXEC);
	do {
		assert_int_equal(pread(fd, &head, sizeof(head), (off_t)at),
				 sizeof(head));
		where = at + sizeof(head) + head.packed / 2;
		at += sizeof(head) + head.packed;
	} while (head.type != CAPTURE_PAGES || head.packed < 200);
	assert_int_equal(pwrite(fd, "????????", 8, (off_t)where), 8);
	close(fd);
	c = open_it();
	assert_int_equal(capture_read(c, head.address,
				      head.address + head.unpacked, buf,
				      sizeof(buf), &where),
			 -EBADMSG);
	capture_free(c);
	end(&s);
}

static void test_refuses_other_files(void **state)
{
	struct capture *c = NULL;
	struct why why = { "" };

	(void)state;
	assert_int_equal(capture_open("/dev/zero", &c, &why), -EBADMSG);
	assert_int_equal(capture_open("/", &c, &why), -EBADMSG);
	assert_int_equal(capture_open("/nowhere", &c, &why), -ENOENT);
	assert_int_equal(capture_open("/proc/self/exe", &c, &why), -EBADMSG);
	assert_non_null(strstr(why.text, "not a capture"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_what_proc_said),
		cmocka_unit_test(test_has_the_same_maps),
		cmocka_unit_test(test_has_the_same_pages),
		cmocka_unit_test(test_stretches),
		cmocka_unit_test(test_refuses_what_is_cut_off),
		cmocka_unit_test(test_survives_flipped_bits),
		cmocka_unit_test(test_survives_wild_numbers),
		cmocka_unit_test(test_damaged_pages_are_told),
		cmocka_unit_test(test_refuses_other_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
