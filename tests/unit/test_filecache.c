#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include "mem_fixture.h"
#include "frames.c"

/* Files of now are old enough an hour from now. */
static time_t ahead;

static int later(clockid_t id, struct timespec *ret)
{
	int err = clock_gettime(id, ret);

	ret->tv_sec += ahead;
	return err;
}

#define clock_gettime later
#include "filecache.c"
#undef clock_gettime

#define N 300

static char directory[] = "/var/tmp/test_filecache.XXXXXX", path[128];
static struct filecache *cache;
static uint64_t looked_for;

/* ---- the file and its readers ---------------------------------------------- */

static void write_file(const char *where)
{
	static _Alignas(8) uint8_t page[FLOW_PAGE];
	int fd = open(where, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	for (uint64_t i = 0; i < N; i++) {
		fill_page(page, i);
		assert_int_equal(write(fd, page, FLOW_PAGE), FLOW_PAGE);
	}
	close(fd);
}

struct reader {
	const char *path;
	int flags;
	size_t to_write; /* this page, privately; 0: none */
	uint8_t *at;
};

static void map_file(void *user)
{
	struct reader *r = user;
	int fd = open(r->path, O_RDWR | O_CLOEXEC);

	r->at = mmap(NULL, N * FLOW_PAGE, PROT_READ | PROT_WRITE, r->flags, fd,
		     0);
	if (fd < 0 || r->at == MAP_FAILED)
		_exit(1);
	for (size_t i = 0; i < N; i++)
		(void)((volatile uint8_t *)r->at)[i * FLOW_PAGE];
	if (r->to_write) /* the same bytes: is_page() holds */
		((volatile uint8_t *)r->at)[r->to_write * FLOW_PAGE] =
			r->at[r->to_write * FLOW_PAGE];
}

/* How often each page came, in sum. */
static size_t look(const struct reader *reader, struct frames *frames,
		   uint8_t count[N])
{
	struct reader *r = child_shared(sizeof(*r));
	struct target t;
	size_t sum = 0;
	pid_t pid;

	*r = *reader;
	memset(count, 0, N);
	pid = child_start(map_file, r);
	aim(&t, pid, r->at, frames);
	mem_use_filecache(t.mem, cache, looked_for);
	mem_start(t.mem, t.region);
	assert_int_equal(read_all(&t, count), 0);
	assert_int_equal(mem_counts(t.mem)->read_bytes +
				 mem_counts(t.mem)->shared_bytes,
			 N * FLOW_PAGE);
	for (size_t i = 0; i < N; i++)
		sum += count[i];
	miss(&t);
	child_end(pid);
	munmap(r, sizeof(*r));
	return sum;
}

static uint8_t count[N];

static size_t look_at_file(int flags)
{
	struct reader r = { .path = path, .flags = flags };

	return look(&r, NULL, count);
}

/* ---- tests ------------------------------------------------------------------ */

static void an_unchanged_file_is_read_once(void **state)
{
	(void)state;
	assert_int_equal(look_at_file(MAP_PRIVATE), N);
	assert_int_equal(look_at_file(MAP_PRIVATE), 0);
	assert_int_equal(look_at_file(MAP_SHARED), 0);
}

static void a_young_file_is_read_each_time(void **state)
{
	(void)state;
	ahead = FILECACHE_AGE_S - 60;
	assert_int_equal(look_at_file(MAP_PRIVATE), N);
	assert_int_equal(look_at_file(MAP_PRIVATE), N);
}

static void a_changed_file_is_read_again(void **state)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char byte;

	(void)state;
	look_at_file(MAP_PRIVATE);
	assert_int_equal(pread(fd, &byte, 1, 7), 1);
	usleep(20000); /* the kernel's clock of files ticks */
	assert_int_equal(pwrite(fd, &byte, 1, 7), 1);
	close(fd);
	assert_int_equal(look_at_file(MAP_PRIVATE), N);
	assert_int_equal(look_at_file(MAP_PRIVATE), 0);
}

static void a_file_written_through_a_mapping_is_read_again(void **state)
{
	struct reader r = { .path = path, .flags = MAP_SHARED, .to_write = 9 };

	(void)state;
	look_at_file(MAP_PRIVATE);
	usleep(20000);
	assert_int_equal(look(&r, NULL, count), N);
}

static void a_file_of_another_length_is_read_again(void **state)
{
	(void)state;
	look_at_file(MAP_PRIVATE);
	usleep(20000);
	assert_int_equal(truncate(path, N * FLOW_PAGE + 1), 0);
	assert_int_equal(look_at_file(MAP_PRIVATE), N);
}

static void a_file_in_its_place_is_read(void **state)
{
	char other[160];

	(void)state;
	look_at_file(MAP_PRIVATE);
	snprintf(other, sizeof(other), "%s.new", path);
	write_file(other);
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(look_at_file(MAP_PRIVATE), N);
}

static void a_page_of_its_own_is_read(void **state)
{
	struct reader r = { .path = path, .flags = MAP_PRIVATE,
			    .to_write = 77 };

	(void)state;
	look_at_file(MAP_PRIVATE);
	assert_int_equal(look(&r, NULL, count), 1);
	assert_int_equal(count[77], 1);
	/* And the file's own page is still what it was. */
	assert_int_equal(look_at_file(MAP_PRIVATE), 0);
}

/* Its pages may be held to be written to at any time. */
static void a_file_that_users_may_write_is_read_each_time(void **state)
{
	static const struct {
		uid_t uid;
		mode_t mode;
	} theirs[] = {
		{ 1000, 0644 }, { 1000, 0444 }, { 0, 0664 }, { 0, 0646 }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
		assert_int_equal(chown(path, theirs[i].uid, 0), 0);
		assert_int_equal(chmod(path, theirs[i].mode), 0);
		assert_int_equal(look_at_file(MAP_PRIVATE), N);
		assert_int_equal(look_at_file(MAP_PRIVATE), N);
	}
}

/* What others serve may never answer: it is not asked what it is. */
static void a_served_file_is_not_asked_for(void **state)
{
	struct reader *r = child_shared(sizeof(*r));
	struct region served;
	struct target t;
	pid_t pid;

	(void)state;
	*r = (struct reader){ .path = path, .flags = MAP_PRIVATE };
	pid = child_start(map_file, r);
	aim(&t, pid, r->at, NULL);
	mem_use_filecache(t.mem, cache, looked_for);
	mem_start(t.mem, t.region);
	assert_true(t.mem->file);
	served = *t.region;
	served.dev = 0xfffff; /* mounted nowhere that we see */
	assert_true(mem_may_stall(t.mem, &served));
	mem_start(t.mem, &served);
	assert_false(t.mem->file);
	miss(&t);
	child_end(pid);
	munmap(r, sizeof(*r));
}

static void other_rules_look_again(void **state)
{
	(void)state;
	look_at_file(MAP_PRIVATE);
	looked_for++;
	assert_int_equal(look_at_file(MAP_PRIVATE), N);
	looked_for--;
	assert_int_equal(look_at_file(MAP_PRIVATE), 0);
}

/* tmpfs keeps no ctime of writes through mappings. */
static void memory_files_are_read_each_time(void **state)
{
	struct reader r = { .path = "/dev/shm/test_filecache",
			    .flags = MAP_PRIVATE };

	(void)state;
	write_file(r.path);
	for (int i = 0; i < 3; i++)
		assert_int_equal(look(&r, NULL, count), N);
	unlink(r.path);
}

static void it_forgets_rather_than_grows(void **state)
{
	const uint64_t n = 3UL << PAGES_LOG2;

	(void)state;
	for (uint64_t i = 0; i < n; i++)
		filecache_mark(cache, 1, i * FLOW_PAGE, CONTENT_CODE);
	assert_true(
		filecache_clean(cache, 1, (n - 1) * FLOW_PAGE, CONTENT_CODE));
	assert_false(filecache_clean(cache, 2, 0, CONTENT_PLAIN));
	filecache_mark(cache, 3, 0, CONTENT_DATA);
	assert_true(filecache_clean(cache, 3, 0, CONTENT_PLAIN));
	assert_true(filecache_clean(cache, 3, 0, CONTENT_DATA));
	assert_false(filecache_clean(cache, 3, 0, CONTENT_CODE));
}

/* ---- frames without numbers ---------------------------------------------------- */

/* Frame numbers are for those with CAP_SYS_ADMIN; it can be taken back. */
static void set_admin(bool on)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &head, data), 0);
	if (on)
		data[0].effective |= 1U << CAP_SYS_ADMIN;
	else
		data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	assert_int_equal(syscall(SYS_capset, &head, data), 0);
}

static void by_file_where_frames_have_no_numbers(void **state)
{
	struct reader r = { .path = path, .flags = MAP_PRIVATE };
	struct reader own = { .path = path, .flags = MAP_PRIVATE,
			      .to_write = 5 };
	struct reader hidden = { .path = "/dev/shm/test_filecache",
				 .flags = MAP_SHARED };
	struct filecache *saved = cache;
	struct reader *keep = child_shared(sizeof(*keep));
	struct frames *f;
	pid_t other;

	(void)state;
	cache = NULL;
	*keep = r;
	other = child_start(map_file, keep); /* pages have two owners */
	set_admin(false);
	assert_int_equal(frames_new(&f), 0);
	assert_int_equal(look(&r, f, count), N);
	assert_int_equal(look(&r, f, count), 0);
	assert_int_equal(look(&own, f, count), 1);
	assert_int_equal(count[5], 1);
	frames_reset(f);
	assert_int_equal(look(&r, f, count), N);
	child_end(other);
	/* On a file system that is not known to be sound, as it is for us. */
	f->mounts.n = 0;
	frames_reset(f);
	f->mounts.n = 0;
	write_file(hidden.path);
	*keep = hidden;
	other = child_start(map_file, keep);
	for (int i = 0; i < 2; i++)
		assert_int_equal(look(&hidden, f, count), N);
	child_end(other);
	unlink(hidden.path);
	set_admin(true);
	frames_free(f);
	munmap(keep, sizeof(*keep));
	cache = saved;
}

/* ---- start ---------------------------------------------------------------------- */

static int fresh(void **state)
{
	(void)state;
	ahead = 3600;
	looked_for = 1;
	snprintf(path, sizeof(path), "%s/file", directory);
	write_file(path);
	return filecache_new(&cache);
}

static int over(void **state)
{
	(void)state;
	filecache_free(cache);
	return unlink(path);
}

static int make(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static bool can_be_cached(void)
{
	int fd = open("/var/tmp", O_PATH | O_CLOEXEC);
	bool can = geteuid() == 0 && keeps_ctime(fd);

	close(fd);
	return can;
}

static void nothing_to_cache(void **state)
{
	(void)state;
	puts("not root, or /var/tmp is on no file system that is cached");
	skip();
}

static int drop(void **state)
{
	(void)state;
	return rmdir(directory);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, over)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_unchanged_file_is_read_once),
		TEST(a_young_file_is_read_each_time),
		TEST(a_changed_file_is_read_again),
		TEST(a_file_written_through_a_mapping_is_read_again),
		TEST(a_file_of_another_length_is_read_again),
		TEST(a_file_in_its_place_is_read),
		TEST(a_page_of_its_own_is_read),
		TEST(a_file_that_users_may_write_is_read_each_time),
		TEST(a_served_file_is_not_asked_for),
		TEST(other_rules_look_again),
		TEST(memory_files_are_read_each_time),
		TEST(it_forgets_rather_than_grows),
		TEST(by_file_where_frames_have_no_numbers),
	};

	const struct CMUnitTest none[] = { cmocka_unit_test(nothing_to_cache) };

	if (child_emulated())
		return child_skip_group();
	if (!can_be_cached())
		return cmocka_run_group_tests(none, NULL, NULL);
	return cmocka_run_group_tests(tests, make, drop);
}
