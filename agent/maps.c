/* maps.c - the mappings of a process, the suspicious ones first. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "capture.h"
#include "io.h"
#include "maps.h"

#define NAME_BYTES     (4 * 4096) /* a path of open(2), each byte as \ooo */
#define LINE_MAX_BYTES (NAME_BYTES + 256)
#define DELETED	       " (deleted)"

struct maps {
	struct region *regions;
	uint32_t *order;
	char *names;
	size_t n, room, names_len, left_out, n_lines;
};

/* ---- one line -------------------------------------------------------- */

/* Reads digits of @base from *s up to @end; false if there are none or they
 * do not fit. */
static bool number(const char **s, const char *end, unsigned base,
		   uint64_t *ret)
{
	const char *p = *s;
	uint64_t n = 0;

	for (; p < end && isxdigit((unsigned char)*p); p++) {
		unsigned d = *p <= '9' ? (unsigned)(*p - '0')
				       : (unsigned)((*p | 32) - 'a' + 10);

		if (d >= base || n > (UINT64_MAX - d) / base)
			return false;
		n = n * base + d;
	}
	if (p == *s)
		return false;
	*s = p;
	*ret = n;
	return true;
}

static bool expect(const char **s, const char *end, char c)
{
	return *s < end && *(*s)++ == c;
}

static bool starts(const char *s, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - s) >= n && !memcmp(s, with, n);
}

static bool ends(const char *s, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - s) >= n && !memcmp(end - n, with, n);
}

static bool is(const char *s, const char *end, const char *what)
{
	return (size_t)(end - s) == strlen(what) && starts(s, end, what);
}

static bool permissions(const char **s, const char *end, uint8_t *ret)
{
	static const struct {
		char set, clear;
		uint8_t flag;
	} column[] = {
		{ 'r', '-', REGION_READ },
		{ 'w', '-', REGION_WRITE },
		{ 'x', '-', REGION_EXEC },
		{ 's', 'p', REGION_SHARED },
	};

	*ret = 0;
	if (end - *s < 4)
		return false;
	for (size_t i = 0; i < 4; i++, (*s)++) {
		if (**s == column[i].set)
			*ret |= column[i].flag;
		else if (**s != column[i].clear)
			return false;
	}
	return true;
}

/* Shared memory without a file (shmem) is as anonymous as a heap, whatever
 * its name in maps; a memfd that is mapped privately holds a program. */
static uint8_t name_flags(const char *name, const char *end, uint64_t inode,
			  uint8_t flags)
{
	uint8_t more = 0;

	if (ends(name, end, DELETED))
		more |= REGION_DELETED;
	if (starts(name, end, "/memfd:"))
		more |= REGION_MEMFD;
	if (is(name, end, "/dev/nvidia-uvm") || is(name, end, "/dev/kfd"))
		more |= REGION_GPU;
	if (inode == 0 ||
	    ((flags & REGION_SHARED) &&
	     (starts(name, end, "/memfd:") || starts(name, end, "/SYSV") ||
	      starts(name, end, "/dev/zero") || starts(name, end, "/dev/shm/") ||
	      starts(name, end, "/[aio]"))))
		more |= REGION_ANON;
	return more;
}

uint8_t maps_where(uint8_t flags)
{
	bool anon = flags & REGION_ANON, exec = flags & REGION_EXEC;
	uint8_t where = 1 << WHERE_ANY;

	if (exec && !anon)
		where |= 1 << WHERE_CODE;
	/* Shared memory that is only read here is written elsewhere. */
	if (exec || !anon || !(flags & (REGION_WRITE | REGION_SHARED)))
		where |= 1 << WHERE_IMAGE;
	if (exec && anon)
		where |= 1 << WHERE_JIT;
	return where;
}

int maps_parse_line(const char *line, size_t len, struct region *ret,
		    const char **ret_name)
{
	const char *s = line, *end = line + len;
	struct region r = { 0 };
	uint64_t major, minor;

	if (!number(&s, end, 16, &r.start) || !expect(&s, end, '-') ||
	    !number(&s, end, 16, &r.end) || !expect(&s, end, ' ') ||
	    !permissions(&s, end, &r.flags) || !expect(&s, end, ' ') ||
	    !number(&s, end, 16, &r.offset) || !expect(&s, end, ' ') ||
	    !number(&s, end, 16, &major) || !expect(&s, end, ':') ||
	    !number(&s, end, 16, &minor) || !expect(&s, end, ' ') ||
	    !number(&s, end, 10, &r.inode))
		return -EBADMSG;
	if (r.start >= r.end || (r.start | r.end) % FLOW_PAGE ||
	    major >= 1 << 12 || minor >= 1 << 20)
		return -EBADMSG;
	while (s < end && *s == ' ')
		s++;
	r.dev = (uint32_t)(major << 20 | minor);
	r.flags |= name_flags(s, end, r.inode, r.flags);
	r.where = maps_where(r.flags);
	*ret = r;
	*ret_name = s;
	return 0;
}

/* ---- the whole table ------------------------------------------------- */

/* Pages of the kernel that can not be read through /proc/PID/mem.  A path can
 * not look like this (it starts with '/'), nor can a name that the process
 * gave (it reads "[anon:..."). */
static bool is_kernels(const char *name, size_t len)
{
	static const char *const own[] = { "[vvar]", "[vvar_vclock]",
					   "[vsyscall]" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (is(name, name + len, own[i]))
			return true;
	return false;
}

static uint32_t add_name(struct maps *m, const char *name, size_t len)
{
	uint32_t last = m->n ? m->regions[m->n - 1].name : 0;
	size_t at = m->names_len;

	if (len == 0)
		return 0;
	if (len > NAME_BYTES)
		len = NAME_BYTES;
	/* Segments of one file stand together: keep the name once. */
	if (strlen(m->names + last) == len && !memcmp(m->names + last, name, len))
		return last;
	if (at + len + 1 > MAPS_NAMES)
		return 0;
	memcpy(m->names + at, name, len);
	m->names[at + len] = '\0';
	m->names_len = at + len + 1;
	return (uint32_t)at;
}

static int add_line(struct maps *m, const char *line, size_t len)
{
	struct region r;
	const char *name;
	size_t name_len;
	int err = maps_parse_line(line, len, &r, &name);

	if (err)
		return err;
	m->n_lines++;
	name_len = (size_t)(line + len - name);
	if (is_kernels(name, name_len))
		return 0;
	if (m->n == MAPS_MAX) {
		m->left_out++;
		return 0;
	}
	if (m->n == m->room) {
		size_t room = m->room ? m->room * 2 : 128;
		struct region *p = realloc(m->regions, room * sizeof(*p));

		if (!p)
			return -ENOMEM;
		m->regions = p;
		m->room = room;
	}
	r.name = add_name(m, name, name_len);
	m->regions[m->n++] = r;
	return 0;
}

static int add_text(struct maps *m, const char *text, size_t len)
{
	int err = 0;

	while (!err && len) {
		const char *end = memchr(text, '\n', len);

		if (!end)
			return -EBADMSG;
		err = add_line(m, text, (size_t)(end - text));
		len -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	return err;
}

/* Whoever saved it may have written it, too: the kernel's are in order. */
static int take_saved(struct maps *m, const struct capture *c)
{
	size_t len;
	const char *text = capture_text(c, CAPTURE_MAPS, &len);
	int err = add_text(m, text, len);

	for (size_t i = 1; i < m->n && !err; i++)
		if (m->regions[i].start < m->regions[i - 1].end)
			err = -EBADMSG;
	return err;
}

/* A path has no longest: whoever makes a folder in a folder, and goes there,
 * can map a file whose path fills megabytes.  Of a line that has not ended yet
 * stay its first bytes, and its last ones for what they say. */
static size_t shorten(char *line, size_t len)
{
	static const size_t last = sizeof(DELETED) - 1;

	if (len <= LINE_MAX_BYTES)
		return len;
	memmove(line + LINE_MAX_BYTES - last, line + len - last, last);
	return LINE_MAX_BYTES;
}

static int read_lines(struct maps *m, int fd, uint64_t deadline_ns)
{
	static const size_t cap = 65536 + LINE_MAX_BYTES;
	char *buf = malloc(cap);
	size_t len = 0;
	ssize_t got;
	int err = buf ? 0 : -ENOMEM;

	while (!err && (got = read(fd, buf + len, cap - len)) != 0) {
		char *line = buf, *end;

		if (got < 0) {
			err = errno == EINTR ? 0 : -errno;
			if (!err)
				continue;
			break;
		}
		len += (size_t)got;
		while (!err && (end = memchr(line, '\n', len))) {
			err = add_line(m, line, (size_t)(end - line));
			len -= (size_t)(end + 1 - line);
			line = end + 1;
		}
		memmove(buf, line, len);
		len = shorten(buf, len);
		if (!err && deadline_ns && io_now_ns() >= deadline_ns)
			err = -ETIMEDOUT;
	}
	free(buf);
	return err ?: len ? -EBADMSG : 0;
}

static unsigned suspicion(const struct region *r)
{
	bool exec = r->flags & REGION_EXEC;

	if (exec &&
	    (r->flags & (REGION_ANON | REGION_DELETED | REGION_MEMFD)))
		return 0;
	if (exec)
		return 1;
	return r->where & 1 << WHERE_IMAGE ? 2 : 3;
}

static int sort_by_suspicion(struct maps *m)
{
	size_t at = 0;

	m->order = malloc((m->n + 1) * sizeof(*m->order));
	if (!m->order)
		return -ENOMEM;
	for (unsigned level = 0; level < 4; level++)
		for (size_t i = 0; i < m->n; i++)
			if (suspicion(&m->regions[i]) == level)
				m->order[at++] = (uint32_t)i;
	return 0;
}

int maps_read(const struct proc *proc, uint64_t deadline_ns, struct maps **ret)
{
	struct maps *m = calloc(1, sizeof(*m));
	int fd, err = -ENOMEM;

	if (!m || !(m->names = malloc(MAPS_NAMES)))
		goto out;
	m->names[0] = '\0';
	m->names_len = 1;
	if (proc->saved) {
		err = take_saved(m, proc->saved);
	} else {
		fd = openat(proc->dir, "maps", O_RDONLY | O_CLOEXEC);
		err = fd < 0 ? (errno == ENOENT ? -ESRCH : -errno)
			     : read_lines(m, fd, deadline_ns);
		if (fd >= 0)
			close(fd);
	}
	if (!err && m->n_lines == 0)
		err = -ESRCH; /* on some kernels a zombie's file is empty */
	if (!err)
		err = sort_by_suspicion(m);
out:
	if (err)
		maps_free(m);
	else
		*ret = m;
	return err;
}

void maps_free(struct maps *m)
{
	if (!m)
		return;
	free(m->regions);
	free(m->order);
	free(m->names);
	free(m);
}

const struct region *maps_regions(const struct maps *m, size_t *ret_n)
{
	*ret_n = m->n;
	return m->regions;
}

const struct region *maps_by_suspicion(const struct maps *m, size_t i)
{
	return i < m->n ? &m->regions[m->order[i]] : NULL;
}

const struct region *maps_find(const struct maps *m, uint64_t address)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct region *r = &m->regions[mid];

		if (address < r->start)
			high = mid;
		else if (address >= r->end)
			low = mid + 1;
		else
			return r;
	}
	return NULL;
}

const char *maps_name(const struct maps *m, const struct region *r)
{
	return m->names + r->name;
}

size_t maps_left_out(const struct maps *m)
{
	return m->left_out;
}

void maps_permissions(const struct region *r, char ret[static 5])
{
	ret[0] = r->flags & REGION_READ ? 'r' : '-';
	ret[1] = r->flags & REGION_WRITE ? 'w' : '-';
	ret[2] = r->flags & REGION_EXEC ? 'x' : '-';
	ret[3] = r->flags & REGION_SHARED ? 's' : 'p';
	ret[4] = '\0';
}
