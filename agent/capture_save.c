/* capture_save.c - saving the memory of one process. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include "capture.h"
#include "capture_save.h"
#include "exefile.h"
#include "hashutil.h"
#include "io.h"
#include "maps.h"
#include "mem.h"
#include "proc.h"

#define LEVEL 3 /* zstd's own default */

struct saver {
	int fd;
	const struct proc *proc;
	ZSTD_CCtx *zstd;
	uint8_t *packed; /* a record's head and its bytes */
	size_t room;
	uint64_t n;
	uint64_t first_ns; /* of CAPTURE_STAT_FIRST */
	struct capture_sum sum;
	void (*tick)(void *user, uint64_t bytes);
	void *user;
};

static int put(struct saver *s, const void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(s->fd, (const char *)bytes + done,
				  len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	s->sum.packed += len;
	return 0;
}

static int put_record(struct saver *s, enum capture_type type,
		      uint64_t address, const void *bytes, size_t len)
{
	struct capture_record head = { type, 0, address, len };
	size_t n, need = sizeof(head) + ZSTD_compressBound(len);

	if (!s->packed || need > s->room) {
		s->packed = hashutil_realloc(s->packed, need, 1);
		s->room = need;
	}
	n = ZSTD_compress2(s->zstd, s->packed + sizeof(head),
			   s->room - sizeof(head), bytes, len);
	if (ZSTD_isError(n))
		return -ENOMEM;
	head.packed = (uint32_t)n;
	memcpy(s->packed, &head, sizeof(head));
	s->n++;
	return put(s, s->packed, sizeof(head) + n);
}

/* ---- texts ----------------------------------------------------------- */

/* All of a file of /proc/PID; the caller frees *ret. */
static ssize_t read_all(const struct proc *p, const char *name, char **ret)
{
	int fd = openat(p->dir, name, O_RDONLY | O_CLOEXEC);
	size_t n = 0, room = 0;
	char *text = NULL;
	ssize_t got = fd < 0 ? -1 : 1;
	int err = 0;

	while (got > 0 && n < CAPTURE_TEXT) {
		if (room - n < 65536) {
			room = room ? room * 2 : 1 << 17;
			text = hashutil_realloc(text, room, 1);
		}
		got = read(fd, text + n, room - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		err = errno == ENOENT ? -ESRCH : -errno;
	if (fd >= 0)
		close(fd);
	if (got < 0) {
		free(text);
		return err;
	}
	*ret = text;
	return (ssize_t)(n < CAPTURE_TEXT ? n : CAPTURE_TEXT);
}

static int put_file(struct saver *s, enum capture_text which,
		    const char *name)
{
	char *text = NULL;
	ssize_t n = read_all(s->proc, name, &text);
	int err = n < 0 ? (int)n
			: put_record(s, CAPTURE_TEXTS, which, text, (size_t)n);

	free(text);
	return err;
}

static int put_exe(struct saver *s)
{
	char exe[4096];
	ssize_t n = io_link_at(s->proc->dir, "exe", exe, sizeof(exe));

	return put_record(s, CAPTURE_TEXTS, CAPTURE_EXE, exe,
			  n > 0 ? (size_t)n : 0);
}

static int put_times(struct saver *s)
{
	char text[80];

	snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %u", s->first_ns,
		 io_now_ns(), !exefile_is_nameless(s->proc));
	return put_record(s, CAPTURE_TEXTS, CAPTURE_TIMES, text, strlen(text));
}

static int put_texts(struct saver *s)
{
	static const struct {
		enum capture_text which;
		const char *name;
	} files[] = {
		{ CAPTURE_STATUS, "status" },	{ CAPTURE_MAPS, "maps" },
		{ CAPTURE_CMDLINE, "cmdline" }, { CAPTURE_CGROUP, "cgroup" },
	};
	int err;

	s->first_ns = io_now_ns();
	err = put_file(s, CAPTURE_STAT_FIRST, "stat");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !err; i++)
		err = put_file(s, files[i].which, files[i].name);
	return err ?: put_exe(s);
}

/* ---- pages ----------------------------------------------------------- */

/* A record for each run of pages that stand behind each other. */
static int put_batch(struct saver *s, const struct batch *b)
{
	size_t n;
	int err = 0;

	for (size_t i = 0; i < b->n_pages && !err; i += n) {
		n = 1;
		while (i + n < b->n_pages &&
		       b->address[i + n] == b->address[i] + n * FLOW_PAGE)
			n++;
		err = put_record(s, CAPTURE_PAGES, b->address[i],
				 b->bytes + i * FLOW_PAGE, n * FLOW_PAGE);
	}
	s->sum.bytes += b->n_pages * FLOW_PAGE;
	if (s->tick)
		s->tick(s->user, b->n_pages * FLOW_PAGE);
	return err;
}

static int put_pages(struct saver *s, const struct maps *maps,
		     struct mem *mem)
{
	size_t n;
	const struct region *r = maps_regions(maps, &n);
	struct batch b;
	int more = 0;

	for (size_t i = 0; i < n && more >= 0; i++) {
		mem_start(mem, &r[i]);
		while ((more = mem_next(mem, &b)) == 1) {
			int err = put_batch(s, &b);

			if (err)
				return err;
		}
	}
	s->sum.unreadable = mem_counts(mem)->unreadable_bytes;
	return more;
}

static int put_end(struct saver *s)
{
	struct capture_record end = { CAPTURE_END, 0, s->n,
				      s->sum.unreadable };

	return put(s, &end, sizeof(end));
}

/* ---- all of it ------------------------------------------------------- */

static int save(struct saver *s, const struct maps *maps, struct mem *mem)
{
	int err = put(s, CAPTURE_MAGIC, 8);

	if (!err)
		err = put_texts(s);
	if (!err)
		err = put_pages(s, maps, mem);
	if (!err)
		err = put_file(s, CAPTURE_STAT, "stat");
	return err ?: put_times(s) ?: put_end(s);
}

static int explain(int err, const struct proc *p, struct why *why)
{
	if (err == -ESRCH)
		return why_set(why, err, "process %d ended meanwhile", p->pid);
	if (err == -EACCES || err == -EPERM)
		return why_set(why, err,
			       "process %d: not permitted to read its memory; "
			       "try as root",
			       p->pid);
	return why_set(why, err, "%s", strerror(-err));
}

int capture_save(int fd, const struct proc *proc,
		 void (*tick)(void *user, uint64_t bytes), void *user,
		 struct capture_sum *ret, struct why *why)
{
	struct saver s = {
		.fd = fd, .proc = proc, .tick = tick, .user = user
	};
	struct maps *maps = NULL;
	struct mem *mem = NULL;
	int err;

	s.zstd = ZSTD_createCCtx();
	if (!s.zstd ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(s.zstd, ZSTD_c_checksumFlag,
						1)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(
		    s.zstd, ZSTD_c_compressionLevel, LEVEL)))
		hashutil_out_of_memory();
	err = mem_new(NULL, &mem);
	if (!err)
		err = mem_attach_mapped(mem, proc, 0, &maps);
	if (!err)
		err = save(&s, maps, mem);
	mem_free(mem);
	maps_free(maps);
	ZSTD_freeCCtx(s.zstd);
	free(s.packed);
	if (err)
		return explain(err, proc, why);
	*ret = s.sum;
	return 0;
}
