/* sensor_load.c - BPF objects that are built into the program.
 *
 * libbpf says what went wrong in messages only; the last one that tells of a
 * program's refusal is kept for the person who can mend it. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "io.h"
#include "sensor_load.h"
#include "text.h"

/* PROC_PID_INIT_INO, include/linux/proc_ns.h */
#define INITIAL_PID_NAMESPACE "pid:[4026531836]"

static __thread char first_said[256], refused[64];

/* "libbpf: prog 'NAME': what happened" */
static int on_message(enum libbpf_print_level level, const char *format,
		      va_list ap)
{
	char text[512], *end;

	if (level != LIBBPF_WARN || first_said[0])
		return 0;
	vsnprintf(text, sizeof(text), format, ap);
	end = strchr(text, '\n');
	if (end)
		*end = '\0';
	sscanf(text, "libbpf: prog '%63[^']'", refused);
	text_escape_str(strncmp(text, "libbpf: ", 8) ? text : text + 8,
			first_said, sizeof(first_said));
	return 0;
}

static void listen_to_libbpf(void)
{
	first_said[0] = refused[0] = '\0';
	libbpf_set_print(on_message);
}

int sensor_initial_pids(struct why *why)
{
	char space[64];

	if (io_link_at(AT_FDCWD, "/proc/self/ns/pid", space, sizeof(space)) < 0)
		return why_set(why, -errno,
			       "/proc/self/ns/pid can not be "
			       "read: mount /proc");
	if (strcmp(space, INITIAL_PID_NAMESPACE))
		return why_set(why, -EXDEV,
			       "this is a container's pid namespace: run on "
			       "the host, or with its (--pid=host)");
	return 0;
}

int sensor_load_possible(struct why *why)
{
	int err = sensor_initial_pids(why);

	if (err)
		return err;
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return why_set(why, -errno,
			       "/sys/kernel/btf/vmlinux: %s; the kernel needs "
			       "CONFIG_DEBUG_INFO_BTF",
			       strerror(errno));
	return 0;
}

int sensor_load_open(const void *bytes, size_t len, struct bpf_object **ret,
		     struct why *why)
{
	struct bpf_object *o;

	listen_to_libbpf();
	o = bpf_object__open_mem(bytes, len, NULL);
	if (!o)
		return why_set(why, -errno, "the built-in BPF object: %s",
			       first_said[0] ? first_said : strerror(errno));
	*ret = o;
	return 0;
}

static const char *mend(int err)
{
	if (err == -EPERM)
		return geteuid() ? "; needs CAP_BPF and CAP_PERFMON"
				 : "; a capability, lockdown or a security "
				   "module forbids it";
	return "";
}

int sensor_load(struct bpf_object *o, char ret_refused[static 64],
		struct why *why)
{
	int err;

	listen_to_libbpf();
	err = bpf_object__load(o);
	snprintf(ret_refused, 64, "%s", err ? refused : "");
	if (err) /* that it may load none at all it says at length */
		why_set(why, err, "%s%s",
			refused[0] ? first_said : strerror(-err), mend(err));
	return err;
}

struct bpf_link *sensor_attach(struct bpf_program *p, int cgroup,
			       struct why *why)
{
	struct bpf_link *link;
	int err;

	listen_to_libbpf();
	link = cgroup >= 0 ? bpf_program__attach_cgroup(p, cgroup)
			   : bpf_program__attach(p);
	err = errno;
	if (!link)
		why_set(why, -err, "%s%s",
			first_said[0] ? first_said : strerror(err), mend(-err));
	return link;
}
