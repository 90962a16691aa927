/* wire.h - what davylamp and davylamp-match say to each other.
 *
 * Over a SOCK_SEQPACKET pair, one message a packet: a type, then a struct of
 * fixed size, then for some an array.  Bytes of processes go through a memfd
 * that both map (the matcher read-only), sealed against shrinking.
 *
 *	davylamp		davylamp-match
 *	(starts it)
 *				RULES... that there are
 *				ATOMS... what the prefilter must know
 *				READY, or REFUSED and its end
 *	ONLY: not all rules
 *	  (where one failed)
 *	LOOK: n windows in
 *	  the shared memory
 *				LOOKED: that memory is free again
 *	  ...
 *	END of this process
 *				STRING... of a rule that is looked for alone
 *				HIT...   one per rule that holds
 *				DONE
 *
 * Each side takes only what the state allows, of the size it must have, and
 * trusts nothing in it. */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "flow.h"
#include "prefilter.h"

#define WIRE_SOCKET 3 /* the matcher's descriptors at its start */
#define WIRE_MEMORY 4
#define WIRE_KEPT   5 /* the rules' text, for those that come after it */

#define WIRE_BYTES   (1U << 20) /* of the shared memory */
#define WIRE_WINDOWS 256	/* in one LOOK */
#define WIRE_RULES   16		/* in one RULES */
#define WIRE_ATOMS   256	/* in one ATOMS */

#define WIRE_RULES_MAX 100000 /* in all */

/* No match is longer, with the bytes around it that decide about it, but for
 * those that rules_plan.h names: libyara follows a regular expression 4096
 * bytes to either side of where its automaton struck. */
#define WIRE_SPAN 8216

/* A suspect is cut into windows of at most WIRE_WINDOW bytes, each of which
 * begins WIRE_SPAN bytes before the last one's end: one of them holds a match
 * whole.  An edge at which the process's memory goes on is never page-aligned,
 * which is how the matcher knows it: sweep.c makes its edges odd, and for the
 * two numbers here WINDOW is 8 short of whole pages and WINDOW - SPAN 32. */
#define WIRE_WINDOW 65528

enum wire_type {
	WIRE_RULES_PART = 1,
	WIRE_ATOMS_PART,
	WIRE_READY,
	WIRE_REFUSED,
	WIRE_ONLY,
	WIRE_LOOK,
	WIRE_LOOKED, /* no body */
	WIRE_END,    /* no body */
	WIRE_STRING,
	WIRE_HIT,
	WIRE_DONE,
	WIRE_TYPES
};

struct wire_rules {
	uint32_t n;
	struct rule rule[WIRE_RULES];
};

struct wire_atoms {
	uint32_t n;
	struct atom atom[WIRE_ATOMS];
};

struct wire_ready {
	uint32_t n_rules, n_atoms;
	uint32_t every_page; /* bit per enum where, of rules that must see it */
	char engine[32];    /* "libyara 4.2.3" */
	char version[17];   /* of the rules: 16 hex digits over their text */
};

struct wire_refused {
	uint32_t unable; /* not for the rules' sake: no memory, no sandbox */
	char text[512];
};

#define WIRE_SKIPPED 16

/* Of the rules, by their numbers, only these are looked for from now on: @from
 * to @to - 1, but those @skipped. */
struct wire_only {
	uint32_t from, to;
	uint32_t n;
	uint32_t skipped[WIRE_SKIPPED];
};

struct wire_window {
	uint64_t address;
	uint32_t offset; /* in the shared memory */
	uint32_t len;
	uint32_t where; /* bit per enum where: rules to show it to */
	uint32_t unused;
};

struct wire_look {
	uint32_t n, unused;
	struct wire_window window[WIRE_WINDOWS];
};

struct wire_string {
	char name[48];
	uint32_t number; /* as in struct atom */
	uint32_t n_kept; /* of @kept */
	uint64_t n_matches;
	struct hit_string kept[HIT_STRINGS];
};

struct wire_hit {
	uint32_t rule; /* its number, in the order of RULES */
	uint32_t n_strings;
	uint64_t n_matches;
	struct hit_string string[HIT_STRINGS];
};

struct wire_done {
	uint32_t n_hits;
	uint32_t incomplete; /* 1: @text says what was not looked for */
	char text[256];
};

struct wire_message {
	uint32_t type;
	union {
		struct wire_rules rules;
		struct wire_atoms atoms;
		struct wire_ready ready;
		struct wire_refused refused;
		struct wire_only only;
		struct wire_look look;
		struct wire_string string;
		struct wire_hit hit;
		struct wire_done done;
	};
};

/* Sends @type with @len bytes of the union.  0 or -errno; never SIGPIPE. */
int wire_send(int socket, struct wire_message *, uint32_t type, size_t len);

/* Receives one message and checks its size against its type.  1; 0: the other
 * side is gone; -ETIMEDOUT after @timeout_ms (-1: never); -EBADMSG: a message
 * of a size or type that does not exist. */
int wire_receive(int socket, struct wire_message *ret, int timeout_ms);

/* The body's size for @look, @rules and @atoms with @n elements. */
size_t wire_look_size(uint32_t n);
size_t wire_rules_size(uint32_t n);
size_t wire_atoms_size(uint32_t n);

#endif
