/* capture.h - the memory of one process, saved in a file.
 *
 * What /proc said of the process, and its resident pages in pieces that are
 * compressed one by one (zstd, with its checksum), so that a scan takes no
 * more memory than for a process that lives:
 *
 *	"DLCAPTR1"
 *	TEXT...   a small file of /proc/PID each
 *	PAGES...  pages that stand behind each other, by address
 *	END       how many records, and what could not be read
 *
 * A record is a struct capture_record, little-endian, and @packed bytes.
 * struct proc refers to an open capture, and so the data path runs over it as
 * over a process: proc.c, maps.c and mem.c take from here what they would ask
 * the kernel for.
 *
 * A capture comes from anybody.  All that is in it is checked when it is
 * opened or, the pages, when they are unpacked; nothing in it says how much
 * memory is taken for it. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "why.h"

#define CAPTURE_MAGIC	    "DLCAPTR1"
#define CAPTURE_PIECE	    (256u * 4096) /* bytes of one PAGES, unpacked */
#define CAPTURE_TEXT	    (64u << 20)	  /* bytes of one TEXT, unpacked */
#define CAPTURE_RECORDS_MAX (1u << 22)

enum capture_type { CAPTURE_TEXTS = 1, CAPTURE_PAGES, CAPTURE_END };

struct capture_record {
	uint32_t type;
	uint32_t packed;   /* bytes that follow, a zstd frame; END: 0 */
	uint64_t address;  /* TEXT: which enum capture_text; PAGES: of the
			      first; END: records before it */
	uint64_t unpacked; /* bytes; END: bytes that could not be read */
};

/* Files of /proc/PID, but for the last three. */
enum capture_text {
	CAPTURE_STAT_FIRST, /* stat, when the capture began */
	CAPTURE_STAT,	    /* and when it ended */
	CAPTURE_STATUS,
	CAPTURE_MAPS,
	CAPTURE_CMDLINE,
	CAPTURE_CGROUP,
	CAPTURE_EXE,   /* what the link says */
	CAPTURE_TIMES, /* "FIRST LAST NLINK": CLOCK_BOOTTIME in nanoseconds of
			  both stats, and the executable's link count */
	CAPTURE_TEXT_COUNT
};

struct capture;

/* Opens and checks it, but for the pages' own bytes.  -EBADMSG: damaged or no
 * capture, and @why says how; else errors of open(2) and pread(2). */
int capture_open(const char *path, struct capture **ret, struct why *why);

void capture_free(struct capture *);

/* A saved text, NUL-ended, for the capture's life; NULL: it was not saved. */
const char *capture_text(const struct capture *, enum capture_text,
			 size_t *ret_len);

/* Copies the first saved stretch of [@from, @to) to @buf, at most @cap bytes.
 * Returns its length and sets *ret_at to its address; 0: there is none;
 * -EBADMSG: those pages are damaged.  One thread at a time. */
ssize_t capture_read(struct capture *, uint64_t from, uint64_t to,
		     uint8_t *buf, size_t cap, uint64_t *ret_at);

/* Bytes of memory in it, and those that could not be read when it was made. */
uint64_t capture_bytes(const struct capture *);
uint64_t capture_unreadable(const struct capture *);

#endif
