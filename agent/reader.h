/* reader.h - copies of memory and of files that may never come.
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

/* Starts one, which reads @file, too: /proc/PID/mem, or what an O_PATH
 * descriptor stands for (reader_open()).  @file is borrowed until then.
 * -EBUSY: READERS_LOST wait. */
int reader_new(int file, struct reader **ret);

/* Ends it; one that waits is left behind. */
void reader_free(struct reader *);

/* As process_vm_readv(2) of @tid into one buffer; the pieces may not be longer
 * than it is.  -ETIMEDOUT: it did not come within 300 ms, nor will
 * anything else through this reader. */
ssize_t reader_vm(struct reader *, pid_t tid, const struct iovec *there,
		  size_t n, void *buf, size_t len);

/* As pread(2) of @file; likewise. */
ssize_t reader_read(struct reader *, void *buf, size_t len, off_t at);

/* Opens the file that the O_PATH descriptor @file stands for, for
 * reader_read().  0 or -errno; -ETIMEDOUT, here and then: 1.2 s, since disks
 * are slower than memory. */
int reader_open(struct reader *);

#endif
