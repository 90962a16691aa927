/* flow.h - everything that travels through davylamp, in the order it does.
 *
 *	event     what happened             sensor.c, then queue.c: who is next
 *	seen      which processes there are views.c
 *	proc      one of them, opened       proc.c
 *	region    which of its mappings     maps.c
 *	batch     their resident pages      mem.c
 *	suspect   where a rule could match  sweep.c
 *	hit       where a rule does match   match.c, davylamp-match
 *	finding   what that means           verdict.c
 *
 * Structs only.  The module named on the right fills each one and its header
 * says who owns it and for how long. */
#ifndef FLOW_H
#define FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Digests are of 4096-byte file pages, whatever the kernel's page size. */
#define FLOW_PAGE 4096

/* ---- seen ------------------------------------------------------------ */

/* How a process is kept from being seen. */
enum {
	HIDDEN_MOUNT = 1, /* something is mounted over /proc/PID */
	HIDDEN_LIBC = 2,  /* readdir(3), as this host's programs have it, does
			     not show it: a preloaded library's work */
	HIDDEN_LIST = 4,  /* only the kernel's task list has it, /proc not */
};

/* One process, as a census has it. */
struct seen {
	pid_t pid, ppid;
	uint64_t start_ticks;	/* since boot, as proc_pid_stat(5); 0: unknown */
	uint64_t cpu_ns;	/* user + system of all threads, ended ones too */
	uint8_t hidden;		/* HIDDEN_* */
	bool kernel;		/* a kernel thread */
};

/* ---- peer ------------------------------------------------------------ */

#define PEER_NAME 256
#define PEERS_MAX 32

/* The other end of a connection, and this end where it is known. */
struct peer {
	uint16_t family;	/* AF_INET, AF_INET6; 0: unknown */
	uint16_t port, local_port; /* host order */
	uint8_t protocol;	/* IPPROTO_TCP, IPPROTO_UDP */
	uint8_t address[16], local[16]; /* AF_INET: the first 4 bytes */
};

/* Those of one process. */
struct peers {
	size_t n;
	size_t more;		/* that there was no room for */
	struct peer list[PEERS_MAX];
	char name[PEERS_MAX][PEER_NAME]; /* as DNS had it, or "" */
};

/* ---- proc ------------------------------------------------------------ */

#define PROC_COMM  64 /* kernel threads show up to 63 bytes, others 15 */

/* A process is its /proc directory, opened once: every file reached through
 * @dir belongs to this very process or fails with ESRCH, so a pid that is
 * used again can not be mistaken for it.  Where the first thread has ended and
 * others have not, its directory shows a zombie without memory: then @dir and
 * @tid are those of one that lives, or lived when it was turned to. */
struct proc {
	pid_t pid, ppid;
	pid_t tid;		/* has its memory; @pid in most */
	int dir;		/* /proc/PID or /proc/PID/task/TID, or -1 */
	int own;		/* /proc/PID, which is @dir in most */
	struct capture *saved;	/* not a process but a saved one; else NULL */
	uid_t uid;
	char state;		/* proc_pid_stat(5): R S D Z T ... */
	bool kernel;		/* a kernel thread: no memory of its own */
	bool ending;		/* on its way out, past the last clone(2) */
	uint8_t hidden;		/* HIDDEN_*, as the census says */
	uint32_t threads;
	uint64_t start_ticks;	/* since boot */
	uint64_t cpu_ticks;	/* user + system */
	uint64_t seen_ns;	/* CLOCK_BOOTTIME when the above was read */
	char comm[PROC_COMM];
};

/* ---- region ---------------------------------------------------------- */

/* Which rules a region is shown to; a rule's meta `where` names one. */
enum where {
	WHERE_CODE,	/* executable, of a file */
	WHERE_IMAGE,	/* all but anonymous writable or shared memory */
	WHERE_JIT,	/* anonymous and executable */
	WHERE_ANY,
	WHERE_COUNT
};

/* A region's `where` if it is plain data: a heap, a stack. */
#define WHERE_PLAIN (1U << WHERE_ANY)

enum {
	REGION_READ = 1,
	REGION_WRITE = 2,
	REGION_EXEC = 4,
	REGION_SHARED = 8,
	REGION_ANON = 16,	/* no file behind it, shmem included */
	REGION_DELETED = 32,	/* its file has no name any more */
	REGION_MEMFD = 64,
	REGION_GPU = 128,	/* called as a graphics card's compute device */
};

struct region {
	uint64_t start, end;	/* bytes, page-aligned, end excluded */
	uint64_t offset;	/* in the file, bytes */
	uint64_t inode;
	uint32_t dev;		/* major << 20 | minor; 0: no file */
	uint32_t name;		/* for maps_name() */
	uint8_t flags;		/* REGION_* */
	uint8_t where;		/* bit per enum where */
};

/* How much is looked for in a region: in each all of what is in the ones
 * before. */
enum content {
	CONTENT_PLAIN, /* a heap, a stack: what rules see anywhere */
	CONTENT_DATA,  /* not executable: and digests of pages, images */
	CONTENT_CODE,  /* and fragments, code */
};

static inline enum content region_content(const struct region *r)
{
	if (r->where == WHERE_PLAIN)
		return CONTENT_PLAIN;
	return r->flags & REGION_EXEC ? CONTENT_CODE : CONTENT_DATA;
}

/* ---- batch ----------------------------------------------------------- */

#define BATCH_PAGES 256 /* 1 MiB */

/* Resident pages of one region, in the order of their addresses. */
struct batch {
	const struct region *region;
	const uint8_t *bytes;	/* n_pages * FLOW_PAGE, page-aligned */
	const uint64_t *address; /* n_pages: where each page is mapped */
	size_t n_pages;
};

/* ---- suspect --------------------------------------------------------- */

/* Bytes of the process that the matcher must see. */
struct suspect {
	uint64_t start, end;	/* addresses */
	uint8_t where;		/* bit per enum where: rules to show them to */
};

/* ---- hit ------------------------------------------------------------- */

#define HIT_BYTES   32
#define HIT_STRINGS 24	/* kept per rule and process; more are counted */

struct rule {
	char name[128];
	char family[48];
	char algorithm[48];
	char reference[160];
	char description[200];
	char slow[160];		/* why it must see every page; "": it need not */
	char undefined[32];	/* what its condition asks for and never gets */
	char generic[64];	/* a constant that everybody has, if it looks
				   for nothing else; else "" */
	uint8_t where;		/* enum where */
	uint8_t severity;	/* enum severity */
};

struct hit_string {
	char name[48];		/* "$keys", as in the rule's source */
	uint64_t address;
	uint32_t length;	/* of the match, bytes */
	uint32_t n_bytes;	/* of @bytes that are filled */
	uint8_t bytes[HIT_BYTES];
};

struct hit {
	const struct rule *rule;
	size_t n_matches;	/* of all its strings */
	size_t n_strings;
	struct hit_string strings[HIT_STRINGS];
};

/* ---- finding --------------------------------------------------------- */

enum severity { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH };

/* How much of a process a look is to see: all of it, or its program and what
 * it made executable, without plain data (WHERE_PLAIN: the most of it). */
enum scan_depth { SCAN_FULL, SCAN_PROGRAM };

/* How far the look at a process went. */
enum scan_state { SCAN_COMPLETE, SCAN_PARTIAL, SCAN_VANISHED };

/* Pages and fragments (fragment.h) of one known binary that were seen in a
 * process.  Another version of it has fragments in common with it, and hardly
 * a page. */
struct share {
	const char *family, *name, *version; /* as long as the hash set */
	uint32_t n_pages;   /* distinct pages of the binary in the set */
	uint32_t seen;	    /* of them, in this process */
	uint32_t seen_code; /* of those, in executable memory */
	uint32_t n_fragments;	 /* distinct fragments likewise */
	uint32_t seen_fragments; /* of them, in executable memory */
};

#define SHARES_MAX 16

/* One look at one process, from scan.c; valid until its next look. */
struct look {
	const struct proc *proc;   /* as it was when the look began */
	const struct maps *maps;   /* NULL: never read */
	enum scan_state state;	   /* of what its depth asked for */
	bool shallow;		   /* SCAN_PROGRAM: plain data was left out, so
				      nothing found is not yet "clean" */
	char why[256];		   /* not complete: the reason, escaped */
	bool denied;		   /* the reason is who we are */
	const struct hit *hits;
	size_t n_hits;
	struct share shares[SHARES_MAX]; /* most pages seen first */
	size_t n_shares;
	const struct who *who;	   /* where anything was found; read while that
				      memory was still its own, else empty */
	double cpu_share;	   /* 1.0: a whole core */
	double wait_share;	   /* of the time, that the thread which waited
				    * most for a processor did so; measured if
				    * there are hits */
	uint64_t read_bytes, shared_bytes, unreadable_bytes;
};

enum category {
	CATEGORY_YARA,
	CATEGORY_HASH,
	CATEGORY_COMBINED,
	CATEGORY_OBSERVATION, /* of davylamp itself: it sees less than it could */
	CATEGORIES
};

/* What a look means. */
struct finding {
	enum category category;
	enum severity severity;
	const struct look *look;
	const struct share *shares[SHARES_MAX]; /* those that count */
	size_t n_shares;
	bool jit;		/* a live proof-of-work JIT was seen */
	bool idle;		/* nothing shows work: severity lowered */
	bool only_read;		/* in a file that is not run: likewise */
	const char *besides;	/* many families as plain data, as scanners
				   have; but this, too, which they have not */
	uint64_t dataset_bytes;	/* a mapping of RandomX's size, or 0 */
};

#endif
