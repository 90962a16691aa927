/* reader.h - copies of another process's memory that may never come.
 *
 * Who reads a page that went away waits in the kernel until it comes back:
 * where a program serves it, for ever, and FUSE lets not even SIGKILL end
 * that wait.  So a process of its own reads, which can be left behind. */
#ifndef READER_H
#define READER_H

#include <sys/types.h>
#include <sys/uio.h>

#define READER_BYTES  (1U << 20) /* that one call copies, at most */
#define READER_PIECES 64
#define READERS_LOST  8 /* left behind and still waiting, at most */

struct reader;

/* Starts one, which reads through @mem, too (/proc/PID/mem, borrowed until
 * then).  -EBUSY: READERS_LOST wait. */
int reader_new(int mem, struct reader **ret);

/* Ends it; one that waits is left behind. */
void reader_free(struct reader *);

/* As process_vm_readv(2) of @tid into one buffer; the pieces may not be longer
 * than it is.  -ETIMEDOUT: it did not come within 300 ms, nor will
 * anything else through this reader. */
ssize_t reader_vm(struct reader *, pid_t tid, const struct iovec *there,
		  size_t n, void *buf, size_t len);

/* As pread(2) of @mem; likewise. */
ssize_t reader_mem(struct reader *, void *buf, size_t len, off_t at);

#endif
