/* report_confine.c - what davylamp-report gives up before it speaks to anyone.
 *
 * Which calls libcurl, OpenSSL and libc's resolver make was measured with
 * strace over tests/e2e/test_report.py; the rest are what other versions of
 * them are known to use for the same.  A call that is not listed fails. */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "confine.h"
#include "report_auth_own.h"
#include "report_confine.h"
#include "report_json.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const int calls[] = {
	/* memory; libc maps modules for nsswitch.conf when it needs them */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(munmap),
	SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(membarrier),
	/* files, which Landlock limits */
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read),
	SCMP_SYS(pread64), SCMP_SYS(readv), SCMP_SYS(write),
	SCMP_SYS(pwrite64), SCMP_SYS(writev), SCMP_SYS(lseek),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat), SCMP_SYS(statx),
	SCMP_SYS(newfstatat), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
	SCMP_SYS(getdents64), SCMP_SYS(fcntl), SCMP_SYS(dup),
	SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(flock), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(fchmod),
	SCMP_SYS(umask), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(ioctl),
	/* the network */
	SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect),
	SCMP_SYS(bind), SCMP_SYS(shutdown), SCMP_SYS(sendto),
	SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select),
	SCMP_SYS(pselect6), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2), SCMP_SYS(pipe),
	/* threads: a name is resolved in one of its own */
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(futex),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(gettid), SCMP_SYS(tgkill),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	/* time, signals, and who one is */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(alarm),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(sysinfo),
	SCMP_SYS(prlimit64), SCMP_SYS(getrusage),
};

/* Names, certificates, and what libc loads for both. */
static const char *const system_paths[] = {
	"/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve",
	"/run/resolvconf", "/run/NetworkManager", "/run/nscd",
	"/var/lib/ca-certificates", "/dev/null", "/dev/urandom",
	"/sys/class/dmi/id", "/sys/devices/virtual/dmi/id",
};

/* The folder that a file is in. */
static void folder_of(const char *file, char ret[static CONFIG_TEXT])
{
	char *slash;

	snprintf(ret, CONFIG_TEXT, "%s", file);
	slash = strrchr(ret, '/');
	if (!slash)
		strcpy(ret, ".");
	else
		slash[slash == ret] = '\0';
}

/* An external account's token lies where its file says. */
static void token_of(const char *credentials, char ret[static CONFIG_TEXT])
{
	struct why why = { "" };
	json_object *file, *source;
	const char *path;
	size_t len;
	char *text;

	ret[0] = '\0';
	text = credentials[0] ? report_auth_file(credentials, &len, &why)
			      : NULL;
	file = text ? report_json_parse(text, len) : NULL;
	source = report_json_get(file, "credential_source", json_type_object);
	path = report_json_text(source, "file");
	if (path) /* its folder: the token is replaced by a rename */
		folder_of(path, ret);
	json_object_put(file);
	free(text);
}

int report_confine(const struct config *c, const char *file, struct why *why)
{
	struct confine_path paths[N(system_paths) + 40] = { { NULL, false } };
	char findings[CONFIG_TEXT], token[CONFIG_TEXT], own[CONFIG_TEXT];
	size_t n = 0;

	for (; n < N(system_paths); n++)
		paths[n].path = system_paths[n];
	if (c->findings.file[0] == '/') {
		folder_of(c->findings.file, findings);
		(void)mkdir(findings, 0750); /* to have what to name */
		paths[n++] = (struct confine_path){ findings, true };
	}
	token_of(c->scc.credentials, token);
	paths[n++] = (struct confine_path){ c->spool.path, true };
	paths[n++].path = c->scc.credentials;
	if (file) { /* for a reload; the others are in /etc and /usr */
		folder_of(file, own);
		paths[n++].path = own;
	}
	paths[n++].path = token;
	paths[n++].path = getenv("SSL_CERT_FILE") ?: "";
	paths[n++].path = getenv("SSL_CERT_DIR") ?: "";
	confine_files(paths, n);
	if (confine_no_capabilities())
		return why_set(why, -EPERM, "capabilities can not be given up");
	return confine_calls(calls, N(calls), CONFINE_REFUSE, why);
}
