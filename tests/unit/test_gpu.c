#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "child.h"
#include "gpu.c"

static void drivers_have_majors(void **state)
{
	static const char text[] = "Character devices:\n"
				   "  1 mem\n"
				   "195 nvidia\n"
				   "235 kfd\n"
				   "507 nvidia-uvm-tools\n"
				   "508 nvidia-uvm\n"
				   "\n"
				   "Block devices:\n"
				   "  8 kfd\n"
				   "259 blkext\n";
	struct majors m;

	(void)state;
	parse_devices(text, &m);
	assert_int_equal(m.n, 2);
	assert_int_equal(m.number[0], 235);
	assert_int_equal(m.number[1], 508);
	parse_devices("Character devices:\n  1 mem\n\nBlock devices:\n", &m);
	assert_int_equal(m.n, 0);
	parse_devices("", &m);
	assert_int_equal(m.n, 0);
	parse_devices("7 kfd\n8 kfd\n9 kfd", &m);
	assert_int_equal(m.n, 2);
}

/* ---- a device by another name ----------------------------------------- */

/* /dev/zero's number stands for a card's: who maps that maps a device, too. */
static const struct majors memory = { 1, { 1 } }, none = { 1, { 4000 } };

static char path[] = "/var/tmp/test_gpu.XXXXXX";

static void map_device(void *user)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	(void)user;
	if (fd < 0 || mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
			   0) == MAP_FAILED)
		_exit(1);
	close(fd);
}

static bool child_computes(void (*body)(void *), const struct majors *m)
{
	pid_t pid = child_start(body, NULL);
	struct proc p = child_proc(pid);
	struct maps *maps;
	bool does;

	assert_int_equal(maps_read(&p, 0, &maps), 0);
	does = computes_by(m, &p, maps);
	assert_false(gpu_computes(&p, maps)); /* by its name */
	maps_free(maps);
	proc_close(&p);
	child_end(pid);
	return does;
}

static void a_device_is_known_by_its_number(void **state)
{
	(void)state;
	if (child_skip_emulated())
		skip();
	close(mkstemp(path));
	unlink(path);
	if (geteuid() || mknod(path, S_IFCHR | 0600, makedev(1, 5)) ||
	    access(path, R_OK)) {
		puts("no device can be made");
		skip();
	}
	assert_true(child_computes(map_device, &memory));
	assert_false(child_computes(map_device, &none));
	assert_false(child_computes(NULL, &memory));
	unlink(path);
}

/* As one is seen whose first thread has ended: by another. */
static void without_a_first_thread_descriptors_tell(void **state)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct proc p = child_proc(getpid());
	struct maps *maps;
	char name[64];

	(void)state;
	if (child_skip_emulated())
		skip();
	assert_int_equal(maps_read(&p, 0, &maps), 0);
	assert_false(computes_by(&memory, &p, maps));
	snprintf(name, sizeof(name), "task/%d", getpid());
	p.dir = openat(p.dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p.tid = p.pid + 1;
	assert_true(computes_by(&memory, &p, maps));
	assert_false(computes_by(&none, &p, maps));
	close(zero);
	maps_free(maps);
	close(p.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drivers_have_majors),
		cmocka_unit_test(a_device_is_known_by_its_number),
		cmocka_unit_test(without_a_first_thread_descriptors_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
