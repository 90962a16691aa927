#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "child.h"
#include "io.h"
#include "maps.h"

#define R REGION_READ
#define W REGION_WRITE
#define X REGION_EXEC
#define S REGION_SHARED
#define A REGION_ANON
#define D REGION_DELETED
#define M REGION_MEMFD
#define G REGION_GPU

/* ---- maps_parse_line ------------------------------------------------- */

static const struct {
	const char *line, *name;
	struct region region;
} good[] = {
	{ "55d0c8a00000-55d0c8a02000 r-xp 00001000 fe:01 1234  /usr/bin/cat",
	  "/usr/bin/cat",
	  { 0x55d0c8a00000, 0x55d0c8a02000, 0x1000, 1234, 0xfe << 20 | 1,
	    0, R | X, 0 } },
	{ "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 ",
	  "",
	  { 0x7f0000000000, 0x7f0000001000, 0, 0, 0, 0, R | W | A, 0 } },
	{ "7f0000000000-7f0000001000 rwxp 00000000 00:00 0",
	  "",
	  { 0x7f0000000000, 0x7f0000001000, 0, 0, 0, 0, R | W | X | A, 0 } },
	{ "00400000-00401000 ---p 00000000 00:00 0 [heap]",
	  "[heap]",
	  { 0x400000, 0x401000, 0, 0, 0, 0, A, 0 } },
	{ "1000-2000 rw-s 00000000 00:01 7 /memfd:x (deleted)",
	  "/memfd:x (deleted)",
	  { 0x1000, 0x2000, 0, 7, 1, 0, R | W | S | A | D | M, 0 } },
	{ "1000-2000 r-xp 00000000 00:01 7 /memfd:x (deleted)",
	  "/memfd:x (deleted)",
	  { 0x1000, 0x2000, 0, 7, 1, 0, R | X | D | M, 0 } },
	{ "1000-2000 rw-s 00000000 00:01 7 /dev/zero (deleted)",
	  "/dev/zero (deleted)",
	  { 0x1000, 0x2000, 0, 7, 1, 0, R | W | S | A | D, 0 } },
	{ "1000-2000 rw-s 00000000 00:01 7 /SYSV00000000 (deleted)",
	  "/SYSV00000000 (deleted)",
	  { 0x1000, 0x2000, 0, 7, 1, 0, R | W | S | A | D, 0 } },
	{ "1000-2000 rw-s 00000000 00:1b 7 /dev/shm/x",
	  "/dev/shm/x",
	  { 0x1000, 0x2000, 0, 7, 0x1b, 0, R | W | S | A, 0 } },
	{ "1000-2000 r--p 00000000 00:1b 7 /dev/shm/x",
	  "/dev/shm/x",
	  { 0x1000, 0x2000, 0, 7, 0x1b, 0, R, 0 } },
	{ "1000-2000 r-xp 00000000 fe:01 7 /tmp/a (deleted)",
	  "/tmp/a (deleted)",
	  { 0x1000, 0x2000, 0, 7, 0xfe << 20 | 1, 0, R | X | D, 0 } },
	{ "1000-2000 r-xp 00000000 fe:01 7 /tmp/(deleted)",
	  "/tmp/(deleted)",
	  { 0x1000, 0x2000, 0, 7, 0xfe << 20 | 1, 0, R | X, 0 } },
	{ "1000-2000 r-xp 00000000 fe:01 7 /tmp/a\\012b (deleted) c",
	  "/tmp/a\\012b (deleted) c",
	  { 0x1000, 0x2000, 0, 7, 0xfe << 20 | 1, 0, R | X, 0 } },
	{ "1000-2000 rw-s 00000000 00:05 7 /dev/nvidia-uvm",
	  "/dev/nvidia-uvm",
	  { 0x1000, 0x2000, 0, 7, 5, 0, R | W | S | G, 0 } },
	{ "1000-2000 rw-s 00000000 00:05 7 /dev/kfd",
	  "/dev/kfd",
	  { 0x1000, 0x2000, 0, 7, 5, 0, R | W | S | G, 0 } },
	{ "1000-2000 rw-s 00000000 00:05 7 /dev/kfd2",
	  "/dev/kfd2",
	  { 0x1000, 0x2000, 0, 7, 5, 0, R | W | S, 0 } },
	{ "0-fffffffffffff000 --xp ffffffffffffffff fff:fffff "
	  "18446744073709551615 x",
	  "x",
	  { 0, 0xfffffffffffff000, UINT64_MAX, UINT64_MAX, UINT32_MAX, 0,
	    X, 0 } },
};

static void good_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct region *want = &good[i].region;
		const char *line = good[i].line, *name;
		struct region r;

		assert_int_equal(
			maps_parse_line(line, strlen(line), &r, &name), 0);
		assert_int_equal(r.start, want->start);
		assert_int_equal(r.end, want->end);
		assert_int_equal(r.offset, want->offset);
		assert_int_equal(r.inode, want->inode);
		assert_int_equal(r.dev, want->dev);
		assert_int_equal(r.flags, want->flags);
		assert_int_equal(r.where, maps_where(want->flags));
		assert_string_equal(name, good[i].name);
	}
}

static void bad_lines(void **state)
{
	static const char *const bad[] = {
		"", " ", "\n", "-", "1000", "1000-", "1000-2000",
		"1000-2000 ", "1000-2000 r-xp", "1000-2000 r-xp ",
		"1000-2000 r-xp 0", "1000-2000 r-xp 0 ",
		"1000-2000 r-xp 0 00:00", "1000-2000 r-xp 0 00:00 ",
		"1000-2000 r-xp 0 00 0", "1000-2000 r-xp 0 0000 0 x",
		"1000-2000 rxwp 0 00:00 0", "1000-2000 r-x- 0 00:00 0",
		"1000-2000 r-xpp 0 00:00 0", "1000-2000 R-xp 0 00:00 0",
		"1000 2000 r-xp 0 00:00 0", " 1000-2000 r-xp 0 00:00 0",
		"g000-2000 r-xp 0 00:00 0", "1000-2000  r-xp 0 00:00 0",
		"1000-2000 r-xp 0 00:00 z", "1000-2000 r-xp 0 00:00 a0",
		"1000-1000 r-xp 0 00:00 0", /* empty */
		"2000-1000 r-xp 0 00:00 0", /* backwards */
		"1001-2000 r-xp 0 00:00 0", /* between pages */
		"1000-2001 r-xp 0 00:00 0",
		"10000000000000000-2000 r-xp 0 00:00 0", /* 2^64 */
		"1000-10000000000000000 r-xp 0 00:00 0",
		"1000-2000 r-xp 10000000000000000 00:00 0",
		"1000-2000 r-xp 0 1000:00 0", "1000-2000 r-xp 0 00:100000 0",
		"1000-2000 r-xp 0 00:00 18446744073709551616",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct region r = { .start = 99 };
		const char *name = NULL;

		assert_int_equal(maps_parse_line(bad[i], strlen(bad[i]), &r,
						 &name),
				 -EBADMSG);
		assert_int_equal(r.start, 99);
		assert_null(name);
	}
}

/* What every region that is let through must be. */
static void check_sane(const char *line, size_t len)
{
	struct region r;
	const char *name;

	if (maps_parse_line(line, len, &r, &name))
		return;
	assert_true(r.start < r.end);
	assert_int_equal((r.start | r.end) % FLOW_PAGE, 0);
	assert_true(name >= line && name <= line + len);
	assert_int_equal(r.where, maps_where(r.flags));
}

static void mutate(const char *line)
{
	size_t len = strlen(line);
	char *copy;

	for (size_t cut = 0; cut <= len; cut++) {
		copy = malloc(cut); /* for ASan: no NUL behind it */
		memcpy(copy, line, cut);
		check_sane(copy, cut);
		free(copy);
	}
	copy = malloc(len);
	memcpy(copy, line, len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
		check_sane(copy, len);
		copy[bit / 8] = line[bit / 8];
	}
	free(copy);
}

static void mutations_do_no_harm(void **state)
{
	static char text[1 << 20];
	char *line, *rest = text;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		mutate(good[i].line);
	assert_true(io_read_at(AT_FDCWD, "/proc/self/maps", text,
			       sizeof(text)) > 0);
	for (int n = 0; n < 40 && (line = strsep(&rest, "\n")); n++)
		mutate(line);
}

static void where_follows_from_the_flags(void **state)
{
	enum { CODE = 1 << WHERE_CODE, IMAGE = 1 << WHERE_IMAGE,
	       JIT = 1 << WHERE_JIT, ANY = 1 << WHERE_ANY };
	static const uint8_t table[][2] = {
		{ R | W | A, ANY },		{ R | W | A | S, ANY },
		{ R | A, IMAGE | ANY },		{ A, IMAGE | ANY },
		{ R | W, IMAGE | ANY },		{ R, IMAGE | ANY },
		{ R | X, CODE | IMAGE | ANY },
		{ R | X | D, CODE | IMAGE | ANY },
		{ R | W | X, CODE | IMAGE | ANY },
		{ R | X | A, IMAGE | JIT | ANY },
		{ R | W | X | A, IMAGE | JIT | ANY },
		{ X | A | S, IMAGE | JIT | ANY },
		{ R | X | M | D, CODE | IMAGE | ANY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(maps_where(table[i][0]), table[i][1]);
	assert_int_equal(maps_where(R | W | A), WHERE_PLAIN);
}

/* ---- maps_read ------------------------------------------------------- */

/* "maps" of a made-up process: @text in a directory. */
static char fake_dir[32];

static struct proc fake_proc(const char *text, size_t len)
{
	struct proc p = { .pid = 1 };
	int fd;

	strcpy(fake_dir, "/tmp/test_maps.XXXXXX");
	assert_non_null(mkdtemp(fake_dir));
	p.dir = open(fake_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = openat(p.dir, "maps", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	return p;
}

static void drop_fake(struct proc *p)
{
	unlinkat(p->dir, "maps", 0);
	rmdir(fake_dir);
	proc_close(p);
}

static int read_text(const char *text, struct maps **ret)
{
	struct proc p = fake_proc(text, strlen(text));
	int err = maps_read(&p, 0, ret);

	drop_fake(&p);
	return err;
}

static void the_kernels_pages_are_left_out(void **state)
{
	static const char text[] =
		"1000-2000 r--p 0 00:00 0 [vvar]\n"
		"2000-3000 r--p 0 00:00 0 [vvar_vclock]\n"
		"3000-4000 --xp 0 00:00 0 [vsyscall]\n"
		"4000-5000 rw-p 0 00:00 0 [anon:[vvar]]\n"
		"5000-6000 rw-p 0 fe:01 3 /[vvar]\n"
		"6000-7000 r-xp 0 00:00 0 [vdso]\n";
	const struct region *r;
	struct maps *m;
	size_t n;

	(void)state;
	assert_int_equal(read_text(text, &m), 0);
	r = maps_regions(m, &n);
	assert_int_equal(n, 3);
	assert_string_equal(maps_name(m, &r[0]), "[anon:[vvar]]");
	assert_string_equal(maps_name(m, &r[1]), "/[vvar]");
	assert_string_equal(maps_name(m, &r[2]), "[vdso]");
	maps_free(m);
}

static void a_bad_line_is_not_passed_over(void **state)
{
	struct maps *m = NULL;

	(void)state;
	assert_int_equal(read_text("1000-2000 r--p 0 00:00 0\nrubbish\n", &m),
			 -EBADMSG);
	assert_null(m);
	/* No line at all: a zombie's, on older kernels. */
	assert_int_equal(read_text("", &m), -ESRCH);
	assert_null(m);
	assert_int_equal(read_text("1000-2000 r--p 0 00:00 0 [vvar]\n", &m),
			 0);
	assert_null(maps_by_suspicion(m, 0));
	assert_null(maps_find(m, 0x1000));
	maps_free(m);
	maps_free(NULL);
}

/* More lines, more names and a longer one than there is room for. */
static void what_is_too_much_is_counted(void **state)
{
	enum { LINES = MAPS_MAX + 1000 };
	char *text = malloc(LINES * 64UL);
	size_t len = 0, n;
	const struct region *r;
	struct proc p;
	struct maps *m;

	(void)state;
	for (unsigned i = 0; i < LINES; i++)
		len += (size_t)sprintf(text + len,
				       "%x-%x r--p 0 fe:01 3 /f%u\n",
				       (i + 1) * 0x1000, (i + 2) * 0x1000, i);
	p = fake_proc(text, len);
	assert_int_equal(maps_read(&p, 0, &m), 0);
	drop_fake(&p);
	free(text);
	r = maps_regions(m, &n);
	assert_int_equal(n, MAPS_MAX);
	assert_int_equal(maps_left_out(m), 1000);
	assert_string_equal(maps_name(m, &r[1000]), "/f1000");
	assert_string_equal(maps_name(m, &r[n - 1]), "");
	assert_ptr_equal(maps_find(m, r[n - 1].start), &r[n - 1]);
	maps_free(m);
}

static void the_longest_name_is_read(void **state)
{
	char *text = malloc(100000);
	struct maps *m;
	size_t n;

	(void)state;
	n = (size_t)sprintf(text, "1000-2000 r--p 0 fe:01 3 /");
	memset(text + n, 'n', 4 * 4095);
	strcpy(text + n + 4 * 4095, "\n2000-3000 rw-p 0 00:00 0\n");
	assert_int_equal(read_text(text, &m), 0);
	assert_int_equal(strlen(maps_name(m, maps_regions(m, &n))),
			 4 * 4095 + 1);
	assert_int_equal(n, 2);
	maps_free(m);
	memset(text, 'n', 99999); /* no newline at all */
	text[99999] = '\0';
	assert_int_equal(read_text(text, &m), -EBADMSG);
	free(text);
}

/* One of @len bytes whose end is @end, and one behind it. */
static void check_long(size_t len, const char *end, uint8_t flags)
{
	char *text = malloc(len + 200);
	const struct region *r;
	struct maps *m;
	size_t n;

	n = (size_t)sprintf(text, "1000-2000 r-xp 0 fe:01 3 ");
	memset(text + n, '/', len);
	memcpy(text + n + len - strlen(end), end, strlen(end));
	strcpy(text + n + len, "\n2000-3000 rwxp 0 00:00 0\n");
	assert_int_equal(read_text(text, &m), 0);
	r = maps_regions(m, &n);
	assert_int_equal(n, 2);
	assert_int_equal(r[0].flags, flags);
	assert_int_equal(strspn(maps_name(m, &r[0]), "/"),
			 len - strlen(end) < 4 * 4096 ? len - strlen(end)
						      : 4 * 4096);
	assert_int_equal(r[1].flags, R | W | X | A);
	maps_free(m);
	free(text);
}

/* The kernel prints paths of any length; where one is cut is chance. */
static void a_name_of_any_length_hides_nothing(void **state)
{
	static const size_t around[] = { 4 * 4096, 4 * 4096 + 256,
					 65536,	   65536 + 4 * 4096 + 256,
					 200000,   3000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
		for (size_t k = 0; k < 60; k++) {
			check_long(around[i] - 40 + k, " (deleted)", R | X | D);
			check_long(around[i] - 40 + k, " (deletes)", R | X);
		}
}

static void a_list_without_end_ends_with_the_time(void **state)
{
	char *text = malloc(1000000);
	struct maps *m = NULL;
	struct proc p;

	(void)state;
	memset(text, 'n', 1000000);
	memcpy(text, "1000-2000 r-xp 0 fe:01 3 ", 25);
	text[999999] = '\n';
	p = fake_proc(text, 1000000);
	free(text);
	assert_int_equal(maps_read(&p, 1, &m), -ETIMEDOUT);
	assert_null(m);
	assert_int_equal(maps_read(&p, io_now_ns() + 60000000000, &m), 0);
	drop_fake(&p);
	maps_free(m);
}

/* Again in another way: what the order must be. */
static int level(const struct region *r)
{
	if (!(r->flags & X))
		return r->where == WHERE_PLAIN ? 3 : 2;
	return r->flags & (A | D | M) ? 0 : 1;
}

static void check_order(const struct maps *m)
{
	size_t n, i;
	const struct region *all = maps_regions(m, &n), *r, *last = NULL;
	uint8_t *met = calloc(n + 1, 1);

	for (i = 0; (r = maps_by_suspicion(m, i)); i++) {
		assert_true(r >= all && r < all + n);
		assert_int_equal(met[r - all]++, 0);
		assert_true(!last || level(r) > level(last) ||
			    (level(r) == level(last) && r > last));
		last = r;
	}
	assert_int_equal(i, n);
	free(met);
}

/* Each address of each region, of the gaps and of both ends. */
static void check_find(const struct maps *m)
{
	size_t n;
	const struct region *r = maps_regions(m, &n);

	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(maps_find(m, r[i].start), &r[i]);
		assert_ptr_equal(maps_find(m, r[i].end - 1), &r[i]);
		if (i + 1 == n || r[i + 1].start != r[i].end)
			assert_null(maps_find(m, r[i].end));
		assert_true(i == 0 || r[i - 1].end <= r[i].start);
	}
	assert_null(maps_find(m, 0));
	assert_null(maps_find(m, UINT64_MAX));
}

static void a_process_finds_itself(void **state)
{
	struct proc p = child_proc(getpid());
	const struct region *r;
	struct maps *m;
	char text[5];
	int local;

	(void)state;
	if (child_skip_emulated())
		skip();
	assert_int_equal(maps_read(&p, 0, &m), 0);
	r = maps_find(m, (uintptr_t)a_process_finds_itself);
	assert_non_null(r);
	assert_int_equal(r->flags, R | X);
	assert_non_null(strstr(maps_name(m, r), "test_maps"));
	assert_true(r->inode && r->dev);
	maps_permissions(r, text);
	assert_string_equal(text, "r-xp");
	r = maps_find(m, (uintptr_t)&local);
	assert_int_equal(r->where, WHERE_PLAIN);
	assert_int_equal(maps_left_out(m), 0);
	check_order(m);
	check_find(m);
	maps_free(m);
	proc_close(&p);
}

#define FILE_NAME "/var/tmp/test_maps.file"

struct layout {
	uint8_t *at[9];
};

static void *map_of(int fd, int protection, int flags)
{
	void *p = mmap(NULL, 8192, protection, flags, fd, 0);

	close(fd);
	if (p == MAP_FAILED)
		_exit(1);
	return p;
}

static int a_memfd(void)
{
	int fd = memfd_create("davylamp test", MFD_CLOEXEC);

	return ftruncate(fd, 8192) ? -1 : fd;
}

static int a_file(const char *name, bool deleted)
{
	int fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	if (deleted)
		unlink(name);
	return ftruncate(fd, 8192) ? -1 : fd;
}

static void lay_out(void *user)
{
	struct layout *l = user;

	l->at[0] = child_map(8192, PROT_READ | PROT_WRITE);
	l->at[1] = child_map(8192, PROT_READ | PROT_WRITE | PROT_EXEC);
	l->at[2] = child_map(8192, PROT_NONE);
	l->at[3] = map_of(-1, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS);
	l->at[4] = map_of(a_memfd(), PROT_READ | PROT_EXEC, MAP_PRIVATE);
	l->at[5] = map_of(a_memfd(), PROT_READ | PROT_WRITE, MAP_SHARED);
	l->at[6] = map_of(a_file(FILE_NAME ".gone", true),
			  PROT_READ | PROT_EXEC, MAP_PRIVATE);
	l->at[7] = map_of(a_file(FILE_NAME, false), PROT_READ, MAP_SHARED);
	l->at[8] = map_of(a_memfd(), PROT_READ | PROT_EXEC, MAP_SHARED);
}

static void a_childs_regions_are_told_apart(void **state)
{
	static const uint8_t flags[9] = {
		R | W | A, R | W | X | A, A, R | W | S | A | D,
		R | X | M | D, R | W | S | A | M | D, R | X | D, R | S,
		R | X | S | A | M | D,
	};
	struct layout *l = child_shared(sizeof(*l));
	struct proc p;
	struct maps *m;
	pid_t pid;

	(void)state;
	if (child_skip_emulated())
		skip();
	pid = child_start(lay_out, l);
	p = child_proc(pid);
	assert_int_equal(maps_read(&p, 0, &m), 0);
	for (int i = 0; i < 9; i++) {
		const struct region *r = maps_find(m, (uintptr_t)l->at[i]);

		assert_non_null(r);
		assert_int_equal(r->flags, flags[i]);
		assert_int_equal(r->where, maps_where(flags[i]));
	}
	assert_string_equal(maps_name(m, maps_find(m, (uintptr_t)l->at[4])),
			    "/memfd:davylamp test (deleted)");
	assert_string_equal(maps_name(m, maps_find(m, (uintptr_t)l->at[7])),
			    FILE_NAME);
	check_order(m);
	check_find(m);
	maps_free(m);
	proc_close(&p);
	child_end(pid);
	unlink(FILE_NAME);
	munmap(l, sizeof(*l));
}

static bool skip_valgrind(void)
{
	if (child_in_valgrind())
		puts("valgrind: no more than 30,000 mappings of 128 GiB");
	return child_in_valgrind();
}

static void make_many(void *user)
{
	uint8_t *p = child_map(70000UL << 12, PROT_NONE);
	size_t *made = user;

	while (*made < 65500 / 2 &&
	       !mprotect(p + (2 * *made + 1) * 4096, 4096, PROT_READ))
		++*made;
}

static void most_maps_there_can_be(void **state)
{
	size_t *made = child_shared(sizeof(*made)), n;
	uint64_t before;
	struct proc p;
	struct maps *m;
	pid_t pid;

	(void)state;
	if (skip_valgrind())
		skip();
	pid = child_start(make_many, made);
	p = child_proc(pid);
	before = io_now_ns();
	assert_int_equal(maps_read(&p, 0, &m), 0);
	assert_true(io_now_ns() - before < 2000000000);
	maps_regions(m, &n);
	assert_true(*made > 30000);
	assert_true(n > 2 * *made);
	assert_int_equal(maps_left_out(m), 0);
	check_order(m);
	maps_free(m);
	proc_close(&p);
	child_end(pid);
	munmap(made, sizeof(*made));
}

/* Reserved and untouched, as decoys: a few lines. */
static void reserve(void *user)
{
	(void)user;
	for (int i = 0; i < 25; i++)
		if (mmap(NULL, 4ULL << 40, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			 0) == MAP_FAILED)
			_exit(1);
}

static void a_reservation_costs_nothing(void **state)
{
	const struct region *r;
	uint64_t sum = 0;
	struct proc p;
	struct maps *m;
	pid_t pid;
	size_t n;

	(void)state;
	if (skip_valgrind())
		skip();
	if (child_emulated()) {
		puts("qemu-user: takes minutes for a mapping of terabytes");
		skip();
	}
	pid = child_start(reserve, NULL);
	p = child_proc(pid);
	assert_int_equal(maps_read(&p, 0, &m), 0);
	r = maps_regions(m, &n);
	for (size_t i = 0; i < n; i++)
		sum += r[i].end - r[i].start;
	assert_true(sum >= 100ULL << 40);
	maps_free(m);
	proc_close(&p);
	child_end(pid);
}

static void who_is_gone_has_no_maps(void **state)
{
	pid_t pid = child_start(NULL, NULL);
	struct proc p = child_proc(pid);
	struct maps *m = NULL;
	siginfo_t info;

	(void)state;
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	assert_int_equal(maps_read(&p, 0, &m), -ESRCH); /* a zombie */
	child_end(pid);
	assert_int_equal(maps_read(&p, 0, &m), -ESRCH);
	assert_null(m);
	proc_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(mutations_do_no_harm),
		cmocka_unit_test(where_follows_from_the_flags),
		cmocka_unit_test(the_kernels_pages_are_left_out),
		cmocka_unit_test(a_bad_line_is_not_passed_over),
		cmocka_unit_test(what_is_too_much_is_counted),
		cmocka_unit_test(the_longest_name_is_read),
		cmocka_unit_test(a_name_of_any_length_hides_nothing),
		cmocka_unit_test(a_list_without_end_ends_with_the_time),
		cmocka_unit_test(a_process_finds_itself),
		cmocka_unit_test(a_childs_regions_are_told_apart),
		cmocka_unit_test(most_maps_there_can_be),
		cmocka_unit_test(a_reservation_costs_nothing),
		cmocka_unit_test(who_is_gone_has_no_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
