/* cmd_doctor.c - `davylamp doctor`: what works here, what does not, and the
 * command that mends it.
 *
 * Each check tries the very thing, on a child of ours, rather than asking for
 * versions or capabilities. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cmd_doctor_own.h"
#include "commands.h"
#include "confine.h"
#include "defaultset.h"
#include "hashset.h"
#include "kernel.h"
#include "match.h"
#include "mem.h"
#include "proc.h"
#include "show.h"

#define VALUE 0x676f6f64 /* what the child has in its memory */

struct patient {
	pid_t pid; /* a child that holds VALUE at @at */
	uint64_t *at;
	struct proc proc;
};

static void say(struct diagnosis *d, bool works, const char *found,
		const char *mend)
{
	d->works = works;
	snprintf(d->found, sizeof(d->found), "%s", found);
	snprintf(d->mend, sizeof(d->mend), "%s", works ? "" : mend);
}

/* ---- checks ---------------------------------------------------------- */

static void check_root(struct patient *p, struct diagnosis *d)
{
	struct proc init;
	int procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;

	(void)p;
	if (procfs >= 0 && proc_open(procfs, getppid(), &init) == 0) {
		fd = openat(init.dir, "mem", O_RDONLY | O_CLOEXEC);
		proc_close(&init);
	}
	say(d, geteuid() == 0 && fd >= 0,
	    geteuid() == 0 ? fd >= 0 ? "root, and /proc/PID/mem opens"
				     : "root, but /proc/PID/mem is refused"
			   : "not root: only your own processes can be read",
	    geteuid() ? "sudo davylamp scan"
		      : "give CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
	if (fd >= 0)
		close(fd);
	if (procfs >= 0)
		close(procfs);
}

static void check_readv(struct patient *p, struct diagnosis *d)
{
	uint64_t value = 0;
	struct iovec here = { &value, 8 }, there = { p->at, 8 };
	bool works = process_vm_readv(p->pid, &here, 1, &there, 1, 0) == 8 &&
		     value == VALUE;

	say(d, works, works ? "process_vm_readv works" : strerror(errno),
	    "pages are read through /proc/PID/mem, at half the speed; a "
	    "seccomp filter around us may forbid it");
}

static void check_pagemap(struct patient *p, struct diagnosis *d)
{
	struct mem *m = NULL;
	bool scan = false,
	     works = mem_new(NULL, &m) == 0 && mem_attach(m, &p->proc) == 0;

	if (works)
		scan = mem_can_scan(m);
	say(d, works,
	    !works ? "pagemap can not be read"
	    : scan ? "PAGEMAP_SCAN works"
		   : "pagemap; PAGEMAP_SCAN (Linux 6.7) is faster",
	    "nothing can be scanned; mount /proc, be root");
	mem_free(m);
}

static void check_frames(struct patient *p, struct diagnosis *d)
{
	uint64_t entry = 0;
	int fd = openat(p->proc.dir, "pagemap", O_RDONLY | O_CLOEXEC);
	long page = sysconf(_SC_PAGESIZE);
	bool works =
		fd >= 0 &&
		pread(fd, &entry, 8,
		      (off_t)((uintptr_t)p->at / (uintptr_t)page * 8)) == 8 &&
		entry & ((1ULL << 55) - 1);

	say(d, works,
	    works ? "frame numbers are shown" : "frame numbers are hidden",
	    "memory that processes share is read once for each: give "
	    "CAP_SYS_ADMIN");
	if (fd >= 0)
		close(fd);
}

static void check_variant(struct patient *p, struct diagnosis *d)
{
	char all[64], found[128];

	(void)p;
	kernel_describe(all, sizeof(all));
	snprintf(found, sizeof(found), "%s, of %s", kernel_used()->name, all);
	say(d, true, found, "");
}

static void check_matcher(struct patient *p, struct diagnosis *d)
{
	struct match_options o = { 0 };
	struct match *m = NULL;
	struct why why = { "" };
	char found[160] = "";
	bool works = match_new(&o, &m, &why) == 0;
	size_t n;

	(void)p;
	if (works) {
		match_rules(m, &n);
		snprintf(found, sizeof(found),
			 "%s, %zu rules, %s, %" PRIu64 " (%s)",
			 match_engine(m), n,
			 match_default(m)->path[0] ? "signed" : "built in",
			 match_default(m)->version, match_version(m));
	}
	say(d, works, works ? found : "davylamp-match does not start",
	    why.text);
	match_free(m);
}

static void check_set(struct patient *p, struct diagnosis *d)
{
	struct hashset *set = NULL;
	struct why why = { "" };
	char found[160] = "";
	bool works = defaultset_open(NULL, &set, &why) == 0;

	(void)p;
	if (works)
		snprintf(found, sizeof(found),
			 "%u digests of %u "
			 "binaries, version %s",
			 hashset_n_pages(set), hashset_n_binaries(set),
			 hashset_version(set));
	say(d, works, works ? found : "the hash set can not be used", why.text);
	hashset_free(set);
}

static void check_procfs(struct patient *p, struct diagnosis *d)
{
	(void)p;
	doctor_procfs(d);
}

static void check_tasks(struct patient *p, struct diagnosis *d)
{
	(void)p;
	doctor_tasks(d);
}

static void check_sensors(struct patient *p, struct diagnosis *d)
{
	(void)p;
	doctor_sensors(d);
}

/* Each, and what is lost without it. */
static void check_capabilities(struct patient *p, struct diagnosis *d)
{
	const char *name, *without, *last = "";
	size_t at = 0, n_missing = 0;
	bool there;

	(void)p;
	for (size_t i = 0; (without = confine_capability(i, &name, &there));
	     i++) {
		bool again = !strcmp(last, without);

		if (there || at >= sizeof(d->mend))
			continue;
		at += (size_t)snprintf(d->mend + at, sizeof(d->mend) - at,
				       "%s%s: %s", n_missing ? "; " : "", name,
				       again ? "likewise" : without);
		last = without;
		n_missing++;
	}
	d->works = n_missing == 0;
	snprintf(d->found, sizeof(d->found),
		 n_missing ? "%zu that there is a use for are missing"
			   : "all that there is a use for",
		 n_missing);
}

static const struct {
	const char *name;
	void (*check)(struct patient *, struct diagnosis *);
	bool needed; /* without it, some processes are not looked at */
} checks[] = {
	{ "rights", check_root, true },
	{ "capable", check_capabilities, false },
	{ "resident", check_pagemap, true },
	{ "copying", check_readv, false },
	{ "frames", check_frames, false },
	{ "procfs", check_procfs, false },
	{ "tasks", check_tasks, false },
	{ "sensors", check_sensors, false },
	{ "variant", check_variant, true },
	{ "rules", check_matcher, true },
	{ "hash set", check_set, true },
};

/* ---- the visit ------------------------------------------------------- */

static int start_patient(struct patient *p)
{
	int procfs = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	p->at = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (procfs < 0 || p->at == MAP_FAILED)
		return -errno;
	*p->at = VALUE;
	p->pid = fork();
	if (p->pid == 0) {
		pause();
		_exit(0);
	}
	err = p->pid < 0 ? -errno : proc_open(procfs, p->pid, &p->proc);
	close(procfs);
	return err;
}

int cmd_doctor(int argc, char **argv)
{
	struct patient p = { .proc.dir = -1 };
	struct show show;
	struct utsname u;
	int status = EXIT_CLEAN, err;

	if (argc > 1) {
		puts("usage: davylamp doctor\n\nTries what a scan needs and "
		     "says what does not work, and what mends it.\n\n"
		     "Exit status: 0 all works, 3 a scan would not be "
		     "complete, "
		     "4 unable.");
		return strcmp(argv[1], "--help") ? EXIT_USAGE : EXIT_CLEAN;
	}
	err = start_patient(&p);
	if (err) {
		fprintf(stderr, "davylamp doctor: %s\n", strerror(-err));
		return EXIT_UNABLE;
	}
	uname(&u);
	show_init(&show, stdout);
	printf("davylamp %s, Linux %s, %s\n", DAVYLAMP_VERSION, u.release,
	       u.machine);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct diagnosis d = { .found = "" };

		checks[i].check(&p, &d);
		printf("%-4s%-10s%s\n", d.works ? "ok" : "NO", checks[i].name,
		       d.found);
		if (d.mend[0])
			show_field(&show, "", d.mend);
		if (!d.works && checks[i].needed)
			status = EXIT_INCOMPLETE;
	}
	kill(p.pid, SIGKILL);
	waitpid(p.pid, NULL, 0);
	proc_close(&p.proc);
	return status;
}
