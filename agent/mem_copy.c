/* mem_copy.c - copying what is resident, the fastest way that is allowed. */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "mem_own.h"
#include "reader.h"

/* Pages from @i that stand behind each other and go the same way. */
static size_t run_length(const struct mem *m, size_t i)
{
	size_t n = 1;

	while (i + n < m->n_pages && n < RUN_MAX &&
	       m->fast[i + n] == m->fast[i] &&
	       m->address[i + n] == m->address[i] + n * FLOW_PAGE)
		n++;
	return n;
}

/* May a page at @at never come once it is gone?  Then a reader of its own
 * copies it. */
static bool may_stall(const struct mem *m, uint64_t at)
{
	const struct region *r = m->region;

	return !r || at < r->start || at >= r->end || mem_may_stall(m, r);
}

/* After what did not come nothing else is waited for. */
static bool have_reader(struct mem *m)
{
	if (!m->given_up && !m->reader && reader_new(m->mem_fd, &m->reader))
		m->given_up = true;
	return !m->given_up;
}

static ssize_t noted(struct mem *m, ssize_t got)
{
	m->given_up |= got == -ETIMEDOUT || got == -EPIPE;
	return got;
}

static ssize_t read_vm(struct mem *m, struct iovec *here,
		       const struct iovec *there, size_t n)
{
	if (!may_stall(m, (uintptr_t)there->iov_base))
		return process_vm_readv(m->proc->pid, here, 1, there, n, 0);
	return have_reader(m)
		       ? noted(m, reader_vm(m->reader, m->proc->pid, there, n,
					    here->iov_base, here->iov_len))
		       : -1;
}

ssize_t mem_read(struct mem *m, void *buf, size_t len, uint64_t at)
{
	if (!may_stall(m, at))
		return pread(m->mem_fd, buf, len, (off_t)at);
	return have_reader(m)
		       ? noted(m, reader_read(m->reader, buf, len, (off_t)at))
		       : -1;
}

/* Copies fast pages from @i on, in one call for several runs.  Returns how
 * many pages; 0: the first could not be read this way. */
static size_t copy_fast(struct mem *m, size_t i)
{
	struct iovec there[64];
	struct iovec here = { m->bytes + i * FLOW_PAGE, 0 };
	size_t n = 0;
	ssize_t got;

	for (size_t at = i; at < m->n_pages && m->fast[at] && n < 64; n++) {
		size_t pages = run_length(m, at);

		there[n].iov_base = (void *)(uintptr_t)m->address[at];
		there[n].iov_len = pages * FLOW_PAGE;
		here.iov_len += pages * FLOW_PAGE;
		at += pages;
		/* One long run a call: what was copied is still in cache. */
		if (here.iov_len >= RUN_MAX * FLOW_PAGE) {
			n++;
			break;
		}
	}
	got = read_vm(m, &here, there, n);
	return got < FLOW_PAGE ? 0 : (size_t)got / FLOW_PAGE;
}

/* The same through /proc/PID/mem, one run; -ESRCH: the memory is no more. */
static ssize_t copy_slow(struct mem *m, size_t i)
{
	size_t len = run_length(m, i) * FLOW_PAGE;
	ssize_t got = mem_read(m, m->bytes + i * FLOW_PAGE, len, m->address[i]);

	if (got == 0)
		return -ESRCH;
	return got < FLOW_PAGE ? 0 : got / FLOW_PAGE;
}

/* Device memory and a page that went away between pagemap and copy, or that
 * does not come: it is shown to the sweep as zeros, and counted.  Its frame was
 * not looked at. */
static void give_up(struct mem *m, size_t i)
{
	memset(m->bytes + i * FLOW_PAGE, 0, FLOW_PAGE);
	m->counts.unreadable_bytes += FLOW_PAGE;
	m->pfn[i] = 0;
	m->of_file[i] = false;
}

int mem_copy(struct mem *m)
{
	for (size_t i = 0; i < m->n_pages;) {
		ssize_t n = m->fast[i] ? (ssize_t)copy_fast(m, i) : 0;

		if (n == 0)
			n = copy_slow(m, i);
		if (n < 0)
			return (int)n;
		if (n == 0) {
			give_up(m, i);
			n = 1;
		}
		i += (size_t)n;
	}
	m->counts.read_bytes += m->n_pages * FLOW_PAGE;
	return 0;
}
