/* capture.c - reading the saved memory of one process. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include "capture_own.h"
#include "flow.h"
#include "hashutil.h"
#include "text.h"

#define NONE SIZE_MAX

/* ---- opening --------------------------------------------------------- */

struct reader {
	struct capture *c;
	const char *what; /* escaped */
	struct why *why;
	uint64_t at, n; /* where the next record begins; those before it */
};

static int bad(const struct reader *r, const char *how)
{
	return why_set(r->why, -EBADMSG,
		       "%s: record %llu %s; make the capture anew", r->what,
		       (unsigned long long)r->n, how);
}

/* @record's bytes to @ret, all of its length and no more. */
static bool unpack(struct capture *c, const uint8_t *packed, size_t n,
		   void *ret, size_t len)
{
	size_t got = ZSTD_decompressDCtx(c->zstd, ret, len, packed, n);

	return !ZSTD_isError(got) && got == len;
}

static int take_text(struct reader *r, const struct capture_record *head)
{
	struct capture *c = r->c;
	uint8_t *packed;
	char *text;
	int err;

	if (head->address >= CAPTURE_TEXT_COUNT || c->text[head->address])
		return bad(r, "is a text that does not belong here");
	if (head->unpacked > CAPTURE_TEXT ||
	    head->packed > ZSTD_compressBound(CAPTURE_TEXT))
		return bad(r, "is a text longer than 64 MiB");
	packed = hashutil_realloc(NULL, head->packed, 1);
	err = hashutil_pread(c->fd, packed, head->packed, r->at);
	/* What it says of its length is believed once zstd says it, too. */
	if (!err && ZSTD_getFrameContentSize(packed, head->packed) !=
			    head->unpacked)
		err = bad(r, "has no length of its own");
	if (err) {
		free(packed);
		return err;
	}
	text = hashutil_realloc(NULL, head->unpacked + 1, 1);
	if (!unpack(c, packed, head->packed, text, head->unpacked))
		err = bad(r, "is damaged");
	free(packed);
	if (err) {
		free(text);
		return err;
	}
	text[head->unpacked] = '\0';
	c->text[head->address] = text;
	c->text_len[head->address] = head->unpacked;
	return 0;
}

static int take_pages(struct reader *r, const struct capture_record *head)
{
	struct capture *c = r->c;
	const struct piece *last = c->n ? &c->pieces[c->n - 1] : NULL;
	void *pieces = c->pieces;

	if (!head->unpacked || head->unpacked > CAPTURE_PIECE ||
	    (head->unpacked | head->address) % FLOW_PAGE ||
	    head->packed > ZSTD_compressBound(CAPTURE_PIECE) ||
	    head->address > UINT64_MAX - head->unpacked)
		return bad(r, "is of pages that can not be");
	if (last && head->address < last->address + last->len)
		return bad(r, "is out of order");
	if (hashutil_room(&pieces, &c->room, c->n, CAPTURE_RECORDS_MAX,
			  sizeof(*c->pieces)))
		return bad(r, "is one too many");
	c->pieces = pieces;
	c->pieces[c->n++] = (struct piece){ head->address, r->at,
					    (uint32_t)head->unpacked,
					    head->packed };
	c->bytes += head->unpacked;
	return 0;
}

static int take_end(struct reader *r, const struct capture_record *head)
{
	if (head->address != r->n || head->packed || r->at != r->c->size)
		return bad(r, "is an end that does not fit");
	for (int i = 0; i < CAPTURE_TEXT_COUNT; i++)
		if (!r->c->text[i])
			return bad(r, "ends it before all texts were there");
	r->c->unreadable = head->unpacked;
	return 0;
}

static int take_records(struct reader *r)
{
	for (;; r->n++) {
		struct capture_record head;
		int err = hashutil_pread(r->c->fd, &head, sizeof(head), r->at);

		if (err)
			return err;
		r->at += sizeof(head);
		if (head.packed > r->c->size - r->at)
			return bad(r, "is longer than the file");
		switch (head.type) {
		case CAPTURE_TEXTS:
			err = take_text(r, &head);
			break;
		case CAPTURE_PAGES:
			err = take_pages(r, &head);
			break;
		case CAPTURE_END:
			return take_end(r, &head);
		default:
			err = bad(r, "is of no known type");
		}
		if (err)
			return err;
		r->at += head.packed;
	}
}

static int check(struct reader *r)
{
	char magic[8] = "";
	struct stat st;
	int err;

	if (fstat(r->c->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return why_set(r->why, -EBADMSG, "%s: not a regular file",
			       r->what);
	r->c->size = (uint64_t)st.st_size;
	err = hashutil_pread(r->c->fd, magic, sizeof(magic), 0);
	if (err && err != -ENODATA)
		return err;
	if (memcmp(magic, CAPTURE_MAGIC, sizeof(magic)))
		return why_set(r->why, -EBADMSG,
			       "%s: not a capture; `davylamp rules capture` "
			       "makes one",
			       r->what);
	r->at = sizeof(magic);
	err = take_records(r);
	return err == -ENODATA ? bad(r, "is cut off") : err;
}

int capture_open(const char *path, struct capture **ret, struct why *why)
{
	struct capture *c = hashutil_realloc(NULL, 1, sizeof(*c));
	char what[256];
	struct reader r = {
		.c = c,
		.what = text_escape_str(path, what, sizeof(what)),
		.why = why,
	};
	int err;

	*c = (struct capture){ .unpacked_piece = NONE };
	why_set(why, 0, "%s", "");
	c->zstd = ZSTD_createDCtx();
	c->packed = hashutil_realloc(NULL, ZSTD_compressBound(CAPTURE_PIECE),
				     1);
	c->unpacked = hashutil_realloc(NULL, CAPTURE_PIECE, 1);
	if (!c->zstd)
		hashutil_out_of_memory();
	c->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	err = c->fd < 0 ? -errno : check(&r);
	if (err && err != -EBADMSG)
		why_set(why, err, "%s: %s", what, strerror(-err));
	if (err)
		capture_free(c);
	else
		*ret = c;
	return err;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	for (int i = 0; i < CAPTURE_TEXT_COUNT; i++)
		free(c->text[i]);
	if (c->fd >= 0)
		close(c->fd);
	ZSTD_freeDCtx(c->zstd);
	free(c->pieces);
	free(c->packed);
	free(c->unpacked);
	free(c);
}

/* ---- asking ---------------------------------------------------------- */

uint64_t capture_bytes(const struct capture *c)
{
	return c->bytes;
}

uint64_t capture_unreadable(const struct capture *c)
{
	return c->unreadable;
}

/* The first piece that ends behind @address, or c->n. */
static size_t find(const struct capture *c, uint64_t address)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct piece *p = &c->pieces[mid];

		if (p->address + p->len <= address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int fetch(struct capture *c, size_t i)
{
	const struct piece *p = &c->pieces[i];
	int err;

	if (i == c->unpacked_piece)
		return 0;
	c->unpacked_piece = NONE;
	err = hashutil_pread(c->fd, c->packed, p->packed, p->offset);
	if (!err && !unpack(c, c->packed, p->packed, c->unpacked, p->len))
		err = -EBADMSG;
	if (err)
		return -EBADMSG;
	c->unpacked_piece = i;
	return 0;
}

ssize_t capture_read(struct capture *c, uint64_t from, uint64_t to,
		     uint8_t *buf, size_t cap, uint64_t *ret_at)
{
	size_t n = 0;
	uint64_t at = from;

	for (size_t i = find(c, from); i < c->n && n < cap; i++) {
		const struct piece *p = &c->pieces[i];
		uint64_t start = p->address > from ? p->address : from;
		uint64_t end = p->address + p->len;

		if (start >= to || (n && start != at))
			break;
		if (end > to)
			end = to;
		if (end - start > cap - n)
			end = start + (cap - n);
		if (fetch(c, i))
			return -EBADMSG;
		memcpy(buf + n, c->unpacked + (start - p->address),
		       end - start);
		if (!n)
			*ret_at = start;
		n += end - start;
		at = end;
	}
	return (ssize_t)n;
}
