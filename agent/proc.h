/* proc.h - which processes there are, and what one is.
 * Directory entries are read by the raw system call: an LD_PRELOAD library
 * that edits readdir(3) on this host hides nothing from us. */
#ifndef PROC_H
#define PROC_H

#include "capture.h"
#include "flow.h"

/* The process id that @text is, 0 if it is none. */
pid_t proc_parse_pid(const char *text);

/* All pids below @procfs (a directory descriptor of a mounted procfs, or of
 * some process's task/), in ascending order; *ret is for the caller to free.
 * 0 or -errno. */
int proc_list(int procfs, pid_t **ret, size_t *ret_n);

/* Opens @pid: identity, state, owner, times.  -ESRCH: it is gone;
 * -EACCES/-EPERM: hidden from us (hidepid); -EXDEV: another process's
 * directory is mounted over it.  On 0 the caller owes proc_close(). */
int proc_open(int procfs, pid_t pid, struct proc *ret);

/* The process that was saved in @capture, which must outlive *ret: @dir is -1,
 * and whoever asks for its files or memory gets what was saved.  -EBADMSG: its
 * texts are not of the kernel's form. */
int proc_of_capture(struct capture *capture, struct proc *ret);

/* Reads the small file @which of the process, however it is there, as
 * io_read_at() does. */
ssize_t proc_read(const struct proc *, enum capture_text which, char *ret,
		  size_t cap);
/* The same without opening it and without its owner: cheaper, for a census.
 * ret->dir is -1. */
int proc_identify(int procfs, pid_t pid, struct proc *ret);

/* Harmless on a struct that proc_open() refused. */
void proc_close(struct proc *);

/* Reads state, threads and CPU time again; the state is that of thread @tid as
 * long as it lives.  -ESRCH: the process has ended. */
int proc_refresh(struct proc *);

/* That, and its owner, which another program may have changed. */
int proc_reread(struct proc *);

/* Had it ended when it was read?  A zombie has no memory left to read, unless
 * only its first thread is one: the others have it until they end, too. */
bool proc_is_dead(const struct proc *);

/* Has it now?  Asked of the process, whatever became of the thread @tid. */
bool proc_gone(const struct proc *);

/* If thread @tid has no memory any more, turns to one that has, if there is
 * one, the youngest first.  True: @dir is another one now. */
bool proc_turn(struct proc *);

/* Is @p the process that @pidfd refers to?  As /proc/self/fdinfo says. */
bool proc_is(const struct proc *p, int pidfd);

/* Share of one core, 1.0 = a whole core: between two looks if they are at
 * least a quarter of a second apart, else since the process began. */
double proc_cpu_share(const struct proc *earlier, const struct proc *later);

/* How long a thread has waited for a processor since it began, ns. */
struct proc_wait {
	pid_t tid;
	uint64_t ns;
};

/* Those of the threads of @p that live, by tid; the caller frees *ret.  Their
 * number; 0 with *ret NULL if the kernel does not say.  A file is read for
 * each. */
size_t proc_waits(const struct proc *p, struct proc_wait **ret);

/* The longest that any thread waited between @earlier and @later, ns: work
 * wants a processor all the while, many threads that wake now and then do not.
 */
uint64_t proc_longest_wait(const struct proc_wait *earlier, size_t n_earlier,
			   const struct proc_wait *later, size_t n_later);

/* proc_pid_stat(5) text into @ret (all but uid and dir).  -EBADMSG if it
 * is not of that form. */
int proc_parse_stat(const char *text, size_t len, struct proc *ret);

#endif
